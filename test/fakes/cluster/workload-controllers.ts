/** The ReplicaSet and DaemonSet controllers together with the loop: missing Pods are created already bound to a node. */
import { controllerReference } from '../../../kube/owner.js';
import type { Resource } from '../../../kube/kube.js';
import { DAEMONSETS, NODES, PODS } from '../../../kube/resources.js';
import { controlLoop } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import { selectsNode, toleratesTaints } from './node-fit.js';
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
      for (const node of nodes) {
        const there = own.filter(pod => pod.spec.nodeName === node.metadata.name);
        const wanted = wantsNode(set, node);
        if (wanted.toRun && there.length === 0) create(DAEMONSETS, set, node.metadata.name);
        if (!wanted.toStay) for (const pod of there) removePod(api, pod);
      }
    }
    for (const set of api.all<ReplicaSetObject>(REPLICA_SETS)) replicate(set, alive, nodes);
    return undefined;
  });
  const replicate = (set: ReplicaSetObject, alive: readonly PodObject[], nodes: readonly NodeObject[]) => {
    const own = alive.filter(pod => controllerUid(pod) === set.metadata.uid && !pod.metadata.deletionTimestamp);
    const podNodes = own.map(pod => pod.spec.nodeName ?? '');
    for (let missing = set.spec.replicas - own.length; missing > 0; missing -= 1) {
      const place =
        set.spec.template.spec.nodeName ??
        leastLoaded(
          nodes.filter(node => hasRoom(node, alive) && toleratesTaints(set.spec.template.spec, node)),
          podNodes,
        );
      if (place === undefined) return;
      podNodes.push(place);
      create(REPLICA_SETS, set, place);
    }
  };
  const watched = new Set([PODS.plural, NODES.plural, DAEMONSETS.plural, REPLICA_SETS.plural]);
  api.onChange(plural => watched.has(plural) && loop.trigger());
}

const hasRoom = ({ metadata, status }: NodeObject, alive: readonly PodObject[]): boolean =>
  alive.filter(pod => pod.spec.nodeName === metadata.name).length < Number(status.allocatable?.pods ?? Infinity);

/** A Pod that runs stays when a taint NoSchedule comes, and is deleted when the selector no longer matches. */
function wantsNode({ spec: { template } }: DaemonSetObject, node: NodeObject): { toRun: boolean; toStay: boolean } {
  const { taints = [] } = node.spec;
  const evicting = { ...node, spec: { ...node.spec, taints: taints.filter(({ effect }) => effect === 'NoExecute') } };
  const isSelected = selectsNode(template.spec, node);
  return {
    toRun: isSelected && toleratesTaints(template.spec, node),
    toStay: isSelected && toleratesTaints(template.spec, evicting),
  };
}

function removePod(api: FakeApiServer, { metadata: { name, namespace, deletionTimestamp } }: PodObject): void {
  if (deletionTimestamp === undefined) api.delete(PODS, { name, namespace });
}

/** The Ready and schedulable node with the fewest of these Pods. */
function leastLoaded(nodes: readonly NodeObject[], podNodes: readonly string[]): string | undefined {
  const load = (name: string) => podNodes.filter(place => place === name).length;
  return nodes
    .filter(node => isNodeReady(node) && node.spec.unschedulable !== true)
    .map(node => node.metadata.name)
    .toSorted((a, b) => load(a) - load(b) || (a < b ? -1 : 1))[0];
}
