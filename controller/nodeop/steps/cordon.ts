/** The node takes no new pods. */
import { isCordoned } from '../../cluster/node.js';
import { cordonMarkOf } from '../../cluster/cordon.js';
import { act, DONE, type Facts, type StepResult } from '../facts/facts.js';
import type { Step } from './step.js';

export const cordon: Step = {
  isNeeded: ({ nodeOp }) => nodeOp.spec.cordon,
  onEnter: () => ({ cordoned: true }),
  evaluate(facts): StepResult {
    const seen = cordonOf(facts);
    if (seen === 'foreign' || (seen === 'ours' && facts.ledger?.cordoned === true)) return DONE;
    return act({ do: 'cordon' }, { message: 'cordoning the node' });
  },
};

/**
 * open: schedulable. ours: by this operation. left: by an operation that is over, to be taken over.
 * foreign: by somebody else; used as it is and never undone.
 */
export function cordonOf({ node, nodeOp, isMarkOwnerActive }: Facts): 'open' | 'ours' | 'left' | 'foreign' {
  const mark = cordonMarkOf(node);
  if (!isCordoned(node)) return 'open';
  if (mark === nodeOp.cordonMark) return 'ours';
  return mark !== undefined && !isMarkOwnerActive ? 'left' : 'foreign';
}
