/** Doubles from `firstMs` to `longestMs`, each time between half and all of it, so that a crowd does not come back together. */
export function backoffMs(
  failures: number,
  limits: { firstMs: number; longestMs: number },
  random: () => number = Math.random,
): number {
  const full = Math.min(limits.longestMs, limits.firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return Math.round(full * (0.5 + 0.5 * random()));
}
