/** The first status of an operation: who its targets are. */
import type { NodeOpStatus } from '../../api/nodeop.js';
import type { SeenNode } from '../seen.js';
import { conditions } from '../conditions.js';
import { targetsOf } from './targets.js';
import type { Wish } from './wish.js';

export function start(wish: Wish, nodes: readonly SeenNode[], now: Date): NodeOpStatus {
  const names = targetsOf(wish.spec, nodes);
  const at = now.toISOString();
  const rebootStatus = wish.spec.rebootOnSuccess ? ('pending' as const) : ('not-requested' as const);
  const none = names.length === 0;
  const phase = none ? ('Failed' as const) : ('Pending' as const);
  const message = none ? 'no Linux node matches nodeSelector' : 'waiting for nodes to start';
  return {
    phase,
    message,
    observedGeneration: wish.meta.generation,
    startedAt: at,
    ...(none ? { completedAt: at } : {}),
    nodes: { total: names.length, pending: names.length, active: 0, completed: 0, skipped: 0, failed: 0 },
    progress: `0/${names.length}`,
    conditions: conditions(wish, { phase, message, now, reason: none ? 'NoTargets' : undefined }),
    nodeStatuses: Object.fromEntries(
      names.map(name => [name, { phase: 'Pending' as const, attempt: 1, rebootStatus, lastUpdated: at }]),
    ),
  };
}
