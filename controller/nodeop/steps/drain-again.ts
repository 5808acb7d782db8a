/**
 * Drains the node once more, right before its reboot is requested. While the command ran, pods may have come that tolerate the cordon or were
 * bound before it, and on a Node that was registered anew all of them may have. They would go down without having been evicted.
 */
import { after } from '../../../program/clock.js';
import type { CachedPod } from '../../cluster/pod.js';
import { act, DONE, type Facts, fail, type StepResult } from '../facts/facts.js';
import { drain } from './drain.js';
import { continueDrain, type Drain } from './drain-progress.js';
import { type ClassifiedPods, classifyPods, remainingPods } from './drainable-pods.js';
import { budgetRefusals } from './staying-budgets.js';

const DRAIN_AGAIN = 'DrainAgain';

/** Done at once where no pod has come. */
export function drainAgain(facts: Facts): StepResult {
  const drainToContinue = drain.isNeeded(facts) ? newDrain(facts) : undefined;
  const result = drainToContinue ? continueDrain(facts, drainToContinue) : DONE;
  if (result.is === 'done' || result.is === 'end') return result;
  if (facts.nodeOp.isDeleting) return fail('Deleted', 'the operation was deleted before its reboot');
  return facts.ledger?.stepTimes[DRAIN_AGAIN] === undefined ? recordStart(facts, result) : result;
}

function newDrain(facts: Facts): Drain | undefined {
  const { nodeOp, ownNamespace, replacements, budgets, ledger } = facts;
  const options = nodeOp.spec.drainOptions;
  if (options === undefined) return undefined;
  const classified = classifyPods(facts.pods, { options, ownNamespace, replacements });
  const pods = withoutDrained(facts, classified);
  const begun = ledger?.stepTimes[DRAIN_AGAIN];
  return {
    options,
    pods,
    overBudget: budgetRefusals([...remainingPods(pods), ...pods.blocking], budgets),
    since: begun === undefined ? undefined : new Date(begun),
    label: 'before the reboot: ',
  };
}

/**
 * What the drain has left on the node was judged by it: the pods that stay, and with onTimeout Proceed those that were not evicted in time.
 * Without another node that could take them, the pods stay, as when the drain is skipped.
 */
function withoutDrained(facts: Facts, pods: ClassifiedPods): ClassifiedPods {
  const { nodeOp, hasOtherSchedulableNode } = facts;
  const isNew = (pod: CachedPod) => isNewcomer(facts, pod);
  const evictable = nodeOp.spec.drainOptions?.onTimeout === 'Proceed' ? pods.evictable.filter(isNew) : pods.evictable;
  const stranded = hasOtherSchedulableNode ? [] : evictable.filter(isPresent);
  const why = 'there is no other Ready, schedulable node';
  return {
    evictable: evictable.filter(pod => !stranded.includes(pod)),
    awaited: pods.awaited,
    staying: [...pods.staying.filter(({ pod }) => isNew(pod)), ...stranded.map(pod => ({ pod, why }))],
    recreated: pods.recreated.filter(isNew),
    blocking: pods.blocking.filter(isNew),
  };
}

const isPresent = ({ metadata }: CachedPod): boolean => metadata.deletionTimestamp === undefined;

/** Both times are of the API server, which writes whole seconds. The ledger has no time of steps that had nothing to do. */
function isNewcomer(facts: Facts, { metadata: { creationTimestamp } }: CachedPod): boolean {
  const { Drain: drainStarted, Cordon, Run } = facts.ledger?.stepTimes ?? {};
  const drained = drainStarted ?? Cordon ?? Run;
  return drained === undefined || after(new Date(creationTimestamp ?? 0), 1) > new Date(drained);
}

function recordStart({ ledger, now }: Facts, result: StepResult): StepResult {
  const stepTimes = { ...ledger?.stepTimes, [DRAIN_AGAIN]: now.toISOString() };
  const message = 'message' in result ? result.message : undefined;
  return act({ do: 'record', change: { stepTimes } }, { reason: 'Draining', message });
}
