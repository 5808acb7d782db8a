/** The Job controller: one Pod at a time for each Job that is not suspended, and the next only after the previous one has ended. */
import { JOBS, PODS } from '../../../kube/resources.js';
import { controllerReference } from '../../../kube/owner.js';
import { type ControlLoop, controlLoop, shorterDelay } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import { judgeFailure } from './pod-failure-policy.js';
import {
  type Condition,
  controllerUid,
  isFinished,
  type JobObject,
  type PodObject,
  withCondition,
} from './object-types.js';

/** The delay before a Pod is replaced after the first failure; it doubles with each further failure. */
const BACKOFF_MS = 10_000;

/** The Job controller gathers the ends of Pods for some time before it acts on them. */
const BATCH_MS = 1_000;

/** The uids of a Job's Pods by outcome; recorded on each event, because a Pod may be deleted before the next sync. */
interface Tally {
  alive: Set<string>;
  failed: Set<string>;
  succeeded: Set<string>;
  /** Failed, but not counted against the backoff limit, by a rule of the Job. */
  ignored: Set<string>;
  /** Deleted because the Job was suspended: they are not counted, however they end. */
  stopped: Set<string>;
  /** The message of the rule by which the whole Job has failed. */
  failedByRule?: string;
  lastFailure: number;
  /** Monotonic: when the end of the last Pod is acted on. A change of the spec is acted on at once, and with it what is known by then. */
  countsAt: number;
  generation?: number;
}

interface JobResult {
  type: string;
  reason?: string;
  message?: string;
  startTime: string;
}

/** Set while the last Pods of a Job end; how the Job ends is decided by then. */
const INTERIM: Readonly<Record<string, string>> = { SuccessCriteriaMet: 'Complete', FailureTarget: 'Failed' };

/** Starts the controller. `now` is the wall clock of its machine. */
export const runJobController = (api: FakeApiServer, now: () => Date): void => void new JobController(api, now);

class JobController {
  readonly #api: FakeApiServer;
  readonly #now: () => Date;
  readonly #loop: ControlLoop;
  readonly #tallies = new Map<string, Tally>();

  constructor(api: FakeApiServer, now: () => Date) {
    this.#api = api;
    this.#now = now;
    this.#loop = controlLoop(api.clock, 100, () => this.#syncAll());
    api.onChange((plural, { object, type }) => {
      if (plural === JOBS.plural) this.#loop.trigger();
      if (plural !== PODS.plural) return;
      const pod = object as object as PodObject;
      const owner = pod.metadata.ownerReferences?.find(each => each.kind === JOBS.kind);
      if (owner) this.#count(owner.uid, pod, type === 'DELETED');
    });
  }

