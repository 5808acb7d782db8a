/** A namespace that is deleted: nothing is made in it any more, and whatever is there is deleted until nothing is. */
import type { Resource, Stored } from '../../../kube/kube.js';
import { NODE_OP, NODE_OP_UPGRADE } from '../../../api/kinds.js';
import { JOBS, PDBS, PODS } from '../../../kube/resources.js';
import type { FakeApiServer } from './api-server.js';
import { REPLICA_SETS } from './workload-controllers.js';

const KINDS: readonly Resource[] = [REPLICA_SETS, PDBS, NODE_OP_UPGRADE, NODE_OP, JOBS, PODS];
const AGAIN_MS = 5_000;

/** Names of what is still in it. */
export const namespaceContents = (api: FakeApiServer, namespace: string): string[] =>
  KINDS.flatMap(kind => inside(api, kind, namespace).map(({ metadata }) => `${kind.plural}/${metadata.name}`));

const inside = (api: FakeApiServer, kind: Resource, namespace: string): Stored[] =>
  api.all(kind).filter(({ metadata }) => metadata.namespace === namespace);

export function deleteNamespace(api: FakeApiServer, namespace: string): void {
  api.terminatingNamespaces.add(namespace);
  for (const kind of KINDS)
    for (const { metadata } of inside(api, kind, namespace))
      if (metadata.deletionTimestamp === undefined && api.find(kind, { name: metadata.name, namespace }))
        api.delete(kind, { name: metadata.name, namespace });
  if (namespaceContents(api, namespace).length > 0)
    api.clock.callAfter(AGAIN_MS, () => deleteNamespace(api, namespace));
}
