import type { Name, OwnerReference, Resource, Stored } from './kube.js';

type Owner = Pick<Stored, 'metadata'>;

const groupVersion = ({ group, version }: Resource) => (group === '' ? version : `${group}/${version}`);

/** What a child says of its owner: garbage-collected with it, and nobody else's. */
export const controllerReference = (resource: Resource, { metadata }: Owner): OwnerReference => ({
  apiVersion: groupVersion(resource),
  kind: resource.kind,
  name: metadata.name,
  uid: metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

/** The one owner that looks after a child. */
export const controllerOf = ({ metadata }: Owner): OwnerReference | undefined =>
  metadata.ownerReferences?.find(owner => owner.controller === true);

/** Does this very object (not another of the same name) look after the child? */
export const isControlledBy = (child: Owner, owner: Owner): boolean => controllerOf(child)?.uid === owner.metadata.uid;

/** Where the owner of that type is found, when the child has one: in the child's namespace, or nowhere in particular. Any version of the type will do. */
export function ownerNameOf(resource: Resource, child: Owner): Name | undefined {
  const owner = controllerOf(child);
  const group = owner?.apiVersion.includes('/') ? owner.apiVersion.split('/')[0] : '';
  if (!owner || owner.kind !== resource.kind || group !== resource.group) return undefined;
  return resource.namespaced ? { namespace: child.metadata.namespace, name: owner.name } : { name: owner.name };
}
