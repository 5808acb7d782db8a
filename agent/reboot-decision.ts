/**
 * Decides what to do about a requested reboot, from the request, the journal, the sentinels and the boot id. This is the core of "reboot
 * exactly once":
 *
 *     request + sentinel of this boot ──▶ journal ──▶ remove sentinel ──▶ reboot ──▶ (another boot id) ──▶ Rebooted
 *                                            │
 *                       killed anywhere here: the journal, which contains the boot id, shows how far it came
 *
 * A reboot is called only while the boot id is still the one in the journal, so a machine that has rebooted is never rebooted again. It is
 * also called only for a request that was just read from the API server; while that is unreachable, no reboot is started or repeated.
 */
import type { Operation, RebootAnswer } from '../api/node-agent.js';
import type { JournalEntry } from './reboot-journal.js';
import type { Sentinel } from './sentinel.js';

/** Everything that the decision depends on. */
export interface RebootFacts {
  operation: Operation;
  /** The journal entry of the operation. */
  entry?: JournalEntry;
  sentinels: readonly Sentinel[];
  /** Jobs with a sentinel that exists and cannot be read. */
  unreadable?: readonly string[];
  boot: { id: string; since: string };
  now: Date;
  /** Milliseconds since this process called the reboot; absent when it did not. */
  sinceCallMs?: number;
  /** Milliseconds since the agent first saw the request. */
  sinceSeenMs?: number;
  /** Milliseconds since this process started; a call of an earlier process is at least as old. */
  sinceStartMs: number;
  /** Whether the operation was just read from the API server, and not only received by the watch some time ago. */
  confirmed: boolean;
}

export type RebootAction =
  | { do: 'writeJournal'; entry: JournalEntry }
  | { do: 'removeSentinels'; files: readonly string[] }
  | { do: 'writeStatus'; reboot: RebootAnswer }
  /** Decide again with the NodeAgent as the API server has it now. */
  | { do: 'rereadNodeAgent' }
  | { do: 'reboot' }
  | { do: 'requeue'; inMs: number };

/** A call without effect is repeated after this time. Until then the machine may go down at any moment. */
export const REBOOT_CALL_TIMEOUT_MS = 5 * 60_000;

/** The actions, in the order in which they must be done: a crash between any two leaves what the next process needs. */
export function decideReboot(facts: RebootFacts): RebootAction[] {
  const { entry, boot, operation } = facts;
  if (entry && hasRebooted(entry, boot.id)) return finish(facts, asRebooted(entry, boot));
  if (operation.rebootWithdrawn && !operation.reboot) return withdraw(facts);
  if (entry && entry.state !== 'Rebooting') return finish(facts, entry);
  if (!operation.reboot) return entry ? [{ do: 'writeStatus', reboot: answerFrom(entry) }] : [];
  if (entry) return continueReboot(facts, entry, operation.reboot);
  return startReboot(facts, operation.reboot);
}

type RebootRequest = NonNullable<Operation['reboot']>;

/** The machine has booted again since the reboot was started or given up. */
const hasRebooted = (entry: JournalEntry, bootId: string) =>
  (entry.state === 'Rebooting' || entry.state === 'Failed') && entry.bootId !== bootId;

const asRebooted = (entry: JournalEntry, boot: RebootFacts['boot']): JournalEntry => ({
  ...entry,
  state: 'Rebooted',
  bootIdAfter: boot.id,
  bootedAt: boot.since,
  message: undefined,
});

/** A final state is written to the journal before it is reported, and reported as long as the operation asks for it. */
function finish(facts: RebootFacts, entry: JournalEntry): RebootAction[] {
  const journal: RebootAction[] = entry === facts.entry ? [] : [{ do: 'writeJournal', entry }];
  return [...journal, ...removeSentinelsOf(entry.jobName, facts), { do: 'writeStatus', reboot: answerFrom(entry) }];
}

