import { describe, expect, test } from '@jest/globals';
import { LABELS } from '../../../api/names.js';
import { prunePod, type CachedPod } from '../../../controller/cluster/pod.js';

const words = 'x'.repeat(4096);

/** One that fails with a long last word. */
const pod = (labels: Record<string, string>): CachedPod => ({
  metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '1', labels },
  spec: {},
  status: {
    phase: 'Failed',
    message: words,
    conditions: [{ type: 'PodScheduled', status: 'False', message: words }],
    containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 1, message: words } } }],
    initContainerStatuses: [{ name: 'i', state: { waiting: { reason: 'ErrImagePull', message: words } } }],
  },
});

describe('the cache of Pods', () => {
  test('keeps what our own say', () => {
    const kept = prunePod(pod({ [LABELS.artifact]: 'os' }));
    expect(kept.status).toEqual(pod({}).status);
  });

  test('keeps no word of others, however much they say', () => {
    const kept = prunePod(pod({ app: 'shop' }));
    expect(JSON.stringify(kept)).not.toContain('xx');
    expect(kept.status.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 1 });
  });

  test('takes one that was pruned before', () => {
    const once = prunePod(pod({ app: 'shop' }));
    expect(prunePod(once)).toEqual(once);
  });
});
