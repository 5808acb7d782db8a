import { describe, expect, test } from '@jest/globals';
import type { NodeStatus } from '../../../../api/node-status.js';
import { hasWaitDeadline, waitTimeout } from '../../../../controller/nodeop/status/wait-deadlines.js';
import { facts, secondsAgo } from '../../../builders.js';

type Reason = NonNullable<NodeStatus['reason']>;

/** Of a node that waits for this reason, and whose entry has had the reason `before` for so many seconds. */
const timeoutOf = (
  reason: Reason,
  seconds: number | undefined,
  { before = reason, unready }: { before?: Reason; unready?: string } = {},
) =>
  waitTimeout(facts({ startDeadlineSeconds: 60 }), {
    waiting: { reason, message: 'the wait', unready },
    before: {
      phase: 'Pending',
      reason: before,
      ...(seconds === undefined ? {} : { lastUpdated: secondsAgo(seconds) }),
    },
  });

describe('A node that waits to start', () => {
  test.each<[string, ReturnType<typeof timeoutOf>, unknown]>([
    [
      'fails when it was not Ready for so long',
      timeoutOf('NodeNotReady', 60),
      'NodeNotReady: the node was not Ready within 60 s',
    ],
    [
      'fails without a NodeAgent',
      timeoutOf('WaitingForAgent', 60),
      'AgentNotAnswering: the node had no NodeAgent within 60 s',
    ],
    [
      'fails when another control plane stays NotReady',
      timeoutOf('ControlPlaneNotReady', 60),
      'ControlPlaneNotReady: another control plane was not Ready within 60 s',
    ],
    [
      'fails when a static pod of another control plane stays unready',
      timeoutOf('ControlPlaneNotReady', 60, { unready: 'static pod kube-system/etcd-y of control plane y' }),
      'ControlPlaneNotReady: static pod kube-system/etcd-y of control plane y was not Ready within 60 s',
    ],
    ['fails when its Pod is refused for so long', timeoutOf('PodRefused', 60), 'PodRefused: for 60 s, the wait'],
    ['waits on before the deadline', timeoutOf('NodeNotReady', 59), undefined],
    [
      'waits on when it waited for something else before',
      timeoutOf('NodeNotReady', 60, { before: 'WaitingForTurn' }),
      undefined,
    ],
    ['waits on when the status has no time yet', timeoutOf('NodeNotReady', undefined), undefined],
    ['waits for its turn without a deadline', timeoutOf('WaitingForTurn', 9999), undefined],
  ])('%s', (_sentence, timeout, expected) => expect(timeout && `${timeout.reason}: ${timeout.message}`).toBe(expected));

  test.each<[Reason | undefined, boolean]>([
    ['NodeNotReady', true],
    ['WaitingForTurn', false],
    [undefined, false],
  ])('with reason %s has a deadline: %s', (reason, expected) => expect(hasWaitDeadline(reason)).toBe(expected));
});
