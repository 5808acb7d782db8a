/** Creates, resumes, suspends and deletes the Jobs and Pods of one node. */
import { ANNOTATIONS, FALLBACK_STATE_DIR } from '../../../api/names.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../../kube/errors.js';
import type { Kube, Stored } from '../../../kube/kube.js';
import { ignoreNotFound } from '../../../kube/ignore-not-found.js';
import { refreshObject } from '../../../kube/live-read.js';
import { withResourceVersion } from '../../../kube/patch.js';
import { JOBS, PODS } from '../../../kube/resources.js';
import type { Caches } from '../../cluster/informers.js';
import { resumesOf, type CachedJob } from '../../cluster/job.js';
import type { CachedPod } from '../../cluster/pod.js';
import type { Facts } from '../facts/facts.js';
import type { CreatedPods } from '../reads/created-pods.js';
import { jobFor, preflightPodFor, pullPodFor, type JobSettings } from '../facts/manifests.js';

export interface WorkloadDeps {
  kube: Kube;
  caches: Pick<Caches, 'jobs' | 'pods'>;
  sentinel: JobSettings['sentinel'];
  createdPods: Pick<CreatedPods, 'record'>;
}

/** Something other than the controller suspended the Job. Resuming is retried with back-off. */
export class JobSuspendedError extends Error {
  override readonly name = 'JobSuspendedError';
}

const settingsFor = ({ agent, image }: Facts, { sentinel }: WorkloadDeps): JobSettings => ({
  image,
  sentinel,
  stateDir: agent?.status?.stateDir ?? FALLBACK_STATE_DIR,
});

/** Object names are stable, so one that exists already was created by an earlier pass whose result the cache has not seen yet. */
async function createOnce<T extends Stored>(create: Promise<T>, read: () => Promise<T>): Promise<T> {
  try {
    return await create;
  } catch (error) {
    if (isAlreadyExists(error)) return read();
    throw error;
  }
}

export async function createJob(facts: Facts, deps: WorkloadDeps): Promise<void> {
  const { kube, caches } = deps;
  const { nodeOp, name } = facts;
  const manifest = jobFor(nodeOp, name, settingsFor(facts, deps));
  const at = { name: manifest.metadata.name, namespace: nodeOp.namespace };
  const creating = kube.create<CachedJob>(JOBS, manifest, nodeOp.namespace);
  caches.jobs.putLive(await createOnce(creating, () => kube.get(JOBS, at)));
}

/**
 * Resumes the Job only if nothing else has resumed or suspended it since it was observed. The Job controller may have written its
 * status meanwhile, which changes the resource version but not `generation`.
 */
export async function resumeJob(job: CachedJob, { kube, caches }: WorkloadDeps): Promise<void> {
  const at = { name: job.metadata.name, namespace: job.metadata.namespace };
  const patch = (current: CachedJob, resumes: number, change: object = {}) => {
    const metadata = { annotations: { [ANNOTATIONS.resumes]: String(resumes) } };
    return kube.patch<CachedJob>(JOBS, at, withResourceVersion({ metadata, ...change }, current));
  };
  const resume = async (current: CachedJob) => {
    const saved = await patch(current, resumesOf(current) + 1, { spec: { suspend: false } });
    if (saved.spec.suspend !== true) return saved;
    /* Admission has undone it: the count must not say that the command may have run. */
    caches.jobs.put(await patch(saved, resumesOf(current)));
    throw new JobSuspendedError('something sets spec.suspend of the Job again');
  };
  try {
    caches.jobs.put(await resume(job));
  } catch (error) {
    if (!isConflict(error)) throw error;
    const now = await kube.get<CachedJob>(JOBS, at);
    caches.jobs.put(now);
    if (now.metadata.uid !== job.metadata.uid || now.metadata.generation !== job.metadata.generation) throw error;
    caches.jobs.put(await resume(now));
  }
  /* Only the first resume is expected. A later one is reported, and the pause until the next one grows. */
  if (resumesOf(job) > 0) throw new JobSuspendedError('something had suspended the Job again');
}

export async function changeJob(job: CachedJob, spec: object, { kube, caches }: WorkloadDeps): Promise<void> {
  const at = { name: job.metadata.name, namespace: job.metadata.namespace };
  try {
    caches.jobs.put(await kube.patch<CachedJob>(JOBS, at, { metadata: { uid: job.metadata.uid }, spec }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    caches.jobs.remove(job);
  }
}

/**
 * The Pod of the Job terminates with its own grace period, once the Job has lost its finalizer. A cache that missed the deletion would repeat it
 * indefinitely, and the finalizer would stay, so that the Job is read.
 */
export async function deleteJob(job: CachedJob, { kube, caches }: WorkloadDeps): Promise<void> {
  const { name, namespace, uid } = job.metadata;
  const deleting = kube.delete(JOBS, { name, namespace }, { uid, propagation: 'Background' });
  await ignoreNotFound(deleting, () => caches.jobs.remove(job));
  await refreshObject(kube, JOBS, caches.jobs, { name, namespace });
}

export async function createPod(facts: Facts, which: 'preflight' | 'pull', deps: WorkloadDeps): Promise<void> {
  const { kube, caches, createdPods } = deps;
  const { nodeOp, name } = facts;
  const manifest = (which === 'pull' ? pullPodFor : preflightPodFor)(nodeOp, name, settingsFor(facts, deps));
  const at = { name: manifest.metadata.name, namespace: nodeOp.namespace };
  const creating = kube.create<CachedPod>(PODS, manifest, nodeOp.namespace);
  caches.pods.putLive(await createOnce(creating, () => kube.get(PODS, at)));
  createdPods.record(nodeOp.meta.uid, at.name, facts.now);
}

export async function deletePods(pods: readonly CachedPod[], { kube, caches }: WorkloadDeps): Promise<void> {
  for (const pod of pods) {
    const { name, namespace, uid } = pod.metadata;
    await ignoreNotFound(kube.delete(PODS, { name, namespace }, { uid }), () => caches.pods.remove(pod));
  }
}
