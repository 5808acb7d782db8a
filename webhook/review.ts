/** AdmissionReview of admission.k8s.io/v1: the request, and the possible answers. */
import * as z from 'zod';
import { cut, cutName } from '../api/cut.js';
import { ANNOTATIONS } from '../api/names.js';
import type { AddOperation } from './defaults.js';
import { bodyText, type Fault, faultText, MAX_FOUND, pathText, REASONS } from './faults.js';
import { type Fields, fieldsOf, textOf } from './unknown-json.js';

/** The annotation in which `kubectl apply` stores the object as the user wrote it, before the API server dropped unknown fields. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const MAX_UID_LENGTH = 128;
const GroupVersionKind = z.object({ group: z.string(), version: z.string(), kind: z.string() });

/** What reviews read of an object beside its spec. */
const METADATA = ['name', 'generateName', 'creationTimestamp', 'deletionTimestamp', 'annotations'];
const READ_ANNOTATIONS = [LAST_APPLIED, ANNOTATIONS.started];
const STATUS = ['phase', 'startedAt'];

const picked = (value: unknown, names: readonly string[]): Fields =>
  Object.fromEntries(
    names.filter(name => Object.hasOwn(fieldsOf(value), name)).map(name => [name, fieldsOf(value)[name]]),
  );

/** Without what is not read, such as the status of 5,000 nodes: a review that waits for the API server must not hold it in memory. */
function slim(object: Fields): Record<string, unknown> {
  const metadata = picked(object.metadata, METADATA);
  const annotations = picked(metadata.annotations, READ_ANNOTATIONS);
  return { spec: object.spec, metadata: { ...metadata, annotations }, status: picked(object.status, STATUS) };
}

const AnyObject = z.record(z.string(), z.unknown()).transform(slim);

const Request = z.object({
  /** Repeated in the answer; a UUID when the API server asks. */
  uid: z.string().min(1).max(MAX_UID_LENGTH),
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

/** Allows the object, with warnings for the user. */
export const allow = (request: AdmissionRequest, warnings: readonly string[] = []): ReviewAnswer =>
  answer({
    uid: request.uid,
    allowed: true,
    ...(warnings.length === 0
      ? {}
      : { warnings: warnings.slice(0, MAX_WARNINGS).map(text => cut(text, MAX_WARNING_LENGTH)) }),
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
  const { name: given, generateName } = fieldsOf(object?.metadata);
  return cutName(name === undefined || name === '' ? (textOf(given) ?? textOf(generateName) ?? '') : name);
}

/** How many faults are reported; the rest are counted. */
const MAX_FAULTS = 40;

/** Rejects the object in the format of the API server; `kubectl` prints the causes as a list. */
export function deny(request: AdmissionRequest, allFaults: readonly Fault[]): ReviewAnswer {
  const [group, kind, name] = [cutName(request.kind.group), cutName(request.kind.kind), nameOf(request)];
  const faults = allFaults.slice(0, MAX_FAULTS);
  const omitted = allFaults.length - faults.length;
  const number = allFaults.length < MAX_FOUND ? String(omitted) : `at least ${omitted}`;
  const texts = [...faults.map(faultText), ...(omitted > 0 ? [`and ${number} more`] : [])];
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
