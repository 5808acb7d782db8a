/** Which objects belong to an OSArtifact. The Go operator set itself as an owner, but not as the controller. */
import { OS_ARTIFACT } from '../../api/kinds.js';
import type { Name, OwnerReference, Stored } from '../../kube/kube.js';
import { controllerOf } from '../../kube/owner.js';

type Child = Pick<Stored, 'metadata'>;

const isArtifact = ({ kind, apiVersion }: OwnerReference): boolean =>
  kind === OS_ARTIFACT.kind && apiVersion.startsWith(`${OS_ARTIFACT.group}/`);

/** An object with another controller belongs to that one, whatever its further owners. */
function owningArtifact(child: Child): OwnerReference | undefined {
  const owner = controllerOf(child) ?? child.metadata.ownerReferences?.find(isArtifact);
  return owner && isArtifact(owner) ? owner : undefined;
}

/** Whether an object was created for this OSArtifact, and not for a deleted one of the same name. */
export const isOwnOf = (child: Child, { metadata }: Child): boolean =>
  owningArtifact(child)?.uid === metadata.uid && child.metadata.namespace === metadata.namespace;

/** The name of the OSArtifact that an object was created for. That one may be deleted. */
export function artifactNameOf(child: Child): Name | undefined {
  const owner = owningArtifact(child);
  return owner && { namespace: child.metadata.namespace, name: owner.name };
}
