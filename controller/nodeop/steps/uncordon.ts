/** Makes the node schedulable again, if this operation cordoned it. */
import { act, DONE, type Facts } from '../facts/facts.js';
import { cordonOf } from './cordon.js';
import type { Step } from './step.js';

/** Did the command have its chance? Then the node is left for inspection, unless the user thinks otherwise. */
const stays = ({ ledger, nodeOp }: Facts): boolean =>
  ledger?.result?.phase === 'Failed' &&
  ledger.stepTimes.Run !== undefined &&
  !nodeOp.spec.uncordonOnFailure &&
  !nodeOp.isDeleting;

export const uncordon: Step = {
  isNeeded: facts => facts.ledger?.cordoned === true && !stays(facts),
  evaluate: facts =>
    cordonOf(facts) === 'ours' || markLeft(facts) ? act({ do: 'uncordon' }, { message: 'uncordoning the node' }) : DONE,
};

/** Somebody made the node schedulable and left our mark. */
const markLeft = ({ node, nodeOp }: Facts) =>
  Object.values(node?.metadata.annotations ?? {}).includes(nodeOp.cordonMark);