function withdraw(facts: RebootFacts): RebootAction[] {
  const { entry, operation } = facts;
  if (entry?.state === 'Rebooted' || entry?.state === 'Cancelled') return finish(facts, entry);
  const remainingMs = entry ? REBOOT_CALL_TIMEOUT_MS - msSinceCall(facts, entry) : 0;
  if (entry && remainingMs > 0) return awaitPendingCall(entry, remainingMs, 'withdrawn');
  const jobName = entry?.jobName ?? operation.job?.name ?? '';
  const base = entry ?? newEntry(facts, { jobName, notAfter: facts.now.toISOString() });
  return finish(facts, { ...base, state: 'Cancelled', message: 'the reboot was withdrawn' });
}

/** A call cannot be taken back: "Cancelled" and "Failed" are reported only when the machine will stay up. */
function awaitPendingCall(entry: JournalEntry, inMs: number, cause: string): RebootAction[] {
  const message = `${cause}, but the reboot was already called; waiting to see whether the machine reboots`;
  const reboot: RebootAnswer = { ...answerFrom(entry), state: 'Rebooting', message };
  return [
    { do: 'writeStatus', reboot },
    { do: 'requeue', inMs },
  ];
}

/** The journal has no entry for this operation yet. */
function startReboot(facts: RebootFacts, request: RebootRequest): RebootAction[] {
  const { boot, operation } = facts;
  const found = relevantSentinel(
    facts.sentinels.filter(({ jobName }) => jobName === request.jobName),
    boot.id,
  );
  /* An unreadable sentinel may be of this boot. Then a reboot is still needed, and an earlier change of the boot id does not count as one. */
  const isUnreadable = facts.unreadable?.includes(request.jobName) === true && request.succeededIn === undefined;
  const mayBeHidden = isUnreadable && found?.bootId !== boot.id;
  const sentinel = mayBeHidden ? undefined : found;
  /* Where the sentinel could not be written, the controller has recorded the boot in which it saw the command succeed. */
  const succeededIn = request.succeededIn === boot.id ? boot.id : (sentinel?.bootId ?? request.succeededIn);
  const bootIdBefore = mayBeHidden ? undefined : (succeededIn ?? operation.bootIdBefore);
  /* Another boot id proves a reboot even when the disk was reset or the journal was lost. */
  if (bootIdBefore !== undefined && bootIdBefore !== boot.id) {
    const isInferred = sentinel === undefined ? { isInferred: true } : {};
    const entry = { ...newEntry(facts, request), bootId: bootIdBefore, startedAt: undefined, ...isInferred };
    return finish(facts, asRebooted(entry, boot));
  }
  if (msUntilDeadline(request, facts) <= 0) {
    const message = deadlineMessage('the reboot did not start', facts, request);
    return finish(facts, { ...newEntry(facts, request), state: 'Failed', message });
  }
  if (!sentinel && request.succeededIn === undefined) {
    const message = `${mayBeHidden ? 'cannot read' : 'waiting for'} the sentinel of Job ${request.jobName}`;
    return [
      { do: 'writeStatus', reboot: { state: 'Waiting', bootIdBefore: boot.id, message } },
      { do: 'requeue', inMs: msUntilDeadline(request, facts) },
    ];
  }
  /* The watch may be stale: the request may have been withdrawn since its last event. */
  if (!facts.confirmed) return [{ do: 'rereadNodeAgent' }];
  return callReboot(facts, request, newEntry(facts, request));
}

/** The reboot was started, and the machine is still up. */
function continueReboot(facts: RebootFacts, entry: JournalEntry, request: RebootRequest): RebootAction[] {
  if (msUntilDeadline(request, facts) <= 0) {
    const remainingMs = REBOOT_CALL_TIMEOUT_MS - msSinceCall(facts, entry);
    if (remainingMs > 0) return awaitPendingCall(entry, remainingMs, `${deadlineOf(request)} has passed`);
    const message = deadlineMessage('the machine did not reboot', facts, request);
    return finish(facts, { ...entry, state: 'Failed', message });
  }
  const remainingMs = facts.sinceCallMs === undefined ? 0 : REBOOT_CALL_TIMEOUT_MS - facts.sinceCallMs;
  if (remainingMs > 0)
    return [
      { do: 'writeStatus', reboot: answerFrom(entry) },
      { do: 'requeue', inMs: Math.min(remainingMs, msUntilDeadline(request, facts)) },
    ];
  /* A request that was received minutes ago, or by an earlier process, may have been withdrawn since. */
  if (!facts.confirmed) return [{ do: 'rereadNodeAgent' }];
  return callReboot(facts, request, entry);
}

