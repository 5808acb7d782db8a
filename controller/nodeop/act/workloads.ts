/** Jobs and Pods of a walk: made, resumed, stopped, deleted. */
import { PLAIN_STATE_DIR } from '../../../api/names.js';
import { isAlreadyExists, isConflict, isNotFound, KubeError } from '../../../kube/errors.js';
import type { Kube, Stored } from '../../../kube/kube.js';
import { ignoreNotFound } from '../../../kube/ignore-not-found.js';
import { withResourceVersion } from '../../../kube/patch.js';
import { JOBS, PODS } from '../../../kube/resources.js';
import type { Caches } from '../../cluster/informers.js';
import type { CachedJob } from '../../cluster/job.js';
import type { CachedPod } from '../../cluster/pod.js';
import type { Facts } from '../facts/facts.js';
import { jobFor, preflightPodFor, pullPodFor, type JobSettings } from '../facts/manifests.js';

export interface WorkloadDeps {
  kube: Kube;
  caches: Pick<Caches, 'jobs' | 'pods'>;
  sentinel: JobSettings['sentinel'];
}

const surroundings = ({ agent, image }: Facts, { sentinel }: WorkloadDeps): JobSettings => ({
  image,
  sentinel,
  stateDir: agent?.status?.stateDir ?? PLAIN_STATE_DIR,
});

/** Created before, by us, and not seen yet: that is what was wanted. */
async function created<T extends Stored>(create: Promise<T>, look: () => Promise<T>): Promise<T> {
  try {
    return await create;
  } catch (error) {
    if (isAlreadyExists(error)) return look();
    throw error;
  }
}

export async function createJob(facts: Facts, hands: WorkloadDeps): Promise<void> {
  const { kube, caches } = hands;
  const { nodeOp, name } = facts;
  const manifest = jobFor(nodeOp, name, surroundings(facts, hands));
  const at = { name: manifest.metadata.name, namespace: nodeOp.namespace };
  caches.jobs.putLive(
    await created(kube.create<CachedJob>(JOBS, manifest, nodeOp.namespace), () => kube.get(JOBS, at)),
  );
}

/** Only if nobody has resumed or stopped it since it was seen. Its controller may have told of it meanwhile, which leaves `generation` as it is. */
export async function resumeJob(job: CachedJob, { kube, caches }: WorkloadDeps): Promise<void> {
  const at = { name: job.metadata.name, namespace: job.metadata.namespace };
  const resume = async (seen: CachedJob) => {
    const saved = await kube.patch<CachedJob>(JOBS, at, withResourceVersion({ spec: { suspend: false } }, seen));
    if (saved.spec.suspend === true)
      throw new KubeError(422, 'something sets spec.suspend of the Job again', 'Invalid');
    return saved;
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
  /* Not the first time: it is said, and the pause until the next time grows. */
  if ((job.metadata.generation ?? 1) > 2) throw new KubeError(422, 'something had suspended the Job again', 'Invalid');
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

/** Its Pod ends with its own grace. A cache that was not told that it is gone would have it deleted for ever. */
export async function deleteJob(job: CachedJob, { kube, caches }: WorkloadDeps): Promise<void> {
  const { name, namespace, uid } = job.metadata;
  const deleting = kube.delete(JOBS, { name, namespace }, { uid, propagation: 'Background' });
  await ignoreNotFound(deleting, () => caches.jobs.remove(job));
}

export async function createPod(facts: Facts, which: 'preflight' | 'pull', hands: WorkloadDeps): Promise<void> {
  const { kube, caches } = hands;
  const { nodeOp, name } = facts;
  const manifest = (which === 'pull' ? pullPodFor : preflightPodFor)(nodeOp, name, surroundings(facts, hands));
  const at = { name: manifest.metadata.name, namespace: nodeOp.namespace };
  caches.pods.putLive(
    await created(kube.create<CachedPod>(PODS, manifest, nodeOp.namespace), () => kube.get(PODS, at)),
  );
}

export async function deletePods(pods: readonly CachedPod[], { kube, caches }: WorkloadDeps): Promise<void> {
  for (const pod of pods) {
    const { name, namespace, uid } = pod.metadata;
    await ignoreNotFound(kube.delete(PODS, { name, namespace }, { uid }), () => caches.pods.remove(pod));
  }
}
