/** What belongs to an OSArtifact. The Go operator named it as an owner, and not as the controller. */
import { OS_ARTIFACT } from '../../api/kinds.js';
import type { Name, OwnerReference, Stored } from '../../kube/kube.js';
import { controllerOf } from '../../kube/owner.js';

type Child = Pick<Stored, 'metadata'>;

const isArtifact = ({ kind, apiVersion }: OwnerReference): boolean =>
  kind === OS_ARTIFACT.kind && apiVersion.startsWith(`${OS_ARTIFACT.group}/`);

/** Whoever else looks after it has it. */
function artifactOf(child: Child): OwnerReference | undefined {
  const owner = controllerOf(child) ?? child.metadata.ownerReferences?.find(isArtifact);
  return owner && isArtifact(owner) ? owner : undefined;
}

/** Was it made for this very object, and not for an earlier one of that name? */
export const isOwnOf = (child: Child, { metadata }: Child): boolean => artifactOf(child)?.uid === metadata.uid;

/** The object it was made for, which may be gone. */
export function artifactNameOf(child: Child): Name | undefined {
  const owner = artifactOf(child);
  return owner && { namespace: child.metadata.namespace, name: owner.name };
}
