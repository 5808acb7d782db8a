/** Evicts the pods of the node through the Eviction API, so that every disruption budget holds. */
import type { DrainOptions } from '../../../api/drain.js';
import { matches } from '../../../kube/selector.js';
import { after } from '../../../program/clock.js';
import type { CachedPod } from '../../cluster/pod.js';
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import {
  controllerOf,
  podName,
  podNames,
  type ClassifiedPods,
  classifyPods,
  stayingMessage,
} from './drainable-pods.js';
import type { Step } from './step.js';

export const drain: Step = {
  isNeeded: ({ nodeOp, ledger }) =>
    nodeOp.spec.cordon && nodeOp.spec.drainOptions?.enabled === true && ledger?.drainSkipped !== true,
  onEnter: facts => (facts.hasOtherSchedulableNode ? {} : { drainSkipped: true }),
  evaluate(facts): StepResult {
    const options = facts.nodeOp.spec.drainOptions;
    if (options === undefined) return DONE;
    const pods = classifyPods(facts.pods, options, facts.ownNamespace);
    if (pods.blocking.length > 0)
      return fail('DrainRefused', `pods of DaemonSets block the drain: ${podNames(pods.blocking)}`);
    const overBudget = facts.nodeOp.spec.rebootOnSuccess ? stayingOverBudget(facts, pods) : [];
    if (pods.evictable.length === 0 && pods.awaited.length === 0 && overBudget.length === 0) return DONE;
    const message = progressMessage(facts, pods, overBudget);
    const deadline = deadlineOf(facts, options);
    const isLate = deadline !== undefined && facts.ledger?.step === 'Drain' && facts.now >= deadline;
    return isLate ? afterTimeout(facts, { options, pods, message }) : beforeTimeout(facts, { options, pods, message });
  },
};

/** A drain without a timeout waits indefinitely. */
const deadlineOf = (facts: Facts, { timeoutSeconds }: DrainOptions): Date | undefined =>
  timeoutSeconds > 0 ? after(stepStartedAt(facts, 'Drain'), timeoutSeconds) : undefined;

/** A pod that stays on the node goes down with it, which its budgets must allow as well. */
function stayingOverBudget({ budgets }: Facts, { staying }: ClassifiedPods): string[] {
  return staying.flatMap(({ pod }) =>
    budgets
      .filter(budget => budget.metadata.namespace === pod.metadata.namespace)
      .filter(({ spec: { selector } }) => selector !== undefined && matches(selector, pod.metadata.labels))
      .filter(budget => (budget.status?.disruptionsAllowed ?? 0) < 1)
      .map(budget => `${podName(pod)} stays and budget ${budget.metadata.name} allows no disruption`),
  );
}

interface DrainState {
  options: DrainOptions;
  pods: ClassifiedPods;
  message: string;
}

function beforeTimeout(facts: Facts, { options, pods, message }: DrainState): StepResult {
  const present = presentPods(facts, pods);
  const due = dueForEviction(facts, present);
  if (due.length > 0) return act({ do: 'evict', pods: due, bypassing: 'nothing' }, { reason: 'Draining', message });
  return wait('Draining', message, nextCheck(facts, present, deadlineOf(facts, options)));
}

/**
 * A pod that was deleted past its budget may still not terminate, because of a long grace period, a finalizer or a broken runtime.
 */
const DELETION_SECONDS = 300;

function afterTimeout(facts: Facts, { options, pods, message }: DrainState): StepResult {
  const { timeoutSeconds, onTimeout } = options;
  if (onTimeout === 'Proceed') return DONE;
  if (onTimeout === 'Fail') return fail('DrainTimeout', `not drained within ${timeoutSeconds} s: ${message}`);
  if (pods.evictable.length === 0) return DONE;
  if (facts.now >= after(stepStartedAt(facts, 'Drain'), timeoutSeconds + DELETION_SECONDS))
    return fail('DrainTimeout', `deleted pods did not terminate within ${DELETION_SECONDS} s: ${message}`);
  const present = presentPods(facts, pods);
  const due = dueForEviction(facts, present);
  if (due.length > 0) return act({ do: 'evict', pods: due, bypassing: 'budgets' }, { reason: 'Draining', message });
  return wait('Draining', message, nextCheck(facts, present));
}

/** Without terminating pods, and without replacements: a controller that ignores the cordon would create them again and again. */
const presentPods = ({ replacements }: Facts, { evictable }: ClassifiedPods): CachedPod[] =>
  evictable.filter(({ metadata }) => metadata.deletionTimestamp === undefined && !replacements.has(metadata.uid));

/** A refused eviction is repeated only after a pause. */
const dueForEviction = ({ evictionRefusals, now }: Facts, present: readonly CachedPod[]): CachedPod[] =>
  present.filter(pod => (evictionRefusals.get(pod.metadata.uid)?.notBefore ?? now) <= now);

function nextCheck({ evictionRefusals, now }: Facts, present: readonly CachedPod[], deadline?: Date): Date {
  const retries = present.map(pod => evictionRefusals.get(pod.metadata.uid)?.notBefore ?? now);
  const times = [...retries, ...(deadline ? [deadline] : []), after(now, 60)];
  return times.sort((a, b) => a.getTime() - b.getTime())[0] ?? now;
}

/** Which pods the drain waits for, why, and since when. */
function progressMessage(
  facts: Facts,
  { evictable, staying, awaited }: ClassifiedPods,
  overBudget: readonly string[],
): string {
  const { evictionRefusals, replacements, ledger } = facts;
  const replaced = evictable.filter(pod => replacements.has(pod.metadata.uid));
  const remaining = evictable.filter(pod => !replacements.has(pod.metadata.uid));
  const refusal = remaining
    .map(pod => evictionRefusals.get(pod.metadata.uid)?.message)
    .find(text => text !== undefined);
  const parts = [
    remaining.length > 0 && `waiting for ${podNames(remaining)} to terminate`,
    refusal,
    awaited.length > 0 && `waiting for the build in ${podNames(awaited)} to end`,
    replaced[0] && `${podNames(replaced)} recreated on this node by ${controllerOf(replaced[0])?.kind}`,
    ...overBudget.slice(0, 2),
    staying.length > 0 && stayingMessage(staying),
  ];
  const startedAt = stepStartedAt(facts, 'Drain').toISOString();
  const since = ledger?.step === 'Drain' ? ` (draining since ${startedAt})` : '';
  return `${parts.filter(Boolean).join('; ')}${since}`;
}
