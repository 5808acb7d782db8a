/** How much the report tells of one node, so that 5,000 of them fit into one object. */
import type { NodeStatus } from '../../../api/node-status.js';
import { isFinal } from '../../cluster/phases.js';

/** `brief` is all but long messages; `least` is for hundreds at work at the same time. */
export type Detail = 'full' | 'brief' | 'short' | 'least';

const ALL_IN_FULL_UP_TO = 100;
const ALL_IN_BRIEF_UP_TO = 1_000;
const ACTIVE_IN_FULL_UP_TO = 500;

export function detailFor({ targets, active }: { targets: number; active: number }): Detail {
  if (targets <= ALL_IN_FULL_UP_TO) return 'full';
  if (targets <= ALL_IN_BRIEF_UP_TO) return 'brief';
  return active <= ACTIVE_IN_FULL_UP_TO ? 'short' : 'least';
}

/** Room for one message: a thousandfold refusal in full would not fit into one object. Events have all words. */
const BYTES = { brief: 200, short: 60, least: 60 };

const bytesOf = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2;

function cut(message: string | undefined, most: number): string | undefined {
  if (message === undefined || bytesOf(message) <= most) return message;
  let kept = message.slice(0, most - 3);
  while (bytesOf(kept) > most - 3) kept = kept.slice(0, -1);
  return `${kept}...`;
}

/** Room for so many logs of 2 KiB. */
const MOST_LOGS = 50;

/** Of a command that fails everywhere the first logs tell enough; Events have the others. Those that were told before stay. */
export function withLimitedLogs(
  entries: Record<string, NodeStatus>,
  before: Readonly<Record<string, NodeStatus>> = {},
): Record<string, NodeStatus> {
  let room = MOST_LOGS - Object.values(before).filter(({ log }) => log !== undefined).length;
  const fits = ([name, entry]: [string, NodeStatus]): [string, NodeStatus] => {
    if (entry.log === undefined || before[name]?.log !== undefined) return [name, entry];
    room -= 1;
    return [name, room >= 0 ? entry : { ...entry, log: undefined }];
  };
  return Object.fromEntries(Object.entries(entries).map(fits));
}

/**
 * Of very many targets, one that ended keeps only what tells how, and one that waits for its turn only that: 5,000 of them must fit
 * into one object. The attempt is what the name of the next Job depends on.
 */
export function truncated(entry: NodeStatus, detail: Exclude<Detail, 'full'>): NodeStatus {
  const { phase, reason, lastUpdated } = entry;
  const message = cut(entry.message, BYTES[detail]);
  if (detail === 'brief') return { ...entry, message };
  const attempt = (entry.attempt ?? 1) > 1 ? { attempt: entry.attempt } : {};
  if (isFinal(entry)) return { phase, reason, message, ...attempt };
  if (entry.startedAt !== undefined)
    return detail === 'least' ? atLeast(entry) : { ...entry, message: cut(entry.message, BYTES.brief) };
  return { phase, reason, ...(reason === 'WaitingForTurn' ? {} : { message }), lastUpdated, ...attempt };
}

/** What no look at the cluster could tell again if the ledger got lost. Control planes, one at a time, are told of in full. */
function atLeast(entry: NodeStatus): NodeStatus {
  if (entry.stepTimes?.ControlPlane !== undefined || entry.reason === 'ControlPlaneNotReady') return entry;
  const { phase, step, ending, attempt, startedAt, bootIdBefore, nodeUid, jobUid } = entry;
  return { phase, step, ending, startedAt, bootIdBefore, nodeUid, jobUid, ...((attempt ?? 1) > 1 ? { attempt } : {}) };
}
