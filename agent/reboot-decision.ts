/**
 * What the controller asks, what journal and sentinels prove, and the boot id → what to do now. The heart of "reboot exactly once":
 *
 *     ask + sentinel of this boot ──▶ journal ──▶ sentinel away ──▶ reboot ──▶ (another boot id) ──▶ Rebooted
 *                                        │
 *                    killed anywhere here: the journal, with the boot id in it, says where we were
 *
 * A reboot is called only while the boot id is still the one the journal was written in; so a machine that went down for it never goes down again.
 * And only for an ask that was just read from the API server itself; while that is away, nothing is begun and nothing called again.
 */
import type { Operation, RebootAnswer } from '../api/node-agent.js';
import type { Entry } from './journal.js';
import type { Sentinel } from './sentinel.js';

/** Everything that is known at this moment. */
export interface Seen {
  operation: Operation;
  /** What the journal holds under the operation's id. */
  entry?: Entry;
  sentinels: readonly Sentinel[];
  /** Jobs with a sentinel that is there and cannot be read. */
  unreadable?: readonly string[];
  boot: { id: string; since: string };
  now: Date;
  /** Milliseconds since this process called the reboot; absent: it did not. */
  sinceCallMs?: number;
  /** Milliseconds since this process started; a call of an earlier one is at least as old. */
  sinceStartMs: number;
  /** The ask was read from the API just now, not only heard of some time ago. */
  confirmed: boolean;
}

export type RebootAction =
  | { do: 'keep'; entry: Entry }
  | { do: 'removeSentinels'; files: readonly string[] }
  | { do: 'answer'; reboot: RebootAnswer }
  | { do: 'confirm' }
  | { do: 'reboot' }
  | { do: 'requeue'; inMs: number };

/** A call that was not obeyed within this time is made again; until then the machine may go down at any moment. */
export const CALL_LASTS_MS = 5 * 60_000;

/** In the order in which they must be done; a crash between any two leaves what the next start needs. */
export function decideReboot(seen: Seen): RebootAction[] {
  const { entry, boot, operation } = seen;
  if (entry && isOver(entry, boot.id)) return settle(seen, rebooted(entry, boot));
  if (operation.rebootWithdrawn && !operation.reboot) return withdraw(seen);
  if (entry && entry.state !== 'Rebooting') return settle(seen, entry);
  if (!operation.reboot) return entry ? [{ do: 'answer', reboot: answerOf(entry) }] : [];
  if (entry) return goOn(seen, entry, operation.reboot);
  return begin(seen, operation.reboot);
}

type Ask = NonNullable<Operation['reboot']>;

/** The machine has started anew since a reboot was begun, or since we gave it up. */
const isOver = (entry: Entry, bootId: string) =>
  (entry.state === 'Rebooting' || entry.state === 'Failed') && entry.bootId !== bootId;

const rebooted = (entry: Entry, boot: Seen['boot']): Entry => ({
  ...entry,
  state: 'Rebooted',
  bootIdAfter: boot.id,
  bootedAt: boot.since,
  message: undefined,
});

/** An ending: written down before it is told, told as long as it is asked for. */
function settle(seen: Seen, entry: Entry): RebootAction[] {
  const keep: RebootAction[] = entry === seen.entry ? [] : [{ do: 'keep', entry }];
  return [...keep, ...removal(seen, entry.jobName), { do: 'answer', reboot: answerOf(entry) }];
}

function withdraw(seen: Seen): RebootAction[] {
  const { entry, operation } = seen;
  if (entry?.state === 'Rebooted' || entry?.state === 'Cancelled') return settle(seen, entry);
  const left = entry ? CALL_LASTS_MS - sinceCall(seen, entry) : 0;
  if (entry && left > 0) return waitAndSee(entry, left, 'withdrawn');
  const jobName = entry?.jobName ?? operation.job?.name ?? '';
  const base = entry ?? fresh(seen, { jobName, notAfter: seen.now.toISOString() });
  return settle(seen, { ...base, state: 'Cancelled', message: 'the reboot was withdrawn' });
}

/** A call cannot be taken back: "Cancelled" and "Failed" are said only when the machine will stay up. */
function waitAndSee(entry: Entry, inMs: number, why: string): RebootAction[] {
  const message = `${why}, but the reboot was called already; waiting to see whether it happens`;
  const reboot: RebootAnswer = { ...answerOf(entry), state: 'Rebooting', message };
  return [
    { do: 'answer', reboot },
    { do: 'requeue', inMs },
  ];
}

