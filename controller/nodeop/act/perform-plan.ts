/** Performs the actions of a plan, several nodes at a time. An error on one node delays neither the others nor the status. */
import { isConflict, isRefusal } from '../../../kube/errors.js';
import type { Action, PlannedAction } from '../facts/facts.js';
import type { LiveReads } from '../reads/live-reads.js';
import type { RefusedWrites } from '../reads/refused-writes.js';
import { act, type ActDeps } from './act.js';
import { JobSuspendedError } from './workloads.js';

interface PerformDeps extends ActDeps {
  liveReads: Pick<LiveReads, 'hasChanged' | 'refreshAfterConflict'>;
  refusedWrites: Pick<RefusedWrites, 'record' | 'clear'>;
}

/** Keeps an operation over many nodes from flooding the API server. */
const MAX_PARALLEL_ACTIONS = 16;

/** Returns the errors, in the order in which they occurred. */
export async function performAll(actions: readonly PlannedAction[], deps: PerformDeps): Promise<unknown[]> {
  const errors: unknown[] = [];
  /* Evictions pass the admission webhooks of others and may take seconds, so they come last. */
  const queue = actions.toSorted((a, b) => Number(a.action.do === 'evict') - Number(b.action.do === 'evict'));
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      try {
        await perform(next, deps);
      } catch (error) {
        errors.push(error);
      }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL_ACTIONS, actions.length) }, work));
  return errors;
}

async function perform({ facts, action }: PlannedAction, deps: PerformDeps): Promise<void> {
  const uid = facts.nodeOp.meta.uid;
  try {
    await act(facts, action, deps);
    deps.refusedWrites.clear(uid, facts.name);
  } catch (error) {
    if (isConflict(error)) await deps.liveReads.refreshAfterConflict(facts);
    const message = refusalMessage(error, action);
    if (message !== undefined) deps.refusedWrites.record(uid, facts.name, message);
    throw error;
  }
}

/**
 * What the status reports of an error; undefined for one that the next pass is expected to cure. A conflict counts only where it means
 * that another node has the turn of the control planes, which may take long.
 */
export function refusalMessage(error: unknown, action: Action): string | undefined {
  const isTurnTaken = isConflict(error) && action.do === 'takeControlPlane';
  return isRefusal(error) || error instanceof JobSuspendedError || isTurnTaken ? error.message : undefined;
}
