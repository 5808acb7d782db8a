/** When an operation is reconciled next. Pure. */
import type { Outcome } from '../../kube/reconciler.js';
import type { StatusWrite } from './act/status-writer.js';
import type { Plan } from './decide.js';
import type { PlannedAction } from './facts/facts.js';

/** A change that no watch reported would be waited for indefinitely, so every open operation is reconciled this often. */
const RESYNC_MS = 60_000;

/** A deletion shows only with its watch event; a pass before that would repeat it. */
const AFTER_DELETION_MS = 200;

/** A deadline that has just passed must not turn into a busy loop. */
const MIN_DEADLINE_MS = 50;

export const claimsNodes = ({ actions }: Plan): boolean => actions.some(({ action }) => action.do === 'claim');

const isDeletion = ({ action }: PlannedAction) => action.do === 'deletePods' || action.do === 'deleteJob';

export function nextPass(
  plan: Plan,
  { errors, statusWrite }: { errors: readonly unknown[]; statusWrite: StatusWrite },
  now: Date,
): Outcome {
  if (errors.length === 0 && plan.actions.length > 0)
    return { then: 'requeue', afterMs: plan.actions.every(isDeletion) ? AFTER_DELETION_MS : 0 };
  const deadlineMs = plan.requeueAt === undefined ? RESYNC_MS : plan.requeueAt.getTime() - now.getTime();
  const afterMs = Math.min(Math.max(deadlineMs, MIN_DEADLINE_MS), statusDelay(statusWrite), RESYNC_MS);
  return errors.length > 0 ? { then: 'failed', error: errors[0], afterMs } : { then: 'requeue', afterMs };
}

/** After a write the next pass runs at once, because decisions depend on the written status. */
function statusDelay(write: StatusWrite): number {
  if (write.is === 'delayed') return write.afterMs;
  return write.is === 'written' ? 0 : RESYNC_MS;
}
