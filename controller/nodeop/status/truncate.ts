/** Limits the size of the status entries, so that those of 5,000 nodes fit into one object. */
import type { NodeStatus } from '../../../api/node-status.js';
import { isFinal } from '../../cluster/phases.js';
import { ownValue } from '../../../program/own-value.js';

/** `brief` cuts long messages; `short` also drops fields of nodes that are not active, `least` those of active ones as well. */
export type Detail = 'full' | 'brief' | 'short' | 'least';

const MAX_FULL = 100;
const MAX_BRIEF = 1_000;
const MAX_ACTIVE_IN_SHORT = 500;

export function detailFor({ targets, active }: { targets: number; active: number }): Detail {
  if (targets <= MAX_FULL) return 'full';
  if (targets <= MAX_BRIEF) return 'brief';
  return active <= MAX_ACTIVE_IN_SHORT ? 'short' : 'least';
}

/** For one message: the same long refusal from a thousand nodes would not fit into one object. Events have the full text. */
const MAX_MESSAGE_BYTES = { brief: 200, short: 60, least: 60 };

const bytesOf = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2;

function cut(message: string | undefined, max: number): string | undefined {
  if (message === undefined || bytesOf(message) <= max) return message;
  let kept = message.slice(0, max - 3);
  while (bytesOf(kept) > max - 3) kept = kept.slice(0, -1);
  return `${kept}...`;
}

/** Each takes up to 2 KiB. */
const MAX_LOGS = 50;

/** If a command fails on very many nodes, the first logs show why; Events have the others. Logs that are already in the status stay. */
export function withLimitedLogs(
  entries: Record<string, NodeStatus>,
  before: Readonly<Record<string, NodeStatus>> = {},
): Record<string, NodeStatus> {
  const isNew = ([name, entry]: [string, NodeStatus]) =>
    entry.log !== undefined && ownValue(before, name)?.log === undefined;
  const room = MAX_LOGS - Object.values(before).filter(({ log }) => log !== undefined).length;
  const newLogs = Object.entries(entries).filter(isNew);
  const dropped = newLogs.slice(Math.max(room, 0)).map(([name, entry]) => [name, { ...entry, log: undefined }]);
  return { ...entries, ...Object.fromEntries(dropped) };
}

/**
 * With very many targets, a finished node keeps only its result, and a node that has not started only the reason. The attempt stays,
 * because the name of the next Job depends on it.
 */
export function truncated(entry: NodeStatus, detail: Exclude<Detail, 'full'>): NodeStatus {
  const { phase, reason, lastUpdated } = entry;
  const message = cut(entry.message, MAX_MESSAGE_BYTES[detail]);
  if (detail === 'brief') return { ...entry, message };
  const attempt = (entry.attempt ?? 1) > 1 ? { attempt: entry.attempt } : {};
  if (isFinal(entry)) return { phase, reason, message, ...attempt, ...failedControlPlane(entry) };
  if (entry.startedAt !== undefined)
    return detail === 'least'
      ? withoutObservable(entry)
      : { ...entry, message: cut(entry.message, MAX_MESSAGE_BYTES.brief) };
  return { phase, reason, ...(reason === 'WaitingForTurn' ? {} : { message }), lastUpdated, ...attempt };
}

/** By these times the other nodes know that it was a control plane, and that it was to be rebooted, even if its Node is gone. */
function failedControlPlane({ phase, stepTimes }: NodeStatus): Partial<NodeStatus> {
  if (phase !== 'Failed' || stepTimes?.ControlPlane === undefined) return {};
  const { ControlPlane, Reboot } = stepTimes;
  return { stepTimes: { ControlPlane, ...(Reboot === undefined ? {} : { Reboot }) } };
}

/**
 * Keeps only what could not be observed again if the ledger were lost. Control planes keep all of it: as they go one at a time, they are
 * few.
 */
function withoutObservable(entry: NodeStatus): NodeStatus {
  if (entry.stepTimes?.ControlPlane !== undefined || entry.reason === 'ControlPlaneNotReady') return entry;
  const { phase, step, ending, attempt, startedAt, bootIdBefore, nodeUid, jobUid } = entry;
  return { phase, step, ending, startedAt, bootIdBefore, nodeUid, jobUid, ...((attempt ?? 1) > 1 ? { attempt } : {}) };
}
