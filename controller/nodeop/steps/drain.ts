/** Pods leave the node through the Eviction API, so that every budget holds. */
import type { DrainOptions } from '../../../api/drain.js';
import { matches } from '../../../kube/selector.js';
import type { CachedPod } from '../../cluster/pod.js';
import {
  controllerOf,
  podName,
  podNames,
  type ClassifiedPods,
  classifyPods,
  stayingMessage,
} from './drainable-pods.js';
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { after } from '../../../program/clock.js';
import type { Step } from './step.js';

export const drain: Step = {
  isNeeded: ({ nodeOp, ledger }) =>
    nodeOp.spec.cordon && nodeOp.spec.drainOptions?.enabled === true && ledger?.drainSkipped !== true,
  onEnter: facts => (facts.hasOtherSchedulableNode ? {} : { drainSkipped: true }),
  evaluate(facts): StepResult {
    const options = facts.nodeOp.spec.drainOptions;
    if (options === undefined) return DONE;
    const sorted = classifyPods(facts.pods, options, facts.ownNamespace);
    if (sorted.blocking.length > 0)
      return fail('DrainRefused', `pods of DaemonSets are in the way: ${podNames(sorted.blocking)}`);
    const budgetless = facts.nodeOp.spec.rebootOnSuccess ? stayersWithoutBudget(facts, sorted) : [];
    if (sorted.evictable.length === 0 && sorted.awaited.length === 0 && budgetless.length === 0) return DONE;
    return goOn(facts, { options, sorted, budgetless });
  },
};

/** A pod that stays goes down with the node: its budget must allow that, too. */
function stayersWithoutBudget({ budgets }: Facts, { staying }: ClassifiedPods): string[] {
  return staying.flatMap(({ pod }) =>
    budgets
      .filter(budget => budget.metadata.namespace === pod.metadata.namespace)
      .filter(({ spec: { selector } }) => selector !== undefined && matches(selector, pod.metadata.labels))
      .filter(budget => (budget.status?.disruptionsAllowed ?? 0) < 1)
      .map(budget => `${podName(pod)} stays and budget ${budget.metadata.name} allows no disruption`),
  );
}

/** A pod that was deleted past its budget and does not go (its own long grace, a finalizer, a dead runtime) is not waited for without end. */
const DELETED_GRACE_SECONDS = 300;

interface Left {
  options: DrainOptions;
  sorted: ClassifiedPods;
  budgetless: string[];
}

function goOn(facts: Facts, { options, sorted, budgetless }: Left): StepResult {
  const deadline =
    options.timeoutSeconds > 0 ? after(stepStartedAt(facts, 'Drain'), options.timeoutSeconds) : undefined;
  const late = deadline !== undefined && facts.ledger?.step === 'Drain' && facts.now >= deadline;
  const message = progress(facts, sorted, budgetless);
  if (late && options.onTimeout === 'Proceed') return DONE;
  if (late && options.onTimeout === 'Fail')
    return fail('DrainTimeout', `not drained within ${options.timeoutSeconds} s: ${message}`);
  const present = sorted.evictable.filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined && !facts.replacements.has(metadata.uid),
  );
  if (late && sorted.evictable.length === 0) return DONE;
  if (late && facts.now >= after(deadline, DELETED_GRACE_SECONDS))
    return fail('DrainTimeout', `deleted pods did not go within ${DELETED_GRACE_SECONDS} s: ${message}`);
  const due = present.filter(
    pod => (facts.evictionRefusals.get(pod.metadata.uid)?.notBefore ?? facts.now) <= facts.now,
  );
  const bypassing = late ? 'budgets' : 'nothing';
  if (due.length > 0) return act({ do: 'evict', pods: due, bypassing }, { reason: 'Draining', message });
  return wait('Draining', message, soonest(facts, present, late ? undefined : deadline));
}

function soonest({ evictionRefusals, now }: Facts, present: readonly CachedPod[], deadline?: Date): Date {
  const times = present.map(pod => evictionRefusals.get(pod.metadata.uid)?.notBefore ?? now);
  const next = [...times, ...(deadline ? [deadline] : []), after(now, 60)].sort((a, b) => a.getTime() - b.getTime());
  return next[0] ?? now;
}

/** Which pods, which budget, since when. */
function progress(
  facts: Facts,
  { evictable, staying, awaited }: ClassifiedPods,
  budgetless: readonly string[],
): string {
  const { evictionRefusals, replacements } = facts;
  const back = evictable.filter(pod => replacements.has(pod.metadata.uid));
  const going = evictable.filter(pod => !replacements.has(pod.metadata.uid));
  const refused = going.map(pod => evictionRefusals.get(pod.metadata.uid)?.message).find(text => text !== undefined);
  const kept = staying.length > 0 && stayingMessage(staying);
  const words = [
    going.length > 0 && `waiting for ${podNames(going)} to leave`,
    refused,
    awaited.length > 0 && `waiting for the build in ${podNames(awaited)} to end`,
    back[0] && `${podNames(back)} put back on this node by ${controllerOf(back[0])?.kind}`,
    ...budgetless.slice(0, 2),
    kept,
  ];
  const since =
    facts.ledger?.step === 'Drain' ? ` (draining since ${stepStartedAt(facts, 'Drain').toISOString()})` : '';
  return `${words.filter(Boolean).join('; ')}${since}`;
}
