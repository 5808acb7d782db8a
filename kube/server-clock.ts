/**
 * The time of the API server, derived from the `Date` header of its responses. Times that one leader writes are read by the next, whose own
 * clock may be off by hours, and compared with `creationTimestamp`s. By the clock of the API server all of them agree.
 */
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';

/** One response: the API server made it between the two monotonic times. */
export interface ServerTime {
  /** From the `Date` header, which is cut to whole seconds. */
  date: Date;
  sentAt: number;
  receivedAt: number;
}

export interface ServerClock extends Clock {
  observe(time: ServerTime): void;
}

/** Differences up to this are not corrected: clocks that are synchronized differ less. */
const TOLERANCE_MS = 2_000;

/** Several API servers may answer in turn, each by its own clock. The estimate changes only when none of them has agreed with it for this long. */
const DISAGREEMENT_MS = 30_000;

const DATE_RESOLUTION_MS = 1_000;

/**
 * A jump forward would end every running wait at once, for example when the only API server that is left during an upgrade of the control
 * planes is ahead of the others. The time therefore catches up: it runs faster by this part until it is right again.
 */
const CATCH_UP = 0.5;

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** Counts with the monotonic clock of this machine, so that a correction of its wall clock changes nothing. */
export function serverClock(local: Clock, log: Log): ServerClock {
  const localOffset = () => local.now().getTime() - local.monotonic();
  /** What added to the monotonic time gives the time of the API server; unknown before the first response. */
  let offset: number | undefined;
  let disagreesSince: number | undefined;
  /** By how much the time was behind that of the API server, at a monotonic time. */
  let behind = { ms: 0, at: 0 };
  const msBehind = (at: number) => Math.max(0, behind.ms - (at - behind.at) * CATCH_UP);

  const adopt = (next: number, before: number) => {
    const at = local.monotonic();
    if (offset !== undefined) behind = { ms: Math.max(0, msBehind(at) + next - before), at };
    offset = next;
    disagreesSince = undefined;
    if (Math.abs(next - before) > TOLERANCE_MS)
      log.warn({ seconds: Math.round((next - before) / 1000) }, 'the clock of the API server differs; following it');
  };

  const observe = ({ date, sentAt, receivedAt }: ServerTime): void => {
    if (Number.isNaN(date.getTime())) return;
    const low = date.getTime() - receivedAt - TOLERANCE_MS;
    const high = date.getTime() + DATE_RESOLUTION_MS - sentAt + TOLERANCE_MS;
    const estimate = offset ?? localOffset();
    const nearest = clamp(estimate, low, high);
    if (offset === undefined) return adopt(movedTo(estimate, nearest), localOffset());
    if (nearest === estimate) disagreesSince = undefined;
    else if (disagreesSince === undefined) disagreesSince = receivedAt;
    else if (receivedAt - disagreesSince >= DISAGREEMENT_MS) adopt(movedTo(estimate, nearest), estimate);
  };

  return {
    now: () => {
      const at = local.monotonic();
      return new Date(offset === undefined ? local.now() : Math.round(at + offset - msBehind(at)));
    },
    monotonic: () => local.monotonic(),
    sleep: (ms, signal) => local.sleep(ms, signal),
    observe,
  };
}

/** An estimate that has to move goes to the time of the response itself, and not only to the edge of what is tolerated. */
function movedTo(estimate: number, nearest: number): number {
  if (nearest === estimate) return estimate;
  return nearest > estimate ? nearest + TOLERANCE_MS : nearest - TOLERANCE_MS;
}
