import type { Name } from './kube.js';

/** `namespace/name`, or `name` for cluster-scoped resources: the key of an object in caches and work queues. */
export const keyOf = (at: Name): string => (at.namespace === undefined ? at.name : `${at.namespace}/${at.name}`);

/** The inverse of `keyOf`. */
export function parseKey(key: string): Name {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
