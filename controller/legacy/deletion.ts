/** A NodeOp that is being deleted: no reboot may follow, a Job that writes a system is not interrupted, and every wait has a limit. Pure. */
import { CONTAINERS, LABELS } from '../../api/names.js';
import { isAdopted } from '../cluster/adopted-job.js';
import { hasEnded, type CachedJob } from '../cluster/job.js';
import { containerNamed, containersOf, isAlive, type CachedPod } from '../cluster/pod.js';
import type { Action, Facts, Plan } from './facts.js';
import { LEGACY_FINALIZER } from './names.js';
import { deletionDeadline } from './reboot-pod.js';
import { isTerminating } from '../cluster/metadata.js';

/** Limit for a Job without activeDeadlineSeconds: the default of an upgrade. */
const JOB_SECONDS = 3600;

interface Awaited {
  name: string;
  until: Date;
}

export function planDeletion(facts: Facts): Plan {
  const { rebootPods, op, now } = facts;
  const alive = rebootPods.filter(pod => isAlive(pod) && !isTerminating(pod));
  if (alive.length > 0) return { actions: alive.map(deletePod) };
  const job = jobThatMayWrite(facts);
  const awaited = [
    ...terminatingPods(facts),
    ...(job ? [{ name: `Job ${job.metadata.name}`, until: jobDeadline(facts, job) }] : []),
  ];
  const inTime = awaited.filter(({ until }) => now < until);
  if (inTime.length > 0 && job && !isAdopted(job)) return { actions: [adoptWithoutReboot(job, now)] };
  const [first] = inTime;
  if (first) return { actions: [], waiting: `waiting for ${first.name} to finish, until ${first.until.toISOString()}` };
  return { actions: removeFinalizer(op, awaited.map(({ name }) => name).join(', ')) };
}

/** A command that has started gets its full time; one that has not, the time that it may take to start. */
function jobDeadline({ op, nodeOp, jobPods }: Facts, job: CachedJob): Date {
  const isStarted = podsOf(job, jobPods).some(hasStarted);
  const seconds = isStarted ? (nodeOp.spec.activeDeadlineSeconds ?? JOB_SECONDS) : nodeOp.spec.startDeadlineSeconds;
  return secondsAfter(op.metadata.deletionTimestamp, seconds);
}

const secondsAfter = (time: string | undefined, seconds: number): Date =>
  new Date(Date.parse(time ?? '') + seconds * 1000);

const terminatingPods = ({ rebootPods, readyNodes }: Facts): Awaited[] =>
  rebootPods
    .filter(pod => isAlive(pod) && readyNodes.has(pod.spec.nodeName ?? ''))
    .map(pod => ({
      name: `Pod ${pod.metadata.name}`,
      until: deletionDeadline(pod),
    }));

/** A Job with reboot may be writing a system, and the garbage collector would interrupt it. As in every other operation, it may finish. */
function jobThatMayWrite({ nodeOp, isLegacyOwned, jobs, jobPods, readyNodes }: Facts): CachedJob | undefined {
  if (!isLegacyOwned || !nodeOp.spec.rebootOnSuccess || nodeOp.isAbandoned) return undefined;
  const onReadyNodes = jobs.filter(job => readyNodes.has(job.metadata.labels?.[LABELS.node] ?? ''));
  return onReadyNodes.find(job => !hasEnded(job) && mayWrite(job, podsOf(job, jobPods)));
}

const podsOf = ({ metadata: { uid } }: CachedJob, pods: readonly CachedPod[]): CachedPod[] =>
  pods.filter(pod => pod.metadata.ownerReferences?.some(owner => owner.uid === uid));

/**
 * A Job has written nothing while its image cannot be pulled or its Pod is not scheduled. It may write if a Pod is about to run, or if the
 * Job reports a Pod that the informer has not seen yet.
 */
const mayWrite = ({ status }: CachedJob, pods: readonly CachedPod[]): boolean =>
  pods.length === 0
    ? (status?.active ?? 0) + (status?.failed ?? 0) > 0
    : pods.some(pod => hasStarted(pod) || isStarting(pod));

const hasStarted = (pod: CachedPod): boolean =>
  pod.status.phase !== 'Pending' ||
  containersOf(pod).some(
    ({ state, restartCount = 0 }) =>
      state?.running !== undefined || state?.terminated !== undefined || restartCount > 0,
  );

/** Waiting reasons of the kubelet for a container without any problem. */
const STARTING_REASONS = ['ContainerCreating', 'PodInitializing'];

/** A container that admission added may be unable to start without keeping the command from starting. */
const commandsOf = (pod: CachedPod) => {
  const command = containerNamed(pod, CONTAINERS.work);
  return command ? [command] : containersOf(pod);
};

const isStarting = (pod: CachedPod): boolean =>
  pod.spec.nodeName !== undefined &&
  commandsOf(pod).every(({ state }) => STARTING_REASONS.includes(state?.waiting?.reason ?? 'ContainerCreating'));

/** Adopts the Job so that the informer reports its end. The boot id is left empty because the node will not be rebooted. */
export const adoptWithoutReboot = (job: CachedJob, now: Date): Action => ({
  do: 'adoptJob',
  job,
  node: job.metadata.labels?.[LABELS.node] ?? '',
  boot: '',
  at: now.toISOString(),
});

export const deletePod = (pod: CachedPod): Action => ({ do: 'deletePod', pod });

/** `unfinished` names what was still running when the wait timed out. */
export const removeFinalizer = (op: Facts['op'], unfinished = ''): Action[] =>
  op.metadata.finalizers?.includes(LEGACY_FINALIZER)
    ? [{ do: 'removeFinalizer', ...(unfinished === '' ? {} : { unfinished }) }]
    : [];
