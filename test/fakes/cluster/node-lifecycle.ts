/** The node lifecycle controller: a machine that is not heard of is Unknown after 40 s, and its Pods are told to go after another 300 s. */
import { NODES, PODS } from '../../../kube/resources.js';
import { actor } from './actor.js';
import type { Api } from './api.js';
import { isOver, type NodeObject, type PodObject, withCondition } from './kinds.js';
import type { Machine } from './machine.js';

const SILENT_MS = 40_000;
const TOLERATED_MS = 300_000;

/** Poke it when a machine went down. */
export function watchNodes(api: Api, machines: ReadonlyMap<string, Machine>): { poke(): void } {
  return actor(api.clock, SILENT_MS, () => {
    let next: number | undefined;
    for (const { up, since, name } of machines.values()) {
      const silent = api.clock.monotonic() - since;
      if (up) continue;
      if (silent >= SILENT_MS) tellUnknown(api, name);
      if (silent >= SILENT_MS + TOLERATED_MS) evictFrom(api, name);
      else next = Math.min(next ?? TOLERATED_MS, (silent < SILENT_MS ? SILENT_MS : SILENT_MS + TOLERATED_MS) - silent);
    }
    return next;
  });
}

function tellUnknown(api: Api, name: string): void {
  const unknown = { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' };
  api.change<NodeObject>(NODES, { name }, node => ({
    ...node,
    status: { ...node.status, conditions: withCondition(node.status.conditions, unknown, api.clock.now()) },
  }));
}

const tolerates = ({ spec }: PodObject) => spec.tolerations?.some(({ operator }) => operator === 'Exists') ?? false;

function evictFrom(api: Api, node: string): void {
  for (const pod of api.all<PodObject>(PODS))
    if (pod.spec.nodeName === node && !tolerates(pod) && !isOver(pod))
      api.delete(PODS, { name: pod.metadata.name, namespace: pod.metadata.namespace });
}
