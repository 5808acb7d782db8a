import type { Name } from './kube.js';

/** `namespace/name`, or just `name` for cluster-scoped resources: how caches and queues call an object. */
export const keyOf = (at: Name): string => (at.namespace === undefined ? at.name : `${at.namespace}/${at.name}`);

/** The way back from `keyOf`. */
export function parseKey(key: string): Name {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
