/** What all of Kubernetes' own actors have in common: something changed, a little later they look at everything and put it right. */
import type { FakeClock } from '../clock.js';

export interface Actor {
  /** Something changed. */
  poke(): void;
}

/** `look` returns after how many milliseconds it wants to look again, if it knows. */
export function actor(clock: FakeClock, latencyMs: number, look: () => number | undefined): Actor {
  let alarm: { at: number; off: () => void } | undefined;
  const wakeIn = (ms: number) => {
    const at = clock.monotonic() + ms;
    if (alarm && alarm.at <= at) return;
    alarm?.off();
    alarm = { at, off: clock.after(ms, run) };
  };
  const run = () => {
    alarm = undefined;
    const again = look();
    if (again !== undefined) wakeIn(Math.max(again, 1));
  };
  return { poke: () => wakeIn(latencyMs) };
}

/** The sooner of two, where either may be unknown. */
export const sooner = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
