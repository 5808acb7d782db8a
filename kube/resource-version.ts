const NUMBER = /^[1-9][0-9]*$|^0$/;

/**
 * Is `a` later than `b`? Kubernetes promises that versions of one resource are integers that can be compared (KEP-5504);
 * they may be too long for a JavaScript number, so length and digits are compared. Anything else counts as later: then the
 * order of arrival decides.
 */
export function isLater(a: string, b: string): boolean {
  if (!NUMBER.test(a) || !NUMBER.test(b)) return a !== b;
  return a.length === b.length ? a > b : a.length > b.length;
}
