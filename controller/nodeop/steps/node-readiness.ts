/** How long a step waits for a node that is not Ready. Its Ready condition has times of another clock, so that the ledger has them. */
import type { Reason } from '../../../api/reasons.js';
import { after } from '../../../program/clock.js';
import { isNotReady } from '../../cluster/node.js';
import { act, type Facts, type StepResult, wait } from '../facts/facts.js';

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
