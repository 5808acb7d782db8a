import { expect, test } from '@jest/globals';
import type { OSArtifact } from '../../../api/objects.js';
import { refreshStale } from '../../../controller/artifact/live-reads.js';
import { ownerIndexKey } from '../../../controller/cluster/owner-index.js';
import type { CachedJob } from '../../../controller/cluster/job.js';
import type { CachedPod } from '../../../controller/cluster/pod.js';
import { ObjectCache } from '../../../kube/cache.js';
import { STALE_AFTER_MS, StalenessTracker } from '../../../kube/live-read.js';
import { PODS } from '../../../kube/resources.js';
import { fakeClock } from '../../fakes/clock.js';
import { FakeKube } from '../../fakes/kube.js';
import { pod } from '../../builders.js';

const indexes = { owner: () => [ownerIndexKey({ namespace: 'default', uid: 'uid-a' })] };
const meta = { name: 'a', namespace: 'default', uid: 'uid-a', resourceVersion: '1' };
const building = (phase: 'Building' | 'Ready') => ({ metadata: meta, spec: {}, status: { phase } }) as OSArtifact;

test.each([
  ['is read from the API server after five minutes without a change', 'Building', 'Succeeded'],
  ['is not read once the OSArtifact is Ready', 'Ready', 'Running'],
] as const)('the Pod of an OSArtifact %s', async (_title, phase, expected) => {
  const kube = new FakeKube();
  const clock = fakeClock();
  const pods = new ObjectCache<CachedPod>({ indexes });
  const exports = new ObjectCache<CachedJob>({ indexes });
  pods.put(pod('builder'));
  const ended = pod('builder', { phase: 'Succeeded' });
  kube.seed(PODS, { ...ended, metadata: { ...ended.metadata, resourceVersion: '2' } });
  const staleness = new StalenessTracker(clock);
  const refresh = () => refreshStale(building(phase), staleness, { kube, pods, exports });
  await refresh();
  expect(pods.list()[0]?.status.phase).toBe('Running');
  await clock.advance(STALE_AFTER_MS);
  await refresh();
  expect(pods.list()[0]?.status.phase).toBe(expected);
});
