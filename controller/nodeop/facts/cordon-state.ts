/** Whose cordon a node has, seen from one operation. Pure. */
import { cordonMarkOf } from '../../cluster/cordon.js';
import { isCordoned } from '../../cluster/node.js';
import type { Facts } from './facts.js';

/**
 * `none`: schedulable. `own`: cordoned by this operation. `leftover`: cordoned by a finished operation, to be taken over and undone.
 * `foreign`: cordoned by an unfinished operation or a user; it serves its purpose and is never undone.
 */
export function cordonState({ node, nodeOp, isMarkOwnerActive }: Facts): 'none' | 'own' | 'leftover' | 'foreign' {
  if (!isCordoned(node)) return 'none';
  const mark = cordonMarkOf(node);
  if (mark === nodeOp.cordonMark) return 'own';
  return mark !== undefined && !isMarkOwnerActive ? 'leftover' : 'foreign';
}
