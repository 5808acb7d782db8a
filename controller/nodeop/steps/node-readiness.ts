/** How long a step waits for a node that is not Ready. Its Ready condition has times of another clock, so that the ledger has them. */
import type { Reason } from '../../../api/reasons.js';
import { after } from '../../../program/clock.js';
import { isNotReady } from '../../cluster/node.js';
import { act, type Facts, fail, type StepResult, wait } from '../facts/facts.js';

interface Texts {
  reason: Reason;
  message: string;
  /** While the node is Ready again, until that is recorded. */
  readyAgain: { reason: Reason; message: string };
}

/** Undefined while the node is Ready. `timeout` is the result after `seconds`. */
export function awaitReadyNode(
  { node, now, ledger }: Facts,
  seconds: number,
  timeout: () => StepResult,
  { readyAgain, ...waiting }: Texts,
): StepResult | undefined {
  const since = ledger?.notReadySince;
  if (!isNotReady(node))
    return since === undefined ? undefined : act({ do: 'record', change: { notReadySince: null } }, readyAgain);
  if (since === undefined)
    return act(
      { do: 'record', change: { notReadySince: now.toISOString() } },
      { ...waiting, until: after(now, seconds) },
    );
  const until = after(new Date(since), seconds);
  return now >= until ? timeout() : wait(waiting.reason, waiting.message, until);
}

/** A Job on a node that stays NotReady never finishes: the Job controller does not see its Pod end. */
export function awaitRunningNode(facts: Facts): StepResult | undefined {
  const seconds = facts.nodeOp.spec.rebootTimeoutSeconds;
  const timeout = () => fail('Unreachable', `the node has not been Ready for ${seconds} s while its Job ran`);
  return awaitReadyNode(facts, seconds, timeout, {
    reason: 'Unreachable',
    message: 'the node is not Ready while its Job runs',
    readyAgain: { reason: 'JobRunning', message: 'Job is running' },
  });
}
