/** Which nodes an operation is for, in which order, and how many at once. */
import type { NodeOpSpec } from '../../api/nodeop.js';
import { matches } from '../../kube/selector.js';
import { isControlPlane } from './control-plane.js';
import { isLinux, type CachedNode } from './node.js';

/** Names of the nodes picked when an operation starts; nodes that join later are never touched. */
export const targetsOf = (spec: Pick<NodeOpSpec, 'nodeSelector'>, nodes: readonly CachedNode[]): string[] =>
  nodes
    .filter(node => isLinux(node) && matches(spec.nodeSelector ?? {}, node.metadata.labels))
    .map(node => node.metadata.name);

/** Control planes first, then by name; in its class, the node that carries the leading controller goes last. */
export function rolloutOrder(
  names: readonly string[],
  node: (name: string) => CachedNode | undefined,
  ownNode?: string,
): string[] {
  const rank = (name: string) => {
    const seen = node(name);
    return (seen && isControlPlane(seen) ? 0 : 2) + (name === ownNode ? 1 : 0);
  };
  return [...names].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** How many nodes may be under way together; 0 in the spec means all. */
export function slotCount(concurrency: number | string, targets: number): number {
  if (typeof concurrency === 'string')
    return Math.max(1, Math.floor((targets * Number.parseInt(concurrency, 10)) / 100));
  return concurrency === 0 ? targets : concurrency;
}
