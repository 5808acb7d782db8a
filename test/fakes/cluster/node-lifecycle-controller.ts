/** The node lifecycle controller: 40 s after a machine went down its node's Ready condition is Unknown, and 300 s later its Pods are deleted. */
import { NODES, PODS } from '../../../kube/resources.js';
import { controlLoop, type ControlLoop } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import { isFinished, type NodeObject, type PodObject, withCondition } from './object-types.js';
import type { Machine } from './machine.js';

const GRACE_PERIOD_MS = 40_000;
const TOLERATION_MS = 300_000;

/** Must be triggered when a machine goes down. `now` is the wall clock of its own machine. */
export function runNodeLifecycleController(
  api: FakeApiServer,
  machines: ReadonlyMap<string, Machine>,
  now: () => Date,
): ControlLoop {
  return controlLoop(api.clock, GRACE_PERIOD_MS, () => {
    let next: number | undefined;
    for (const { up, upOrDownSince, name } of machines.values()) {
      const downMs = api.clock.monotonic() - upOrDownSince;
      if (up) continue;
      if (downMs >= GRACE_PERIOD_MS) markUnknown(api, name, now());
      if (downMs >= GRACE_PERIOD_MS + TOLERATION_MS) deletePodsOn(api, name);
      else
        next = Math.min(
          next ?? TOLERATION_MS,
          (downMs < GRACE_PERIOD_MS ? GRACE_PERIOD_MS : GRACE_PERIOD_MS + TOLERATION_MS) - downMs,
        );
    }
    return next;
  });
}

function markUnknown(api: FakeApiServer, name: string, now: Date): void {
  const unknown = { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' };
  api.modify<NodeObject>(NODES, { name }, node => ({
    ...node,
    status: { ...node.status, conditions: withCondition(node.status.conditions, unknown, now) },
  }));
}

const tolerates = ({ spec }: PodObject) => spec.tolerations?.some(({ operator }) => operator === 'Exists') ?? false;

function deletePodsOn(api: FakeApiServer, node: string): void {
  for (const pod of api.all<PodObject>(PODS))
    if (pod.spec.nodeName === node && !tolerates(pod) && !isFinished(pod))
      api.delete(
        PODS,
        { name: pod.metadata.name, namespace: pod.metadata.namespace },
        { disruption: { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' } },
      );
}
