/** Makes the node schedulable again, if this operation cordoned it. */
import type { Reason } from '../../../api/reasons.js';
import { cordonMarkOf } from '../../cluster/cordon.js';
import { resumesOf } from '../../cluster/job.js';
import { act, DONE, type Facts, type StepResult } from '../facts/facts.js';
import { endRefused } from './refused-act.js';
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
  evaluate: facts => {
    if (cordonMarkOf(facts.node) !== facts.nodeOp.cordonMark) return DONE;
    const leave = (words: string) => leaveCordoned(facts, words);
    return (
      endRefused(facts, 'uncordoning the node', leave) ?? act({ do: 'uncordon' }, { message: 'uncordoning the node' })
    );
  },
};

/** The mark stays: a retry undoes the cordon, and so does the cleanup when the operation is deleted. */
function leaveCordoned({ ledger }: Facts, words: string): StepResult {
  const result = ledger?.result;
  if (result === undefined) return DONE;
  const reason: Reason | undefined = result.phase === 'Completed' ? 'UncordonRefused' : result.reason;
  const message = `${result.message}; the node stays cordoned: ${words}`;
  return act({ do: 'record', change: { cordoned: null, result: { ...result, phase: 'Failed', reason, message } } });
}