/** Nothing was begun for this operation yet. */
function begin(seen: Seen, ask: Ask): RebootAction[] {
  const { boot, operation } = seen;
  const found = bestOf(
    seen.sentinels.filter(one => one.jobName === ask.jobName),
    boot.id,
  );
  /* One that cannot be read may be of this boot: then the work waits for a reboot that no earlier boot can stand for. */
  const hidden = found?.bootId !== boot.id && seen.unreadable?.includes(ask.jobName) === true;
  const sentinel = hidden ? undefined : found;
  const before = hidden ? undefined : (sentinel?.bootId ?? operation.bootIdBefore);
  /* Without a sentinel only a changed boot id speaks: the disk was reset, or the journal was lost, and the machine is up anew. */
  if (before !== undefined && before !== boot.id)
    return settle(seen, rebooted({ ...fresh(seen, ask), bootId: before, startedAt: undefined }, boot));
  if (isLate(ask, seen.now))
    return settle(seen, { ...fresh(seen, ask), state: 'Failed', message: tooLate('not begun', seen, ask) });
  if (!sentinel) {
    const message = `${hidden ? 'cannot read' : 'waiting for'} the sentinel of Job ${ask.jobName}`;
    return [
      { do: 'answer', reboot: { state: 'Waiting', bootIdBefore: boot.id, message } },
      { do: 'requeue', inMs: untilEnd(ask, seen.now) },
    ];
  }
  /* A watch may be behind: what it told of last may have been withdrawn since. */
  if (!seen.confirmed) return [{ do: 'confirm' }];
  return call(seen, ask, fresh(seen, ask));
}

/** Begun, and the machine is still up. */
function goOn(seen: Seen, entry: Entry, ask: Ask): RebootAction[] {
  if (isLate(ask, seen.now)) {
    const open = CALL_LASTS_MS - sinceCall(seen, entry);
    if (open > 0) return waitAndSee(entry, open, `${ask.notAfter} has passed`);
    return settle(seen, { ...entry, state: 'Failed', message: tooLate('the machine did not reboot', seen, ask) });
  }
  const left = seen.sinceCallMs === undefined ? 0 : CALL_LASTS_MS - seen.sinceCallMs;
  if (left > 0)
    return [
      { do: 'answer', reboot: answerOf(entry) },
      { do: 'requeue', inMs: Math.min(left, untilEnd(ask, seen.now)) },
    ];
  /* What was heard minutes ago, or in another life, may have been withdrawn since. */
  if (!seen.confirmed) return [{ do: 'confirm' }];
  return call(seen, ask, entry);
}

function call(seen: Seen, ask: Ask, begun: Entry): RebootAction[] {
  const entry: Entry = { ...begun, calledAt: seen.now.toISOString() };
  return [
    { do: 'keep', entry },
    ...removal(seen, ask.jobName),
    { do: 'answer', reboot: answerOf(entry) },
    { do: 'reboot' },
    { do: 'requeue', inMs: Math.min(CALL_LASTS_MS, untilEnd(ask, seen.now)) },
  ];
}

const fresh = (seen: Seen, ask: Ask): Entry => ({
  id: seen.operation.id,
  jobName: ask.jobName,
  bootId: seen.boot.id,
  notAfter: ask.notAfter,
  state: 'Rebooting',
  startedAt: seen.now.toISOString(),
});

function removal(seen: Seen, jobName: string): RebootAction[] {
  const files = seen.sentinels.filter(one => one.jobName === jobName).map(one => one.file);
  return files.length === 0 ? [] : [{ do: 'removeSentinels', files }];
}

/** How long ago the reboot was called, at least. Wall time may have jumped, so this process' own count is heard first. */
function sinceCall(seen: Seen, entry: Entry): number {
  if (seen.sinceCallMs !== undefined) return seen.sinceCallMs;
  /* Begun, but nobody knows when it was last called: as late as an earlier process could. */
  if (entry.calledAt === undefined) return entry.state === 'Rebooting' ? seen.sinceStartMs : CALL_LASTS_MS;
  return Math.max(seen.now.getTime() - Date.parse(entry.calledAt), seen.sinceStartMs);
}

/** One of this boot proves work done in it, whatever its time says: clocks may have been set back. Else the newest. */
const bestOf = (sentinels: readonly Sentinel[], bootId: string) =>
  sentinels.find(one => one.bootId === bootId) ?? sentinels.toSorted((a, b) => a.at - b.at).at(-1);
const isLate = (ask: Ask, now: Date) => now.getTime() >= Date.parse(ask.notAfter);
/** `notAfter` is told by the controller's clock and read by this node's: whoever wonders shall see both. */
const tooLate = (what: string, seen: Seen, ask: Ask) =>
  `${what} before ${ask.notAfter} (the clock of this node, which may differ from the controller's, says ${seen.now.toISOString()})`;
const untilEnd = (ask: Ask, now: Date) => Date.parse(ask.notAfter) - now.getTime();

const answerOf = (entry: Entry): RebootAnswer => ({
  state: entry.state,
  bootIdBefore: entry.bootId,
  startedAt: entry.startedAt,
  bootIdAfter: entry.bootIdAfter,
  bootedAt: entry.bootedAt,
  message: entry.message,
});
