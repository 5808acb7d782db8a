/** What all of Kubernetes' own actors have in common: something changed, a little later they look at everything and put it right. */
import type { FakeClock } from '../clock.js';

export interface ControlLoop {
  /** Something changed. */
  trigger(): void;
}

/** `look` returns after how many milliseconds it wants to look again, if it knows. */
export function controlLoop(clock: FakeClock, latencyMs: number, look: () => number | undefined): ControlLoop {
  let alarm: { at: number; off: () => void } | undefined;
  const wakeIn = (ms: number) => {
    const at = clock.monotonic() + ms;
    if (alarm && alarm.at <= at) return;
    alarm?.off();
    alarm = { at, off: clock.callAfter(ms, run) };
  };
  const run = () => {
    alarm = undefined;
    const again = look();
    if (again !== undefined) wakeIn(Math.max(again, 1));
  };
  return { trigger: () => wakeIn(latencyMs) };
}

/** The sooner of two, where either may be unknown. */
export const shorterDelay = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
