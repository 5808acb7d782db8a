/** The few ways in which we change what is stored: always the least, never a whole object read before. */
import type { Kube, Name, Resource, Stored } from './kube.js';
import { mergeDiff } from './merge-patch.js';

/** The name we go by in managedFields, where fields are owned by apply. */
export const FIELD_OWNER = 'kairos-operator';

export interface Precondition {
  /** Refuse with a conflict when somebody wrote since this object was read. */
  onlyIfUnchanged?: boolean;
}

/** A patch with these is refused when the object is another, or has changed. */
export const withResourceVersion = (patch: object, { metadata }: Stored): object => {
  const own = 'metadata' in patch && typeof patch.metadata === 'object' ? patch.metadata : {};
  return { ...patch, metadata: { ...own, uid: metadata.uid, resourceVersion: metadata.resourceVersion } };
};

const nameOf = ({ metadata: { namespace, name } }: Stored): Name =>
  namespace === undefined ? { name } : { namespace, name };

/** A successor of the same name must never get what was meant for this object. */
const withUid = (patch: object, { metadata }: Stored): object => {
  const own = 'metadata' in patch && typeof patch.metadata === 'object' ? patch.metadata : {};
  return { ...patch, metadata: { ...own, uid: metadata.uid } };
};

const guarded = (patch: object, object: Stored, { onlyIfUnchanged = false }: Precondition) =>
  onlyIfUnchanged ? withResourceVersion(patch, object) : withUid(patch, object);

/**
 * Makes the stored status this one, sending only what differs from the object's; sends nothing when nothing does.
 * Guarded unless told otherwise: of a custom resource's status patch the server heeds the version, but not the uid.
 */
export async function mergeStatus<T extends Stored & { status?: object }>(
  kube: Pick<Kube, 'patch'>,
  resource: Resource,
  object: T,
  { status, onlyIfUnchanged = true }: Precondition & { status: NonNullable<T['status']> },
): Promise<T> {
  const patch = mergeDiff({ status: object.status }, { status });
  if (!patch) return object;
  return kube.patch<T>(resource, nameOf(object), guarded(patch, object, { onlyIfUnchanged }), {
    type: 'merge',
    subresource: 'status',
  });
}

/** Makes `from` into `to`, which is `from` with changes, sending only the changes. Lists are replaced whole: guard those. */
export async function mergeChange<T extends Stored>(
  kube: Pick<Kube, 'patch'>,
  resource: Resource,
  from: T,
  { to, ...wish }: Precondition & { to: T },
): Promise<T> {
  const patch = mergeDiff(from, to);
  return patch ? kube.patch<T>(resource, nameOf(from), guarded(patch, from, wish), { type: 'merge' }) : from;
}

/** Server-side apply: we own exactly these fields, whoever held them before; fields we applied earlier and leave out now are dropped. */
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
