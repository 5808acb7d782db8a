/** The target nodes of an operation, their order, and how many of them are active at once. */
import type { NodeOpSpec } from '../../api/nodeop.js';
import { matches } from '../../kube/selector.js';
import { isControlPlane } from './control-plane.js';
import { isLinux, type CachedNode } from './node.js';

/** Evaluated once, when an operation starts: nodes that join later are not touched. */
export const targetsOf = (spec: Pick<NodeOpSpec, 'nodeSelector'>, nodes: readonly CachedNode[]): string[] =>
  nodes
    .filter(node => isLinux(node) && matches(spec.nodeSelector ?? {}, node.metadata.labels))
    .map(node => node.metadata.name);

/** Control planes first, then by name. The node of the leading controller is the last of its class: its reboot costs a change of leader. */
export function rolloutOrder(
  names: readonly string[],
  node: (name: string) => CachedNode | undefined,
  ownNode?: string,
): string[] {
  const rank = (name: string) => {
    const known = node(name);
    return (known && isControlPlane(known) ? 0 : 2) + (name === ownNode ? 1 : 0);
  };
  return [...names].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** How many nodes may be active at the same time: 0 means all, a percentage is rounded down but is at least one node. */
export function slotCount(concurrency: number | string, targets: number): number {
  if (typeof concurrency === 'string')
    return Math.max(1, Math.floor((targets * Number.parseInt(concurrency, 10)) / 100));
  return concurrency === 0 ? targets : concurrency;
}
