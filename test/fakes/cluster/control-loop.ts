/** The loop that all fake Kubernetes controllers share: some time after a trigger, all objects are synced once. */
import type { FakeClock } from '../clock.js';

export interface ControlLoop {
  /** Schedules a sync, because something changed. */
  trigger(): void;
}

/** `sync` may return the milliseconds until it must run again. */
export function controlLoop(clock: FakeClock, latencyMs: number, sync: () => number | undefined): ControlLoop {
  let timer: { at: number; cancel: () => void } | undefined;
  const scheduleIn = (ms: number) => {
    const at = clock.monotonic() + ms;
    if (timer && timer.at <= at) return;
    timer?.cancel();
    timer = { at, cancel: clock.callAfter(ms, run) };
  };
  const run = () => {
    timer = undefined;
    const resyncMs = sync();
    if (resyncMs !== undefined) scheduleIn(Math.max(resyncMs, 1));
  };
  return { trigger: () => scheduleIn(latencyMs) };
}

/** The shorter of two delays, each of which may be absent. */
export const shorterDelay = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
