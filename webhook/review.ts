/** AdmissionReview of admission.k8s.io/v1: the question, and the answers that can be given. */
import * as z from 'zod';
import type { AddOperation } from './defaults.js';
import { bodyText, type Fault, faultText, pathText, REASONS } from './faults.js';

const GroupVersionKind = z.object({ group: z.string(), version: z.string(), kind: z.string() });
const AnyObject = z.record(z.string(), z.unknown());

const Request = z.object({
  uid: z.string().min(1),
  kind: GroupVersionKind,
  name: z.string().optional(),
  namespace: z.string().optional(),
  operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
  subResource: z.string().optional(),
  object: AnyObject.nullish(),
  oldObject: AnyObject.nullish(),
  dryRun: z.boolean().optional(),
});
export type AdmissionRequest = z.infer<typeof Request>;

const API_VERSION = 'admission.k8s.io/v1';

export const AdmissionReview = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('AdmissionReview'),
  request: Request,
});

/** The API server's `Status` of an invalid object. */
export interface Refusal {
  status: 'Failure';
  code: 422;
  reason: 'Invalid';
  message: string;
  details: {
    name: string;
    group: string;
    kind: string;
    causes: { reason: string; message: string; field: string }[];
  };
}

export interface AdmissionResponse {
  uid: string;
  allowed: boolean;
  patchType?: 'JSONPatch';
  /** Base64 of a JSON patch. */
  patch?: string;
  warnings?: string[];
  status?: Refusal;
}

export interface ReviewAnswer {
  apiVersion: typeof API_VERSION;
  kind: 'AdmissionReview';
  response: AdmissionResponse;
}

const answer = (response: AdmissionResponse): ReviewAnswer => ({
  apiVersion: API_VERSION,
  kind: 'AdmissionReview',
  response,
});

/** The API server asks that no warning be longer than this many characters, and cuts them off at 4096 altogether. */
const LONGEST_WARNING = 256;
export const MAX_WARNINGS = 12;

const shortened = (text: string) => (text.length <= LONGEST_WARNING ? text : `${text.slice(0, LONGEST_WARNING - 1)}…`);

export const allow = (request: AdmissionRequest, warnings: readonly string[] = []): ReviewAnswer =>
  answer({
    uid: request.uid,
    allowed: true,
    ...(warnings.length === 0 ? {} : { warnings: warnings.slice(0, MAX_WARNINGS).map(shortened) }),
  });

export const patch = (request: AdmissionRequest, operations: readonly AddOperation[]): ReviewAnswer =>
  answer({
    uid: request.uid,
    allowed: true,
    ...(operations.length === 0
      ? {}
      : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') }),
  });

/** With `generateName` there is no name yet; then the object is spoken of by that. */
function nameOf({ name, object }: AdmissionRequest): string {
  const metadata = z.looseObject({ name: z.string().optional(), generateName: z.string().optional() });
  const parsed = metadata.safeParse(object?.metadata);
  const known = parsed.success ? (parsed.data.name ?? parsed.data.generateName) : undefined;
  return name === undefined || name === '' ? (known ?? '') : name;
}

/** Who has made more mistakes than this will ask again anyway. */
const MOST_FAULTS = 40;

/** In the API server's own form; `kubectl` prints the causes as a list. */
export function deny(request: AdmissionRequest, all: readonly Fault[]): ReviewAnswer {
  const { group, kind } = request.kind;
  const name = nameOf(request);
  const faults = all.slice(0, MOST_FAULTS);
  const untold = all.length - faults.length;
  const texts = [...faults.map(faultText), ...(untold > 0 ? [`and ${untold} more`] : [])];
  const said = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const causes = faults.map(fault => ({
    reason: REASONS[fault.what],
    message: bodyText(fault),
    field: pathText(fault.path),
  }));
  return answer({
    uid: request.uid,
    allowed: false,
    status: {
      status: 'Failure',
      code: 422,
      reason: 'Invalid',
      message: `${kind}.${group} "${name}" is invalid: ${said}`,
      details: { name, group, kind, causes },
    },
  });
}
