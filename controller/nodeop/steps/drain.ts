/** Evicts the pods of the node through the Eviction API, so that every disruption budget holds. */
import { DONE, fail, stepStartedAt, type StepResult } from '../facts/facts.js';
import { continueDrain } from './drain-progress.js';
import { podNames, classifyPods, remainingPods } from './drainable-pods.js';
import { budgetRefusals } from './staying-budgets.js';
import type { Step } from './step.js';

export const drain: Step = {
  isNeeded: ({ nodeOp, ledger }) =>
    nodeOp.spec.cordon && nodeOp.spec.drainOptions?.enabled === true && ledger?.drainSkipped !== true,
  onEnter: facts => (facts.hasOtherSchedulableNode ? {} : { drainSkipped: true }),
  evaluate(facts): StepResult {
    const { nodeOp, ownNamespace, replacements, budgets, ledger } = facts;
    const options = nodeOp.spec.drainOptions;
    if (options === undefined) return DONE;
    const pods = classifyPods(facts.pods, { options, ownNamespace, replacements });
    if (pods.blocking.length > 0)
      return fail('DrainRefused', `pods of DaemonSets block the drain: ${podNames(pods.blocking)}`);
    /* A pod that stays on the node goes down with it, which its budgets must allow as well. */
    const overBudget = nodeOp.spec.rebootOnSuccess ? budgetRefusals(remainingPods(pods), budgets) : [];
    const since = ledger?.step === 'Drain' ? stepStartedAt(facts, 'Drain') : undefined;
    return continueDrain(facts, { options, pods, overBudget, since });
  },
};
