/** Makes the node schedulable again, if this operation cordoned it. */
import { cordonMarkOf } from '../../cluster/cordon.js';
import { resumesOf } from '../../cluster/job.js';
import { act, DONE, type Facts } from '../facts/facts.js';
import type { Step } from './step.js';

/** A node on which the command may have run and the operation has failed stays cordoned for inspection, unless the user decides otherwise. */
const staysCordoned = (facts: Facts): boolean =>
  facts.ledger?.result?.phase === 'Failed' &&
  facts.ledger.job !== undefined &&
  !isNeverResumed(facts) &&
  !facts.nodeOp.spec.uncordonOnFailure &&
  !facts.nodeOp.isDeleting;

const isNeverResumed = ({ job, jobPods }: Facts): boolean =>
  job !== undefined && resumesOf(job) === 0 && jobPods.length === 0;

export const uncordon: Step = {
  isNeeded: facts => facts.ledger?.cordoned === true && !staysCordoned(facts),
  /** The mark alone decides: it must also be removed from a node that a user has made schedulable meanwhile. */
  evaluate: ({ node, nodeOp }) =>
    cordonMarkOf(node) === nodeOp.cordonMark ? act({ do: 'uncordon' }, { message: 'uncordoning the node' }) : DONE,
};
