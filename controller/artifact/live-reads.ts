/** While nothing is heard of an OSArtifact that is built or exported, its Pods and Jobs are read from the API server. */
import type { OSArtifact } from '../../api/objects.js';
import { readLive, type Silences } from '../../kube/live-read.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { Cache } from '../../kube/cache.js';
import type { Kube } from '../../kube/kube.js';
import type { CachedJob } from '../cluster/job.js';
import type { CachedPod } from '../cluster/pod.js';
import { hasEnded } from './status.js';

interface Sources {
  kube: Pick<Kube, 'get'>;
  pods: Cache<CachedPod>;
  exports: Cache<CachedJob>;
}

export async function refreshStale(artifact: OSArtifact, silences: Silences, deps: Sources): Promise<void> {
  const { kube, pods, exports } = deps;
  const { uid, resourceVersion } = artifact.metadata;
  if (hasEnded(artifact) || !silences.tooLong(uid, resourceVersion)) return;
  for (const { metadata } of pods.by('owner', uid)) await readLive(kube, PODS, pods, metadata);
  for (const { metadata } of exports.by('owner', uid)) {
    await readLive(kube, JOBS, exports, metadata);
    for (const pod of pods.by('owner', metadata.uid)) await readLive(kube, PODS, pods, pod.metadata);
  }
}
