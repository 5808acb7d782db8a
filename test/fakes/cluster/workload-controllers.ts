/** The ReplicaSet and DaemonSet controllers together with the loop: missing Pods are created already bound to a node. */
import { controllerReference } from '../../../kube/owner.js';
import type { Resource } from '../../../kube/kube.js';
import { DAEMONSETS, NODES, PODS } from '../../../kube/resources.js';
import { controlLoop } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import {
  controllerUid,
  type DaemonSetObject,
  isFinished,
  type NodeObject,
  isNodeReady,
  type PodObject,
  type ReplicaSetObject,
} from './object-types.js';

export const REPLICA_SETS: Resource = {
  group: 'apps',
  version: 'v1',
  plural: 'replicasets',
  kind: 'ReplicaSet',
  namespaced: true,
};

export function runWorkloadControllers(api: FakeApiServer): void {
  let created = 0;
  const create = (resource: Resource, owner: ReplicaSetObject | DaemonSetObject, nodeName: string) => {
    const { metadata, spec } = owner.spec.template;
    created += 1;
    api.put(PODS, {
      metadata: {
        ...metadata,
        name: `${owner.metadata.name}-${created}`,
        namespace: owner.metadata.namespace,
        ownerReferences: [controllerReference(resource, owner)],
      },
      spec: { ...spec, nodeName },
      status: { phase: 'Pending' },
    });
  };
  const loop = controlLoop(api.clock, 150, () => {
    const alive = api.all<PodObject>(PODS).filter(pod => !isFinished(pod));
    const nodes = api.all<NodeObject>(NODES);
    for (const set of api.all<DaemonSetObject>(DAEMONSETS)) {
      const own = alive.filter(pod => controllerUid(pod) === set.metadata.uid);
      for (const { metadata } of nodes)
        if (!own.some(pod => pod.spec.nodeName === metadata.name)) create(DAEMONSETS, set, metadata.name);
    }
    for (const set of api.all<ReplicaSetObject>(REPLICA_SETS)) replicate(set, alive, nodes);
    return undefined;
  });
  const replicate = (set: ReplicaSetObject, alive: readonly PodObject[], nodes: readonly NodeObject[]) => {
    const own = alive.filter(pod => controllerUid(pod) === set.metadata.uid && !pod.metadata.deletionTimestamp);
    const podNodes = own.map(pod => pod.spec.nodeName ?? '');
    for (let missing = set.spec.replicas - own.length; missing > 0; missing -= 1) {
      const place = set.spec.template.spec.nodeName ?? leastLoaded(nodes, podNodes);
      if (place === undefined) return;
      podNodes.push(place);
      create(REPLICA_SETS, set, place);
    }
  };
  const watched = new Set([PODS.plural, NODES.plural, DAEMONSETS.plural, REPLICA_SETS.plural]);
  api.onChange(plural => watched.has(plural) && loop.trigger());
}

/** The Ready and schedulable node with the fewest of these Pods. */
function leastLoaded(nodes: readonly NodeObject[], podNodes: readonly string[]): string | undefined {
  const load = (name: string) => podNodes.filter(place => place === name).length;
  return nodes
    .filter(node => isNodeReady(node) && node.spec.unschedulable !== true)
    .map(node => node.metadata.name)
    .toSorted((a, b) => load(a) - load(b) || (a < b ? -1 : 1))[0];
}
