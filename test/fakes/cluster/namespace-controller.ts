/** The namespace controller: in a terminating namespace nothing can be created, and its objects are deleted until it is empty. */
import type { Resource, Stored } from '../../../kube/kube.js';
import { NODE_OP, NODE_OP_UPGRADE } from '../../../api/kinds.js';
import { JOBS, PDBS, PODS } from '../../../kube/resources.js';
import type { FakeApiServer } from './api-server.js';
import { REPLICA_SETS } from './workload-controllers.js';

const KINDS: readonly Resource[] = [REPLICA_SETS, PDBS, NODE_OP_UPGRADE, NODE_OP, JOBS, PODS];
const RETRY_MS = 5_000;

/** The objects that are still in the namespace, as plural/name. */
export const namespaceContents = (api: FakeApiServer, namespace: string): string[] =>
  KINDS.flatMap(kind => objectsIn(api, kind, namespace).map(({ metadata }) => `${kind.plural}/${metadata.name}`));

const objectsIn = (api: FakeApiServer, kind: Resource, namespace: string): Stored[] =>
  api.all(kind).filter(({ metadata }) => metadata.namespace === namespace);

export function deleteNamespace(api: FakeApiServer, namespace: string): void {
  api.terminatingNamespaces.add(namespace);
  for (const kind of KINDS)
    for (const { metadata } of objectsIn(api, kind, namespace))
      if (metadata.deletionTimestamp === undefined && api.find(kind, { name: metadata.name, namespace }))
        api.delete(kind, { name: metadata.name, namespace });
  if (namespaceContents(api, namespace).length > 0)
    api.clock.callAfter(RETRY_MS, () => deleteNamespace(api, namespace));
}
