/** Acts on a claimed node that the API server refuses, because of a policy or a quota: each is tried for startDeadlineSeconds. */
import { after } from '../../../program/clock.js';
import { firstSeen } from '../../cluster/first-seen.js';
import { act, type Facts, type StepResult } from '../facts/facts.js';

/**
 * Undefined while the act is to be tried. `end` is the result after the deadline, from the words of the API server. The first refusal is
 * recorded, because the act may be tried long after its step began.
 */
export function endRefused(
  { writeRefusal, ledger, now, nodeOp }: Facts,
  what: string,
  end: (words: string) => StepResult,
): StepResult | undefined {
  if (writeRefusal === undefined) return undefined;
  const waiting = firstSeen(`refused: ${what}`, [ledger?.waiting], now);
  if (waiting !== ledger?.waiting)
    return act({ do: 'record', change: { waiting } }, { message: `${what} was refused; trying again` });
  const seconds = nodeOp.spec.startDeadlineSeconds;
  return now >= after(new Date(waiting.since), seconds) ? end(`refused for ${seconds} s: ${writeRefusal}`) : undefined;
}
