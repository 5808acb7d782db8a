const NUMBER = /^[1-9][0-9]*$|^0$/;

/**
 * Whether version `a` is later than `b`. Kubernetes guarantees that versions of one resource are comparable integers (KEP-5504).
 * They may exceed the range of a JavaScript number, so length and digits are compared. Other values count as later whenever they
 * differ: then the order of arrival decides.
 */
export function isLater(a: string, b: string): boolean {
  if (!NUMBER.test(a) || !NUMBER.test(b)) return a !== b;
  return a.length === b.length ? a > b : a.length > b.length;
}
