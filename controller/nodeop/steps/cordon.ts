/** Makes the node unschedulable and marks it as cordoned by this operation. */
import { isCordoned } from '../../cluster/node.js';
import { cordonMarkOf } from '../../cluster/cordon.js';
import { act, DONE, type Facts, refusalTimeout, type StepResult } from '../facts/facts.js';
import type { Step } from './step.js';

export const cordon: Step = {
  isNeeded: ({ nodeOp }) => nodeOp.spec.cordon,
  onEnter: () => ({ cordoned: true }),
  evaluate(facts): StepResult {
    const state = cordonState(facts);
    if (state === 'foreign' || (state === 'own' && facts.ledger?.cordoned === true)) return DONE;
    /* A policy may forbid changes of Nodes; nothing has been done to the node then. */
    return refusalTimeout(facts, 'Cordon', 'NotStarted') ?? act({ do: 'cordon' }, { message: 'cordoning the node' });
  },
};

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