function callReboot(facts: RebootFacts, request: RebootRequest, started: JournalEntry): RebootAction[] {
  /* In the boot of the request: whatever is lost of the journal, the operation ran on this machine. */
  const entry: JournalEntry = { ...started, calledAt: facts.now.toISOString(), isInferred: undefined };
  return [
    { do: 'writeJournal', entry },
    ...removeSentinelsOf(request.jobName, facts),
    { do: 'writeStatus', reboot: answerFrom(entry) },
    { do: 'reboot' },
    { do: 'requeue', inMs: Math.min(REBOOT_CALL_TIMEOUT_MS, msUntilDeadline(request, facts)) },
  ];
}

const newEntry = (facts: RebootFacts, request: RebootRequest): JournalEntry => ({
  id: facts.operation.id,
  jobName: request.jobName,
  bootId: facts.boot.id,
  notAfter: request.notAfter,
  state: 'Rebooting',
  startedAt: facts.now.toISOString(),
});

function removeSentinelsOf(job: string, { sentinels }: RebootFacts): RebootAction[] {
  const files = sentinels.filter(({ jobName }) => jobName === job).map(({ file }) => file);
  return files.length === 0 ? [] : [{ do: 'removeSentinels', files }];
}

/** Milliseconds since the reboot was called, at least. The wall clock may have jumped, so this process' monotonic clock takes precedence. */
function msSinceCall(facts: RebootFacts, entry: JournalEntry): number {
  if (facts.sinceCallMs !== undefined) return facts.sinceCallMs;
  /* It is unknown when the reboot was called: an earlier process may have called it until just before this one started. */
  if (entry.calledAt === undefined) return entry.state === 'Rebooting' ? facts.sinceStartMs : REBOOT_CALL_TIMEOUT_MS;
  return Math.max(facts.now.getTime() - Date.parse(entry.calledAt), facts.sinceStartMs);
}

/** A sentinel of this boot proves work done in it, whatever its time: the clock may have been set back. Otherwise the newest one counts. */
const relevantSentinel = (sentinels: readonly Sentinel[], bootId: string) =>
  sentinels.find(sentinel => sentinel.bootId === bootId) ?? sentinels.toSorted((a, b) => a.at - b.at).at(-1);

/** A duration does not depend on the clock of the node. Only a controller that is older than this agent sends none. */
const msUntilDeadline = ({ timeoutSeconds, notAfter }: RebootRequest, { now, sinceSeenMs = 0 }: RebootFacts): number =>
  timeoutSeconds === undefined ? Date.parse(notAfter) - now.getTime() : timeoutSeconds * 1000 - sinceSeenMs;

const deadlineOf = ({ timeoutSeconds, notAfter }: RebootRequest): string =>
  timeoutSeconds === undefined ? notAfter : `the time limit of ${timeoutSeconds} s`;

/** The controller's clock sets `notAfter` and this node's clock is compared with it, so the message contains both times. */
const deadlineMessage = (failure: string, { now }: RebootFacts, { timeoutSeconds, notAfter }: RebootRequest): string =>
  timeoutSeconds === undefined
    ? `${failure} before ${notAfter} (the clock of this node, which may differ from the controller's, reads ${now.toISOString()})`
    : `${failure} within ${timeoutSeconds} s of the request`;

const answerFrom = (entry: JournalEntry): RebootAnswer => ({
  state: entry.state,
  bootIdBefore: entry.bootId,
  startedAt: entry.startedAt,
  method: entry.method,
  bootIdAfter: entry.bootIdAfter,
  bootedAt: entry.bootedAt,
  recordedOnHost: entry.state === 'Rebooted' && entry.isInferred !== true ? true : undefined,
  message: entry.message,
});
