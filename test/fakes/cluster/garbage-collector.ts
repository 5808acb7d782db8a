/** The garbage collector: deletes objects whose owners were all deleted, and Pods of deleted nodes. */
import type { Resource, Stored } from '../../../kube/kube.js';
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { JOBS, NODES, PODS } from '../../../kube/resources.js';
import { controlLoop } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import type { PodObject } from './object-types.js';

const WITH_OWNERS: readonly Resource[] = [NODE_OP, NODE_AGENT, JOBS, PODS];

export function runGarbageCollector(api: FakeApiServer): void {
  const deleted = new Set<string>();
  const collector = controlLoop(api.clock, 200, () => {
    for (const resource of WITH_OWNERS)
      for (const object of api.all(resource)) if (isOrphan(object, deleted)) api.delete(resource, nameOf(object));
    for (const pod of api.all<PodObject>(PODS))
      if (pod.spec.nodeName !== undefined && !api.find(NODES, { name: pod.spec.nodeName }))
        api.forceRemove(PODS, nameOf(pod));
    return undefined;
  });
  api.onChange((_plural, { type, object }) => {
    if (type === 'DELETED') deleted.add(object.metadata.uid);
    /* An object can also be created after its owner was deleted. */
    if (type !== 'MODIFIED') collector.trigger();
  });
}

const nameOf = ({ metadata: { name, namespace } }: Stored) => ({ name, namespace });

const isOrphan = ({ metadata: { ownerReferences = [], deletionTimestamp } }: Stored, deleted: ReadonlySet<string>) =>
  deletionTimestamp === undefined &&
  ownerReferences.length > 0 &&
  ownerReferences.every(owner => deleted.has(owner.uid));
