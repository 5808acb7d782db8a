/** Creates the Job of the command and records it in the ledger before it may run. */
import { LABELS } from '../../../api/names.js';
import { after } from '../../../program/clock.js';
import type { CachedJob } from '../../cluster/job.js';
import { isOrphanedCommand, isPodOfNodeOp } from '../../cluster/own-pods.js';
import { isAlive, type CachedPod } from '../../cluster/pod.js';
import { act, stepStartedAt, type Facts, fail, type StepResult, refusalTimeout, wait } from '../facts/facts.js';
import { podName } from './drainable-pods.js';

/** The Job is created suspended. */
export const createJob = (facts: Facts): StepResult =>
  awaitEarlierRun(facts) ??
  awaitDeletedJob(facts) ??
  refusalTimeout(facts, 'Run') ??
  act({ do: 'createJob' }, { message: 'Job created' });

export function recordJob({ ledger, now }: Facts, { metadata: { name, uid } }: CachedJob): StepResult {
  const change = { job: { name, uid }, stepTimes: { ...ledger?.stepTimes, Resume: now.toISOString() } };
  return act({ do: 'record', change }, { message: 'Job created' });
}

/** An operation that failed while the node was unreachable may have left a running command: two of them never share a node. */
function awaitEarlierRun(facts: Facts): StepResult | undefined {
  const earlier = facts.pods.find(pod => isCommand(pod) && isAlive(pod));
  if (earlier === undefined) return undefined;
  const seconds = facts.nodeOp.spec.startDeadlineSeconds;
  const until = after(stepStartedAt(facts, 'Run'), seconds);
  const pod = `Pod ${podName(earlier)} of an earlier run`;
  return facts.now >= until
    ? fail('NotStarted', `${pod} did not end within ${seconds} s`)
    : wait('JobRunning', `waiting for ${pod} to end`, until);
}

/** Something deleted the Job before it was recorded, and therefore before it ran. Its name is free when its finalizer is removed. */
function awaitDeletedJob(facts: Facts): StepResult | undefined {
  if (facts.job === undefined) return undefined;
  const seconds = facts.nodeOp.spec.startDeadlineSeconds;
  const until = after(stepStartedAt(facts, 'Run'), seconds);
  return facts.now >= until
    ? fail('NotStarted', `a deleted Job of the same name was not removed within ${seconds} s`)
    : wait('JobRunning', 'waiting for a deleted Job of the same name to be removed', until);
}

const isCommand = (pod: CachedPod): boolean => {
  const { labels = {} } = pod.metadata;
  const isHelper = labels[LABELS.preflight] !== undefined || labels[LABELS.pull] !== undefined;
  return isOrphanedCommand(pod) || (isPodOfNodeOp(pod) && !isHelper);
};
