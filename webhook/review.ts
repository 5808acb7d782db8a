/** AdmissionReview of admission.k8s.io/v1: the request, and the possible answers. */
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

/** The `Status` with which the API server rejects an invalid object. */
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

/** Longest warning that the API server recommends; it truncates all warnings of a response at 4096 characters in total. */
const MAX_WARNING_LENGTH = 256;
export const MAX_WARNINGS = 12;

const shortened = (text: string) =>
  text.length <= MAX_WARNING_LENGTH ? text : `${text.slice(0, MAX_WARNING_LENGTH - 1)}…`;

/** Allows the object, with warnings for the user. */
export const allow = (request: AdmissionRequest, warnings: readonly string[] = []): ReviewAnswer =>
  answer({
    uid: request.uid,
    allowed: true,
    ...(warnings.length === 0 ? {} : { warnings: warnings.slice(0, MAX_WARNINGS).map(shortened) }),
  });

/** Allows the object and adds to it; without operations it is stored as it was sent. */
export const patch = (request: AdmissionRequest, operations: readonly AddOperation[]): ReviewAnswer =>
  answer({
    uid: request.uid,
    allowed: true,
    ...(operations.length === 0
      ? {}
      : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') }),
  });

/** The name of the object; its `generateName` when it has no name yet. */
function nameOf({ name, object }: AdmissionRequest): string {
  const metadata = z.looseObject({ name: z.string().optional(), generateName: z.string().optional() });
  const parsed = metadata.safeParse(object?.metadata);
  const known = parsed.success ? (parsed.data.name ?? parsed.data.generateName) : undefined;
  return name === undefined || name === '' ? (known ?? '') : name;
}

/** How many faults are reported; the rest are counted. */
const MAX_FAULTS = 40;

/** Rejects the object in the format of the API server; `kubectl` prints the causes as a list. */
export function deny(request: AdmissionRequest, allFaults: readonly Fault[]): ReviewAnswer {
  const { group, kind } = request.kind;
  const name = nameOf(request);
  const faults = allFaults.slice(0, MAX_FAULTS);
  const omitted = allFaults.length - faults.length;
  const texts = [...faults.map(faultText), ...(omitted > 0 ? [`and ${omitted} more`] : [])];
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
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
      message: `${kind}.${group} "${name}" is invalid: ${list}`,
      details: { name, group, kind, causes },
    },
  });
}
