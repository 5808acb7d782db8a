/**
 * Exponential backoff with jitter, in milliseconds: doubles from `firstMs` to `longestMs` with each failure (counted from 1).
 * The result lies between half and all of that value, so that many clients do not retry at the same moment.
 */
export function backoffMs(
  failures: number,
  limits: { firstMs: number; longestMs: number },
  random: () => number = Math.random,
): number {
  const full = Math.min(limits.longestMs, limits.firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return Math.round(full * (0.5 + 0.5 * random()));
}