  #tally(uid: string): Tally {
    const tally = this.#tallies.get(uid) ?? {
      alive: new Set(),
      failed: new Set(),
      succeeded: new Set(),
      ignored: new Set(),
      stopped: new Set(),
      lastFailure: 0,
      countsAt: 0,
    };
    this.#tallies.set(uid, tally);
    return tally;
  }

  #count(job: string, pod: PodObject, isDeleted: boolean): void {
    const tally = this.#tally(job);
    const { uid } = pod.metadata;
    const hasEnded = isDeleted || isFinished(pod);
    if (!hasEnded) tally.alive.add(uid);
    else if (pod.status.phase === 'Succeeded' && !tally.stopped.has(uid)) tally.succeeded.add(uid);
    else if (![tally.failed, tally.ignored, tally.stopped].some(each => each.has(uid))) this.#countFailure(job, pod);
    if (hasEnded && tally.alive.delete(uid)) tally.countsAt = this.#api.clock.monotonic() + BATCH_MS;
    this.#loop.trigger();
  }

  #countFailure(uid: string, pod: PodObject): void {
    const job = this.#api.all<JobObject>(JOBS).find(({ metadata }) => metadata.uid === uid);
    const tally = this.#tally(uid);
    const { action, message } = judgeFailure(job?.spec.podFailurePolicy?.rules ?? [], pod);
    if (action === 'Ignore') tally.ignored.add(pod.metadata.uid);
    else tally.failed.add(pod.metadata.uid);
    tally.failedByRule ??= message;
    tally.lastFailure = this.#api.clock.monotonic();
  }

  #syncAll(): number | undefined {
    let next: number | undefined;
    for (const job of this.#api.all<JobObject>(JOBS)) next = shorterDelay(next, this.#sync(job));
    return next;
  }

  #sync(job: JobObject): number | undefined {
    const now = this.#now();
    const ended = job.status?.conditions?.find(({ type }) => type === 'Complete' || type === 'Failed');
    if (ended) return this.#expire(job, new Date(ended.lastTransitionTime ?? now));
    const tally = this.#tally(job.metadata.uid);
    if (job.metadata.deletionTimestamp !== undefined) return undefined;
    const batchMs = this.#batchMs(job, tally);
    if (batchMs > 0) return batchMs;
    const started = job.status?.startTime ?? now.toISOString();
    /* A Job whose Pod has succeeded is Complete, even if it was suspended meanwhile. */
    if (tally.succeeded.size > 0) return this.#finish(job, tally, { type: 'Complete', startTime: started });
    if (job.spec.suspend === true) return this.#suspend(job, tally);
    const decided = job.status?.conditions?.find(({ type }) => type in INTERIM);
    if (decided) return this.#finish(job, tally, { ...decided, type: INTERIM[decided.type] ?? '', startTime: started });
    const { backoffLimit = 6, activeDeadlineSeconds } = job.spec;
    const deadline =
      activeDeadlineSeconds === undefined
        ? undefined
        : new Date(started).getTime() + activeDeadlineSeconds * 1000 - now.getTime();
    if (tally.failedByRule !== undefined)
      return this.#finish(job, tally, {
        type: 'Failed',
        reason: 'PodFailurePolicy',
        message: tally.failedByRule,
        startTime: started,
      });
    if (tally.failed.size > backoffLimit)
      return this.#finish(job, tally, { type: 'Failed', reason: 'BackoffLimitExceeded', startTime: started });
    if (deadline !== undefined && deadline <= 0)
      return this.#finish(job, tally, { type: 'Failed', reason: 'DeadlineExceeded', startTime: started });
    const wait = tally.failed.size + tally.ignored.size === 0 ? 0 : this.#backoff(tally);
    if (tally.alive.size === 0 && wait <= 0) this.#createPod(job);
    this.#writeStatus(job, { startTime: started });
    /* A Pod whose creation was denied is retried. */
    const retryMs = tally.alive.size === 0 ? Math.max(wait, BACKOFF_MS) : undefined;
    return shorterDelay(deadline, wait > 0 ? wait : retryMs);
  }

  #batchMs({ metadata: { generation } }: JobObject, tally: Tally): number {
    const isChanged = tally.generation !== generation;
    tally.generation = generation;
    return isChanged ? 0 : tally.countsAt - this.#api.clock.monotonic();
  }

  #backoff({ failed, ignored, lastFailure }: Tally): number {
    return lastFailure + BACKOFF_MS * 2 ** (failed.size + ignored.size - 1) - this.#api.clock.monotonic();
  }

  #suspend(job: JobObject, tally: Tally): undefined {
    for (const uid of tally.alive) tally.stopped.add(uid);
    this.#deletePods(job, tally);
    const condition = { type: 'Suspended', status: 'True', reason: 'JobSuspended' };
    this.#writeStatus(job, { startTime: undefined, condition });
  }

  /** Complete or Failed is set only after the last Pod of the Job has ended. */
  #finish(job: JobObject, tally: Tally, result: JobResult): undefined {
    this.#deletePods(job, tally);
    const { type, reason, message, startTime } = result;
    if (tally.alive.size > 0) {
      const interim = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
      return this.#writeStatus(job, { startTime, condition: { type: interim, status: 'True', reason, message } });
    }
    return this.#writeStatus(job, { startTime, condition: { type, status: 'True', reason, message } });
  }

  #deletePods(job: JobObject, tally: Tally): void {
    for (const pod of this.#api.all<PodObject>(PODS))
      if (controllerUid(pod) === job.metadata.uid && tally.alive.has(pod.metadata.uid))
        this.#api.delete(PODS, { name: pod.metadata.name, namespace: pod.metadata.namespace });
  }

  #writeStatus(job: JobObject, { startTime, condition }: { startTime?: string; condition?: Condition }): undefined {
    const tally = this.#tally(job.metadata.uid);
    const known = job.status?.conditions?.filter(({ type }) => type !== 'Suspended') ?? [];
    const conditions = condition ? withCondition(job.status?.conditions ?? [], condition, this.#now()) : known;
    const [active, failed, succeeded] = [tally.alive.size, tally.failed.size, tally.succeeded.size];
    this.#api.put(JOBS, { ...job, status: { startTime, active, failed, succeeded, conditions } });
  }

  #expire(job: JobObject, ended: Date): number | undefined {
    const ttl = job.spec.ttlSecondsAfterFinished;
    if (ttl === undefined) return undefined;
    const left = ended.getTime() + ttl * 1000 - this.#now().getTime();
    if (left > 0) return left;
    /* The API server keeps an object with finalizers, and the next sync finds it still there. */
    if (job.metadata.deletionTimestamp === undefined)
      this.#api.delete(JOBS, { name: job.metadata.name, namespace: job.metadata.namespace });
    return undefined;
  }

  #createPod(job: JobObject): void {
    const { name, namespace, uid } = job.metadata;
    const tally = this.#tally(uid);
    const pod = `${name}-${tally.failed.size + tally.ignored.size + tally.stopped.size + 1}`;
    const { metadata = {}, spec } = job.spec.template;
    const labels = {
      ...metadata.labels,
      'batch.kubernetes.io/job-name': name,
      'batch.kubernetes.io/controller-uid': uid,
    };
    const ownerReferences = [controllerReference(JOBS, job)];
    const wanted = { metadata: { ...metadata, name: pod, namespace, labels, ownerReferences }, spec };
    const { object, refused } = this.#api.admit('create', PODS, wanted);
    if (!refused) this.#api.put(PODS, { ...object, status: { phase: 'Pending' } });
  }
}
