/** What belongs to an object that is gone goes as well; so do Pods of nodes that are gone. */
import type { Resource, Stored } from '../../../kube/kube.js';
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { JOBS, NODES, PODS } from '../../../kube/resources.js';
import { controlLoop } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import type { PodObject } from './object-types.js';

const WITH_OWNERS: readonly Resource[] = [NODE_OP, NODE_AGENT, JOBS, PODS];

export function runGarbageCollector(api: FakeApiServer): void {
  const gone = new Set<string>();
  const collector = controlLoop(api.clock, 200, () => {
    for (const resource of WITH_OWNERS)
      for (const object of api.all(resource)) if (isOrphan(object, gone)) api.delete(resource, nameOf(object));
    for (const pod of api.all<PodObject>(PODS))
      if (pod.spec.nodeName !== undefined && !api.find(NODES, { name: pod.spec.nodeName }))
        api.forceRemove(PODS, nameOf(pod));
    return undefined;
  });
  api.onChange((_plural, { type, object }) => {
    if (type === 'DELETED') gone.add(object.metadata.uid);
    /* Also what is made only after its owner went. */
    if (type !== 'MODIFIED') collector.trigger();
  });
}

const nameOf = ({ metadata: { name, namespace } }: Stored) => ({ name, namespace });

const isOrphan = ({ metadata: { ownerReferences = [], deletionTimestamp } }: Stored, gone: ReadonlySet<string>) =>
  deletionTimestamp === undefined && ownerReferences.length > 0 && ownerReferences.every(owner => gone.has(owner.uid));
