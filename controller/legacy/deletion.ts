/** An operation that is being deleted: no reboot may come later, what is written is not cut short, and nothing is waited for without end. Pure. */
import { LABELS } from '../../api/names.js';
import { hasEnded, type CachedJob } from '../cluster/job.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import type { Action, Facts, Plan } from './facts.js';
import { LEGACY_FINALIZER } from './names.js';
import { ADOPTED_IN_BOOT } from '../cluster/adopted-job.js';

/** As long as an upgrade may take where nobody says otherwise. */
const JOB_SECONDS = 3600;
/** A Pod that was told to end, on a node that answers, and has not. */
const POD_SECONDS = 600;

interface Awaited {
  name: string;
  until: Date;
}

export function leaving(facts: Facts): Plan {
  const { rebootPods, op, now } = facts;
  const here = rebootPods.filter(pod => isAlive(pod) && pod.metadata.deletionTimestamp === undefined);
  if (here.length > 0) return { actions: here.map(deletion) };
  const job = writing(facts);
  const awaited = [
    ...leavingPods(facts),
    ...(job ? [{ name: `Job ${job.metadata.name}`, until: jobUntil(facts, job) }] : []),
  ];
  const open = awaited.filter(({ until }) => now < until);
  if (open.length > 0 && job && job.metadata.annotations?.[ADOPTED_IN_BOOT] === undefined)
    return { actions: [adoption(job)] };
  const [first] = open;
  if (first) return { actions: [], waiting: `waiting for ${first.name} to end, until ${first.until.toISOString()}` };
  return { actions: finalizer(op, awaited.map(({ name }) => name).join(', ')) };
}

/** A command that has begun gets its time, one that is about to begin the time for that. */
function jobUntil({ op, nodeOp, jobPods }: Facts, job: CachedJob): Date {
  const begun = podsOf(job, jobPods).some(hasStarted);
  const seconds = begun ? (nodeOp.spec.activeDeadlineSeconds ?? JOB_SECONDS) : nodeOp.spec.startDeadlineSeconds;
  return later(op.metadata.deletionTimestamp, seconds ?? JOB_SECONDS);
}

const later = (time: string | undefined, seconds: number): Date => new Date(Date.parse(time ?? '') + seconds * 1000);

const leavingPods = ({ rebootPods, readyNodes }: Facts): Awaited[] =>
  rebootPods
    .filter(pod => isAlive(pod) && readyNodes.has(pod.spec.nodeName ?? ''))
    .map(({ metadata }) => ({ name: `Pod ${metadata.name}`, until: later(metadata.deletionTimestamp, POD_SECONDS) }));

/** A Job with reboot may be writing a system: the garbage collector would cut it short. As with every operation, it is let finish. */
function writing({ nodeOp, held, jobs, jobPods, readyNodes }: Facts): CachedJob | undefined {
  if (!held || !nodeOp.spec.rebootOnSuccess || nodeOp.isAbandoned) return undefined;
  const onReadyNodes = jobs.filter(job => readyNodes.has(job.metadata.labels?.[LABELS.node] ?? ''));
  return onReadyNodes.find(job => !hasEnded(job) && mayWrite(job, podsOf(job, jobPods)));
}

const podsOf = ({ metadata: { uid } }: CachedJob, pods: readonly CachedPod[]): CachedPod[] =>
  pods.filter(pod => pod.metadata.ownerReferences?.some(owner => owner.uid === uid));

/** One whose image cannot be pulled, or that finds no place, has written nothing. A Pod that will run any moment, or of which we have not heard yet, may. */
const mayWrite = ({ status }: CachedJob, pods: readonly CachedPod[]): boolean =>
  pods.length === 0
    ? (status?.active ?? 0) + (status?.failed ?? 0) > 0
    : pods.some(pod => hasStarted(pod) || starts(pod));

const containersOf = ({ status: { initContainerStatuses = [], containerStatuses = [] } }: CachedPod) => [
  ...initContainerStatuses,
  ...containerStatuses,
];

const hasStarted = (pod: CachedPod): boolean =>
  pod.status.phase !== 'Pending' ||
  containersOf(pod).some(
    ({ state, restartCount = 0 }) =>
      state?.running !== undefined || state?.terminated !== undefined || restartCount > 0,
  );

/** What the kubelet says of a container as long as nothing is wrong with it. */
const ON_ITS_WAY = ['ContainerCreating', 'PodInitializing'];

const starts = (pod: CachedPod): boolean =>
  pod.spec.nodeName !== undefined &&
  containersOf(pod).every(({ state }) => ON_ITS_WAY.includes(state?.waiting?.reason ?? 'ContainerCreating'));

/** So that its end is heard of; that its node will not be rebooted is settled. */
export const adoption = (job: CachedJob): Action => ({
  do: 'adoptJob',
  job,
  node: job.metadata.labels?.[LABELS.node] ?? '',
  boot: '',
});

export const deletion = (pod: CachedPod): Action => ({ do: 'deletePod', pod });

/** `leftBehind`: in words, what was waited for long enough. */
export const finalizer = (op: Facts['op'], leftBehind = ''): Action[] =>
  op.metadata.finalizers?.includes(LEGACY_FINALIZER)
    ? [{ do: 'dropFinalizer', ...(leftBehind === '' ? {} : { leftBehind }) }]
    : [];
