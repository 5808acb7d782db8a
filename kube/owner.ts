import type { Name, OwnerReference, Resource, Stored } from './kube.js';

type Owner = Pick<Stored, 'metadata'>;

const groupVersion = ({ group, version }: Resource) => (group === '' ? version : `${group}/${version}`);

/** The controller reference of a child: it is garbage-collected with its owner, and no other controller may manage it. */
export const controllerReference = (resource: Resource, { metadata }: Owner): OwnerReference => ({
  apiVersion: groupVersion(resource),
  kind: resource.kind,
  name: metadata.name,
  uid: metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

/** The owner reference of the controller that manages a child, if any. */
export const controllerOf = ({ metadata }: Owner): OwnerReference | undefined =>
  metadata.ownerReferences?.find(owner => owner.controller === true);

/** An owner is cluster-scoped or in the namespace of its child. The API server stores references to other namespaces as well. */
const mayOwn = (owner: Owner, child: Owner): boolean =>
  owner.metadata.namespace === undefined || owner.metadata.namespace === child.metadata.namespace;

/** Whether this object, identified by its namespace and uid, is the controller of the child. */
export const isControlledBy = (child: Owner, owner: Owner): boolean =>
  controllerOf(child)?.uid === owner.metadata.uid && mayOwn(owner, child);

/** Name of the controlling owner of that resource type, if the child has one; the owner is in the child's namespace. Ignores the API version. */
export function ownerNameOf(resource: Resource, child: Owner): Name | undefined {
  const owner = controllerOf(child);
  const group = owner?.apiVersion.includes('/') ? owner.apiVersion.split('/')[0] : '';
  if (!owner || owner.kind !== resource.kind || group !== resource.group) return undefined;
  return resource.namespaced ? { namespace: child.metadata.namespace, name: owner.name } : { name: owner.name };
}
