import { describe, expect, test } from '@jest/globals';
import { LABELS } from '../../../api/names.js';
import { pruneBudget } from '../../../controller/cluster/budget.js';
import { prunePod, type CachedPod } from '../../../controller/cluster/pod.js';

const longText = 'x'.repeat(4096);

/** A failed Pod with long messages. */
const pod = (labels: Record<string, string>): CachedPod => ({
  metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '1', labels },
  spec: {},
  status: {
    phase: 'Failed',
    message: longText,
    conditions: [{ type: 'PodScheduled', status: 'False', message: longText }],
    containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 1, message: longText } } }],
    initContainerStatuses: [{ name: 'i', state: { waiting: { reason: 'ErrImagePull', message: longText } } }],
  },
});

describe('The cache of Pods', () => {
  test('keeps the messages of the operator’s own Pods', () => {
    const kept = prunePod(pod({ [LABELS.artifact]: 'os' }));
    expect(kept.status).toEqual(pod({}).status);
  });

  test('drops the messages of foreign Pods', () => {
    const kept = prunePod(pod({ app: 'shop' }));
    expect(JSON.stringify(kept)).not.toContain('xx');
    expect(kept.status.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 1 });
  });

  test('accepts a Pod that is pruned already', () => {
    const once = prunePod(pod({ app: 'shop' }));
    expect(prunePod(once)).toEqual(once);
  });
});

test('The cache of PodDisruptionBudgets keeps what decides about an eviction', () => {
  const budget = {
    metadata: { name: 'b', namespace: 'default', uid: 'u', resourceVersion: '1', generation: 3 },
    spec: { selector: { matchLabels: { app: 'db' } }, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    status: { disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, observedGeneration: 3 },
  };
  expect(pruneBudget({ ...budget, status: { ...budget.status, expectedPods: 3 } as object })).toEqual(budget);
});
