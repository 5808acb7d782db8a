/** The garbage collector: deletes objects whose owners were all deleted, and Pods of deleted nodes. */
import type { Resource, Stored } from '../../../kube/kube.js';
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { JOBS, NODES, PODS } from '../../../kube/resources.js';
import { controlLoop, shorterDelay } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import type { PodObject } from './object-types.js';

const WITH_OWNERS: readonly Resource[] = [NODE_OP, NODE_AGENT, JOBS, PODS];

/** How long the Pods of a deleted Node are left alone: it may be registered again. */
export const POD_GC_MS = 40_000;

export function runGarbageCollector(api: FakeApiServer): void {
  const deleted = new Set<string>();
  const strandedSince = new Map<string, number>();
  const collector = controlLoop(api.clock, 200, () => {
    for (const resource of WITH_OWNERS)
      for (const object of api.all(resource)) if (isOrphan(object, deleted)) api.delete(resource, nameOf(object));
    return removeStrandedPods(api, strandedSince);
  });
  api.onChange((_plural, { type, object }) => {
    if (type === 'DELETED') deleted.add(object.metadata.uid);
    /* An object can also be created after its owner was deleted. */
    if (type !== 'MODIFIED') collector.trigger();
  });
}

/** Removes the Pods of deleted Nodes; returns the milliseconds until the next one is due. */
function removeStrandedPods(api: FakeApiServer, since: Map<string, number>): number | undefined {
  const now = api.clock.monotonic();
  let next: number | undefined;
  for (const pod of api.all<PodObject>(PODS)) {
    const { uid } = pod.metadata;
    if (pod.spec.nodeName === undefined || api.find(NODES, { name: pod.spec.nodeName })) {
      since.delete(uid);
      continue;
    }
    const due = (since.get(uid) ?? now) + POD_GC_MS;
    since.set(uid, due - POD_GC_MS);
    if (due <= now) api.forceRemove(PODS, nameOf(pod));
    else next = shorterDelay(next, due - now);
  }
  return next;
}

const nameOf = ({ metadata: { name, namespace } }: Stored) => ({ name, namespace });

const isOrphan = ({ metadata: { ownerReferences = [], deletionTimestamp } }: Stored, deleted: ReadonlySet<string>) =>
  deletionTimestamp === undefined &&
  ownerReferences.length > 0 &&
  ownerReferences.every(owner => deleted.has(owner.uid));
