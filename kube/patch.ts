/** Patches that contain only what changed, so that concurrent changes to other fields survive. */
import type { Kube, Name, Resource, Stored } from './kube.js';
import { mergeDiff } from './merge-patch.js';
import { withCutMessages } from './status-texts.js';

/** The field manager of server-side apply, as it appears in managedFields. */
export const FIELD_OWNER = 'kairos-operator';

export interface Precondition {
  /** The API server answers with a conflict when the object was modified since it was read. */
  onlyIfUnchanged?: boolean;
}

/** Adds uid and resource version as preconditions: a conflict when the object was replaced or modified. */
export const withResourceVersion = (patch: object, { metadata }: Stored): object => {
  const own = 'metadata' in patch && typeof patch.metadata === 'object' ? patch.metadata : {};
  return { ...patch, metadata: { ...own, uid: metadata.uid, resourceVersion: metadata.resourceVersion } };
};

const nameOf = ({ metadata: { namespace, name } }: Stored): Name =>
  namespace === undefined ? { name } : { namespace, name };

/** Adds the uid as precondition, so that a new object of the same name is never patched by mistake. */
const withUid = (patch: object, { metadata }: Stored): object => {
  const own = 'metadata' in patch && typeof patch.metadata === 'object' ? patch.metadata : {};
  return { ...patch, metadata: { ...own, uid: metadata.uid } };
};

const withPrecondition = (patch: object, object: Stored, { onlyIfUnchanged = false }: Precondition) =>
  onlyIfUnchanged ? withResourceVersion(patch, object) : withUid(patch, object);

/**
 * Patches the status with the difference between the object's status and `status`; sends nothing when they are equal.
 * Conditional on the resource version by default: for status patches of custom resources the API server ignores the uid.
 */
export async function mergeStatus<T extends Stored & { status?: object }>(
  kube: Pick<Kube, 'patch'>,
  resource: Resource,
  object: T,
  { status, onlyIfUnchanged = true }: Precondition & { status: NonNullable<T['status']> },
): Promise<T> {
  const patch = mergeDiff({ status: object.status }, { status: withCutMessages(status) });
  if (!patch) return object;
  return kube.patch<T>(resource, nameOf(object), withPrecondition(patch, object, { onlyIfUnchanged }), {
    type: 'merge',
    subresource: 'status',
  });
}

/**
 * Patches `from` with its difference to `to`; sends nothing when they are equal. A merge patch replaces whole lists: set
 * `onlyIfUnchanged` when a list changes.
 */
export async function mergeChange<T extends Stored>(
  kube: Pick<Kube, 'patch'>,
  resource: Resource,
  from: T,
  { to, ...precondition }: Precondition & { to: T },
): Promise<T> {
  const patch = mergeDiff(from, to);
  return patch
    ? kube.patch<T>(resource, nameOf(from), withPrecondition(patch, from, precondition), { type: 'merge' })
    : from;
}

/** Server-side apply with force: takes ownership of the fields in `body`, and removes fields that the same owner applied before and omits now. */
export function applyPatch<T extends Stored>(
  kube: Pick<Kube, 'patch'>,
  resource: Resource,
  at: Name,
  { body, owner = FIELD_OWNER, subresource }: { body: object; owner?: string; subresource?: 'status' },
): Promise<T> {
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  const own = 'metadata' in body && typeof body.metadata === 'object' ? body.metadata : {};
  const whole = { ...body, apiVersion, kind: resource.kind, metadata: { ...own, ...at } };
  return kube.patch<T>(resource, at, whole, { type: 'apply', fieldManager: owner, force: true, subresource });
}
