/** Runs the command on the node in a Job. The Job is created once: it is never repeated beyond its own backoffLimit. */
import type { Operation } from '../../../api/node-agent.js';
import { bootIdOf, type CachedNode } from '../../cluster/node.js';
import { isAlive, isPodReady, newestOf, type CachedPod } from '../../cluster/pod.js';
import { conditionOf, hasEnded, type CachedJob } from '../../cluster/job.js';
import { act, DONE, type Facts, fail, type LedgerChange, type StepResult } from '../facts/facts.js';
import { readyStaticPods } from '../facts/static-pods.js';
import { awaitBootConfirmation } from './adopted-job-boot.js';
import { awaitControlPlaneTurn } from './control-plane.js';
import { endDeletedRun } from './deleted-run.js';
import { drainAgain } from './drain-again.js';
import { createJob, recordJob } from './job-creation.js';
import { jobFailed } from './job-failure.js';
import { awaitJobProgress } from './job-progress.js';
import { resumeJob, timesSuspendedAgain } from './job-start.js';
import { awaitRecord, isSuccessful, recordSentinel, recordSuccess } from './job-success.js';
import { awaitRunningNode } from './node-readiness.js';
import { endRefused } from './refused-act.js';
import type { Step } from './step.js';
import { isTerminating } from '../../cluster/metadata.js';
import { ownValue } from '../../../program/own-value.js';

export const run: Step = {
  isNeeded: () => true,
  /** What the reboot is verified against cannot be observed any more after it. */
  onEnter: ({ node, pods, nodeOp, name }) => ({
    bootIdBefore: ownValue(nodeOp.status.nodeStatuses, name)?.bootIdBefore ?? bootIdOf(node),
    ...(nodeOp.spec.rebootOnSuccess
      ? { ...recordedSystemUUID(node), daemonSets: readyDaemonSets(pods), ...recordedStaticPods(pods) }
      : {}),
  }),
  evaluate(facts): StepResult {
    const { job, ledger, nodeOp } = facts;
    const recorded = ledger?.job;
    if (recorded === undefined) {
      if (nodeOp.isDeleting) return fail('Deleted', 'the operation was deleted before its Job started');
      return job === undefined || isTerminating(job) ? createJob(facts) : recordJob(facts, job);
    }
    if (nodeOp.isDeleting && !nodeOp.spec.rebootOnSuccess) return endDeletedRun(facts);
    if (job === undefined || job.metadata.uid !== recorded.uid) return afterDeletion(facts, recorded);
    if (isDeletedEarly(facts, job)) return recordSuccess(facts, job) ?? afterDeletion(facts, recorded);
    return followJob(facts, job);
  },
};

const isDeletedEarly = (facts: Facts, job: CachedJob): boolean =>
  isTerminating(job) && !hasEnded(job) && !isSuccessful(facts, job);

/** The result of a command that is known to have succeeded does not depend on its Job any more. */
const afterDeletion = (facts: Facts, { name, succeededIn }: NonNullable<Operation['job']>): StepResult =>
  succeededIn === undefined
    ? fail('JobDeleted', `Job ${name} was deleted before it had finished`)
    : followSuccess(facts, undefined);

function followJob(facts: Facts, job: CachedJob): StepResult {
  if (isSuccessful(facts, job)) return afterCommand(facts);
  const success = recordSuccess(facts, job);
  if (success) return success;
  if (facts.ledger?.job?.succeededIn !== undefined) return followSuccess(facts, job);
  const failed = conditionOf(job, 'Failed');
  if (failed) return jobFailed(facts, failed);
  if (job.spec.suspend === true) return facts.nodeOp.isDeleting ? endSuspendedRun(job) : resumeJob(facts, job);
  return awaitRunningNode(facts) ?? awaitJobProgress(facts);
}

/** The command has succeeded, and the Job is not Complete: something else keeps its Pod, has ended it, or has deleted the Job. */
function followSuccess(facts: Facts, job: CachedJob | undefined): StepResult {
  const pod = newestOf(facts.jobPods);
  const mayGoOn = job !== undefined && !hasEnded(job) && job.spec.suspend !== true;
  const isAwaited = mayGoOn && pod !== undefined && isAlive(pod);
  const node = isAwaited ? awaitRunningNode(facts) : undefined;
  const result = node ?? awaitRecord(facts, isAwaited ? pod : undefined);
  if (result) return result;
  if (mayGoOn) return recordSentinel(facts) ?? stopJob(facts, job);
  return afterCommand(facts);
}

/** An added container that cannot be ended does not change the result. */
const stopJob = (facts: Facts, job: CachedJob): StepResult =>
  endRefused(facts, 'stopping the Job', () => afterCommand(facts)) ??
  act({ do: 'suspendJob', job }, { message: 'the command has succeeded; stopping the Job' });

/** The command of a deleted operation may finish, but it is never started: not for the first time, and not after something else suspended it. */
const endSuspendedRun = (job: CachedJob): StepResult =>
  timesSuspendedAgain(job) === 0
    ? fail('Deleted', 'the operation was deleted before its Job started')
    : fail('Deleted', 'the operation was deleted while its Job was suspended from outside');

const afterCommand = (facts: Facts): StepResult =>
  facts.nodeOp.spec.rebootOnSuccess ? awaitRebootPermission(facts) : DONE;

/** A deleted operation does not wait for other control planes: it ends without its reboot. */
function awaitRebootPermission(facts: Facts): StepResult {
  const confirmation = awaitBootConfirmation(facts);
  if (confirmation) return confirmation;
  const turn = awaitControlPlaneTurn(facts);
  if (facts.nodeOp.isDeleting && turn?.is === 'wait')
    return fail('Deleted', 'the operation was deleted before its reboot');
  return turn ?? drainAgain(facts);
}

/** While the machine is down, its Node may be deleted: by this, the machine is recognized under another one. */
function recordedSystemUUID(node: CachedNode | undefined): LedgerChange {
  const { systemUUID } = node?.status?.nodeInfo ?? {};
  return systemUUID ? { systemUUID } : {};
}

/** Nothing is recorded on a node without static pods. */
function recordedStaticPods(pods: readonly CachedPod[]): LedgerChange {
  const staticPods = readyStaticPods(pods);
  return staticPods.length === 0 ? {} : { staticPods };
}

function readyDaemonSets(pods: readonly CachedPod[]): string[] {
  const uids = pods
    .filter(isPodReady)
    .flatMap(pod => pod.metadata.ownerReferences ?? [])
    .filter(owner => owner.kind === 'DaemonSet' && owner.controller === true)
    .map(owner => owner.uid);
  return [...new Set(uids)];
}
