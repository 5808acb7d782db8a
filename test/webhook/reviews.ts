/** Builds reviews as the API server sends them. */
import type { AdmissionRequest, Refusal, ReviewAnswer } from '../../webhook/review.js';

export type Operation = AdmissionRequest['operation'];

export interface ReviewInput {
  kind?: 'NodeOp' | 'NodeOpUpgrade';
  operation?: Operation;
  spec?: unknown;
  /** The previous object, for updates. */
  before?: { spec?: unknown; status?: unknown };
  metadata?: Record<string, unknown>;
  dryRun?: boolean;
  subResource?: string;
}

const objectOf = (kind: string, metadata: Record<string, unknown>, rest: Record<string, unknown>) => ({
  apiVersion: 'operator.kairos.io/v1alpha1',
  kind,
  metadata: { name: 'x', namespace: 'default', ...metadata },
  ...rest,
});

export function request(input: ReviewInput = {}): AdmissionRequest {
  const { kind = 'NodeOp', before, metadata = {}, dryRun = false, subResource } = input;
  const spec = 'spec' in input ? input.spec : { command: ['true'] };
  return {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind: { group: 'operator.kairos.io', version: 'v1alpha1', kind },
    name: 'x',
    namespace: 'default',
    operation: input.operation ?? (before ? 'UPDATE' : 'CREATE'),
    subResource,
    object: objectOf(kind, metadata, spec === undefined ? {} : { spec }),
    oldObject: before ? objectOf(kind, {}, before) : null,
    dryRun,
  };
}

export const review = (input: ReviewInput = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: request(input),
});

export const denialOf = (answer: ReviewAnswer): Refusal | undefined => answer.response.status;

/** `path: message` of every fault. */
export const faultsIn = (answer: ReviewAnswer): string[] =>
  (denialOf(answer)?.details.causes ?? []).map(({ field, message }) => `${field}: ${message}`);

export interface PatchOperation {
  op: string;
  path: string;
  value: unknown;
}

export const patchIn = (answer: ReviewAnswer): PatchOperation[] =>
  answer.response.patch === undefined
    ? []
    : (JSON.parse(Buffer.from(answer.response.patch, 'base64').toString()) as PatchOperation[]);
