/** Makes the node schedulable again, if this operation cordoned it. */
import { cordonMarkOf } from '../../cluster/cordon.js';
import type { CachedJob } from '../../cluster/job.js';
import { act, DONE, type Facts } from '../facts/facts.js';
import type { Step } from './step.js';

/** A node on which the command may have run and the operation has failed stays cordoned for inspection, unless the user decides otherwise. */
const staysCordoned = ({ ledger, job, nodeOp }: Facts): boolean =>
  ledger?.result?.phase === 'Failed' &&
  ledger.job !== undefined &&
  !isNeverResumed(job) &&
  !nodeOp.spec.uncordonOnFailure &&
  !nodeOp.isDeleting;

/** Created suspended, which is generation 1, and not changed since: each resume and each stop is another generation. */
const isNeverResumed = (job: CachedJob | undefined): boolean =>
  job?.spec.suspend === true && job.metadata.generation === 1;

export const uncordon: Step = {
  isNeeded: facts => facts.ledger?.cordoned === true && !staysCordoned(facts),
  /** The mark alone decides: it must also be removed from a node that a user has made schedulable meanwhile. */
  evaluate: ({ node, nodeOp }) =>
    cordonMarkOf(node) === nodeOp.cordonMark ? act({ do: 'uncordon' }, { message: 'uncordoning the node' }) : DONE,
};
