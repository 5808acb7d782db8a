/** Makes the node unschedulable and marks it as cordoned by this operation. */
import { cordonState } from '../facts/cordon-state.js';
import { act, DONE, refusalTimeout, type StepResult } from '../facts/facts.js';
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
