/** How much the report tells of one node, so that 5,000 of them fit into one object. */
import type { NodeStatus } from '../../api/node-status.js';
import { isFinal } from './wish.js';

/** `least` where hundreds are at work at the same time. */
export type Detail = 'full' | 'short' | 'least';

const ALL_IN_FULL_UP_TO = 1_000;
const ACTIVE_IN_FULL_UP_TO = 500;

export function detailFor({ targets, active }: { targets: number; active: number }): Detail {
  if (targets <= ALL_IN_FULL_UP_TO) return 'full';
  return active <= ACTIVE_IN_FULL_UP_TO ? 'short' : 'least';
}

/** Room for one message where there are very many: a thousandfold refusal in full would not fit into one object. Events have all words. */
const WORDS_IN_SHORT = 60;

const cut = (message: string | undefined): string | undefined =>
  message === undefined || message.length <= WORDS_IN_SHORT ? message : `${message.slice(0, WORDS_IN_SHORT - 3)}...`;

/**
 * Of very many targets, one that ended keeps only what tells how, and one that waits for its turn only that: 5,000 of them must fit
 * into one object. The attempt is what the name of the next Job depends on.
 */
export function inShort(entry: NodeStatus, detail: Detail): NodeStatus {
  const { phase, reason, lastUpdated } = entry;
  const message = cut(entry.message);
  const attempt = (entry.attempt ?? 1) > 1 ? { attempt: entry.attempt } : {};
  if (isFinal(entry)) return { phase, reason, message, ...attempt };
  if (entry.startedAt !== undefined) return detail === 'least' ? atLeast(entry) : entry;
  return { phase, reason, ...(reason === 'WaitingForTurn' ? {} : { message }), lastUpdated, ...attempt };
}

/** What no look at the cluster could tell again if the ledger got lost. Control planes, one at a time, are told of in full. */
function atLeast(entry: NodeStatus): NodeStatus {
  if (entry.stepTimes?.ControlPlane !== undefined) return entry;
  const { phase, step, ending, attempt, startedAt, bootIdBefore, nodeUid, jobUid } = entry;
  return { phase, step, ending, startedAt, bootIdBefore, nodeUid, jobUid, ...((attempt ?? 1) > 1 ? { attempt } : {}) };
}
