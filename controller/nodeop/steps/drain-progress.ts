/** Continues a drain: evicts what is due, waits for the rest, and ends it at its timeout. */
import type { DrainOptions } from '../../../api/drain.js';
import { after } from '../../../program/clock.js';
import type { CachedPod } from '../../cluster/pod.js';
import { act, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { podNames, type ClassifiedPods, stayingMessage } from './drainable-pods.js';
import { awaitReadyNode } from './node-readiness.js';

export interface Drain {
  options: DrainOptions;
  pods: ClassifiedPods;
  /** Why pods that stay may not go down yet. */
  overBudget: readonly string[];
  /** When it was begun; undefined before that is recorded. */
  since?: Date;
  /** Precedes the message. */
  label?: string;
}

/** Done when nothing is left to be evicted or waited for. */
export function continueDrain(facts: Facts, drain: Drain): StepResult {
  const { pods, overBudget } = drain;
  if (pods.evictable.length === 0 && pods.awaited.length === 0 && overBudget.length === 0) return DONE;
  const state = { ...drain, message: progressMessage(facts, drain) };
  const deadline = deadlineOf(facts, drain);
  if (deadline === undefined) return withoutTimeout(facts, state);
  const isLate = drain.since !== undefined && facts.now >= deadline;
  return isLate ? afterTimeout(facts, state) : beforeTimeout(facts, state);
}

/** A drain without a timeout waits indefinitely, but not on a node that does not come back: nothing terminates pods there. */
function withoutTimeout(facts: Facts, state: DrainState): StepResult {
  const result = beforeTimeout(facts, state);
  if (result.is !== 'wait') return result;
  const seconds = facts.nodeOp.spec.rebootTimeoutSeconds;
  const timeout = () => fail('Unreachable', `the node has not been Ready for ${seconds} s during its drain`);
  const { reason, message } = result;
  const notReady = { reason, message: `the node is not Ready; ${message}`, readyAgain: { reason, message } };
  return awaitReadyNode(facts, seconds, timeout, notReady) ?? result;
}

const deadlineOf = ({ now }: Facts, { options: { timeoutSeconds }, since = now }: Drain): Date | undefined =>
  timeoutSeconds > 0 ? after(since, timeoutSeconds) : undefined;

type DrainState = Drain & { message: string };

/** Budgets are asked again as often as a refused eviction is repeated. */
const BUDGET_RECHECK_SECONDS = 5;

function beforeTimeout(facts: Facts, state: DrainState): StepResult {
  const { pods, overBudget, message } = state;
  const present = presentPods(pods);
  const due = dueForEviction(facts, present);
  if (due.length > 0) return act({ do: 'evict', pods: due, bypassing: 'nothing' }, { reason: 'Draining', message });
  const deadline = deadlineOf(facts, state);
  const recheck = overBudget.length > 0 ? after(facts.now, BUDGET_RECHECK_SECONDS) : undefined;
  return wait('Draining', message, nextCheck(facts, present, [deadline, recheck]));
}

/**
 * A pod that was deleted past its budget may still not terminate, because of a long grace period, a finalizer or a broken runtime.
 */
const DELETION_SECONDS = 300;

function afterTimeout(facts: Facts, { options, pods, message, since = facts.now }: DrainState): StepResult {
  const { timeoutSeconds, onTimeout } = options;
  if (onTimeout === 'Proceed') return DONE;
  if (onTimeout === 'Fail') return fail('DrainTimeout', `not drained within ${timeoutSeconds} s: ${message}`);
  if (pods.evictable.length === 0) return DONE;
  if (facts.now >= after(since, timeoutSeconds + DELETION_SECONDS))
    return fail('DrainTimeout', `deleted pods did not terminate within ${DELETION_SECONDS} s: ${message}`);
  const present = presentPods(pods);
  const due = dueForEviction(facts, present);
  if (due.length > 0) return act({ do: 'evict', pods: due, bypassing: 'budgets' }, { reason: 'Draining', message });
  return wait('Draining', message, nextCheck(facts, present));
}

const presentPods = ({ evictable }: ClassifiedPods): CachedPod[] =>
  evictable.filter(({ metadata }) => metadata.deletionTimestamp === undefined);

/** A refused eviction is repeated only after a pause. */
const dueForEviction = ({ evictionRefusals, now }: Facts, present: readonly CachedPod[]): CachedPod[] =>
  present.filter(pod => (evictionRefusals.get(pod.metadata.uid)?.notBefore ?? now) <= now);

function nextCheck(
  { evictionRefusals, now }: Facts,
  present: readonly CachedPod[],
  others: readonly (Date | undefined)[] = [],
): Date {
  const retries = present.map(pod => evictionRefusals.get(pod.metadata.uid)?.notBefore ?? now);
  const times = [...retries, ...others.filter(time => time !== undefined), after(now, 60)];
  return times.sort((a, b) => a.getTime() - b.getTime())[0] ?? now;
}

/** Which pods the drain waits for, why, and since when. */
function progressMessage(facts: Facts, { pods, overBudget, since, label = '' }: Drain): string {
  const { evictable, awaited } = pods;
  const parts = [
    evictable.length > 0 && `waiting for ${podNames(evictable)} to terminate`,
    ...refusalMessages(facts, presentPods(pods)),
    awaited.length > 0 && `waiting for the build in ${podNames(awaited)} to end`,
    ...overBudget.slice(0, 2),
    stayingMessage(pods),
  ];
  const start = since === undefined ? '' : ` (draining since ${since.toISOString()})`;
  return `${label}${parts.filter(Boolean).join('; ')}${start}`;
}

const MAX_REFUSALS = 3;

/** A terminating pod is not refused any more, and must not hide the words about the others. */
function refusalMessages({ evictionRefusals }: Facts, present: readonly CachedPod[]): string[] {
  const messages = new Set(present.flatMap(pod => evictionRefusals.get(pod.metadata.uid)?.message ?? []));
  return [...messages].slice(0, MAX_REFUSALS);
}
