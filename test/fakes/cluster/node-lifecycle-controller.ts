/** The node lifecycle controller: a machine that is not heard of is Unknown after 40 s, and its Pods are told to go after another 300 s. */
import { NODES, PODS } from '../../../kube/resources.js';
import { controlLoop, type ControlLoop } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import { isFinished, type NodeObject, type PodObject, withCondition } from './object-types.js';
import type { Machine } from './machine.js';

const SILENT_MS = 40_000;
const TOLERATED_MS = 300_000;

/** Poke it when a machine went down. */
export function runNodeLifecycleController(api: FakeApiServer, machines: ReadonlyMap<string, Machine>): ControlLoop {
  return controlLoop(api.clock, SILENT_MS, () => {
    let next: number | undefined;
    for (const { up, upOrDownSince, name } of machines.values()) {
      const silent = api.clock.monotonic() - upOrDownSince;
      if (up) continue;
      if (silent >= SILENT_MS) markUnknown(api, name);
      if (silent >= SILENT_MS + TOLERATED_MS) deletePodsOn(api, name);
      else next = Math.min(next ?? TOLERATED_MS, (silent < SILENT_MS ? SILENT_MS : SILENT_MS + TOLERATED_MS) - silent);
    }
    return next;
  });
}

function markUnknown(api: FakeApiServer, name: string): void {
  const unknown = { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' };
  api.modify<NodeObject>(NODES, { name }, node => ({
    ...node,
    status: { ...node.status, conditions: withCondition(node.status.conditions, unknown, api.clock.now()) },
  }));
}

const tolerates = ({ spec }: PodObject) => spec.tolerations?.some(({ operator }) => operator === 'Exists') ?? false;

function deletePodsOn(api: FakeApiServer, node: string): void {
  for (const pod of api.all<PodObject>(PODS))
    if (pod.spec.nodeName === node && !tolerates(pod) && !isFinished(pod))
      api.delete(PODS, { name: pod.metadata.name, namespace: pod.metadata.namespace });
}
