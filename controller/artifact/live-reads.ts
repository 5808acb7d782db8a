/** While nothing is heard of an OSArtifact that is built or exported, its Pods and Jobs are read from the API server. */
import type { OSArtifact } from '../../api/objects.js';
import { refreshObject, type StalenessTracker } from '../../kube/live-read.js';
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

export async function refreshStale(artifact: OSArtifact, staleness: StalenessTracker, deps: Sources): Promise<void> {
  const { kube, pods, exports } = deps;
  const { uid, resourceVersion } = artifact.metadata;
  if (hasEnded(artifact) || !staleness.isStale(uid, resourceVersion)) return;
  for (const { metadata } of pods.byIndex('owner', uid)) await refreshObject(kube, PODS, pods, metadata);
  for (const { metadata } of exports.byIndex('owner', uid)) {
    await refreshObject(kube, JOBS, exports, metadata);
    for (const pod of pods.byIndex('owner', metadata.uid)) await refreshObject(kube, PODS, pods, pod.metadata);
  }
}
