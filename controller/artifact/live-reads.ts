/** Reads Pods and Jobs from the API server while an unfinished OSArtifact has not changed for long: a watch may have missed a change. */
import type { OSArtifact } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import type { Kube } from '../../kube/kube.js';
import { refreshObject, type StalenessTracker } from '../../kube/live-read.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { CachedJob } from '../cluster/job.js';
import { ownedBy } from '../cluster/owner-index.js';
import type { CachedPod } from '../cluster/pod.js';
import { isFinal } from './status.js';

interface Sources {
  kube: Pick<Kube, 'get'>;
  pods: Cache<CachedPod>;
  exports: Cache<CachedJob>;
}

export async function refreshStale(artifact: OSArtifact, staleness: StalenessTracker, deps: Sources): Promise<void> {
  const { kube, pods, exports } = deps;
  const { uid, resourceVersion } = artifact.metadata;
  if (isFinal(artifact) || !staleness.isStale(uid, resourceVersion)) return;
  for (const { metadata } of ownedBy(pods, artifact)) await refreshObject(kube, PODS, pods, metadata);
  for (const job of ownedBy(exports, artifact)) {
    await refreshObject(kube, JOBS, exports, job.metadata);
    for (const pod of ownedBy(pods, job)) await refreshObject(kube, PODS, pods, pod.metadata);
  }
}
