/** What belongs to an object that is gone goes as well; so do Pods of nodes that are gone. */
import type { Resource, Stored } from '../../../kube/kube.js';
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { JOBS, NODES, PODS } from '../../../kube/resources.js';
import { actor } from './actor.js';
import type { Api } from './api.js';
import type { PodObject } from './kinds.js';

const WITH_OWNERS: readonly Resource[] = [NODE_OP, NODE_AGENT, JOBS, PODS];

export function collectGarbage(api: Api): void {
  const gone = new Set<string>();
  const collector = actor(api.clock, 200, () => {
    for (const resource of WITH_OWNERS)
      for (const object of api.all(resource)) if (isOrphan(object, gone)) api.delete(resource, nameOf(object));
    for (const pod of api.all<PodObject>(PODS))
      if (pod.spec.nodeName !== undefined && !api.find(NODES, { name: pod.spec.nodeName })) api.drop(PODS, nameOf(pod));
    return undefined;
  });
  api.onChange((_plural, { type, object }) => {
    if (type === 'DELETED') gone.add(object.metadata.uid);
    /* Also what is made only after its owner went. */
    if (type !== 'MODIFIED') collector.poke();
  });
}

const nameOf = ({ metadata: { name, namespace } }: Stored) => ({ name, namespace });

const isOrphan = ({ metadata: { ownerReferences = [], deletionTimestamp } }: Stored, gone: ReadonlySet<string>) =>
  deletionTimestamp === undefined && ownerReferences.length > 0 && ownerReferences.every(owner => gone.has(owner.uid));
