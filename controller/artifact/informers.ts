/** Watches OSArtifacts and the Jobs of their exporters. Operations on nodes do not wait for these caches. */
import { OS_ARTIFACT } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import type { OSArtifact } from '../../api/objects.js';
import { informer } from '../../kube/informer.js';
import { JOBS } from '../../kube/resources.js';
import { ownerIndexKeys } from '../cluster/owner-index.js';
import { pruneOwnKind } from '../cluster/large-spec.js';
import { type CachedJob, pruneJob } from '../cluster/job.js';
import { type ArtifactDeps, artifactController } from './controller.js';

/** Runs until `leading` aborts. Where the OSArtifact CRD is not installed, it waits until it is. */
export async function runArtifactController(
  deps: Omit<ArtifactDeps, 'artifacts' | 'exports' | 'turns'>,
  leading: AbortSignal,
): Promise<void> {
  const { kube, log, clock } = deps;
  const artifacts = informer<OSArtifact>(kube, OS_ARTIFACT, { log, clock, transform: pruneOwnKind });
  const exports = informer<CachedJob>(kube, JOBS, {
    log,
    clock,
    transform: pruneJob,
    labelSelector: LABELS.artifact,
    indexes: { owner: ownerIndexKeys },
  });
  const watching = [artifacts.run(leading), exports.run(leading)];
  await Promise.all([artifacts.waitForSync(leading), exports.waitForSync(leading)]);
  const caches = { artifacts: artifacts.cache, exports: exports.cache };
  await Promise.all([...watching, artifactController({ ...deps, ...caches }, leading)]);
}
