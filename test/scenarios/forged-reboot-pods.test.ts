/** Pods that look like reboot Pods of the Go operator, created by somebody who may only create Pods. */
import { describe, expect, test } from '@jest/globals';
import { apiVersion, NODE_OP } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import { PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { fakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { nodesNamed } from './lifecycle-setup.js';

const YEAR_SECONDS = 365 * 86_400;

interface Forgery {
  owner?: { name: string; uid: string };
  metadata?: object;
}

const forgedPod = ({ owner = { name: 'absent', uid: 'no-such-uid' }, metadata }: Forgery, namespace = 'tenant') => ({
  metadata: {
    name: 'forged',
    namespace,
    finalizers: ['tenant.example/keep'],
    labels: { [LABELS.reboot]: 'true', [LABELS.nodeOp]: owner.name, [LABELS.node]: 'n1' },
    ownerReferences: [{ apiVersion: apiVersion(NODE_OP), kind: NODE_OP.kind, ...owner }],
    ...metadata,
  },
  spec: { nodeSelector: { absent: '' }, restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] },
  status: { phase: 'Pending' },
});

type Prepare = (cluster: FakeCluster) => void;

async function completes(prepare: Prepare, isFirst: boolean): Promise<boolean> {
  const cluster = fakeCluster({ nodes: nodesNamed('n1', 'n2') });
  if (isFirst) prepare(cluster);
  await cluster.start();
  await cluster.runFor(30);
  if (!isFirst) prepare(cluster);
  await cluster.runFor(10);
  cluster.apply(NODE_OP, nodeOp('op', {}));
  return cluster.runUntil(() => cluster.nodeOp('op')?.status?.phase === 'Completed', 3600);
}

const put =
  (forgery: Forgery): Prepare =>
  ({ api }) =>
    void api.put(PODS, forgedPod(forgery));

/** Its author has a NodeOp in the same namespace that matches no node, and keeps the Pod by a finalizer. */
const putWithNodeOp =
  (metadata: (now: Date) => object): Prepare =>
  ({ api }) => {
    const op = api.put(NODE_OP, {
      ...nodeOp('bait', { nodeSelector: { matchLabels: { absent: '' } } }),
      metadata: { name: 'bait', namespace: 'tenant' },
    });
    const forgery = { owner: { name: 'bait', uid: op.metadata.uid }, metadata: metadata(api.clock.now()) };
    api.put(PODS, forgedPod(forgery));
  };

const CASES: [string, Prepare][] = [
  ['that names a NodeOp that does not exist', put({})],
  ['that is being deleted and kept by a finalizer', put({ metadata: { deletionTimestamp: '2026-01-01T00:00:01Z' } })],
  [
    'that names the uid of a NodeOp of another namespace',
    cluster => {
      const { metadata } = cluster.api.put(NODE_OP, {
        ...nodeOp('other', { nodeSelector: { matchLabels: { absent: '' } } }),
        metadata: { name: 'other', namespace: 'default' },
      });
      put({ owner: { name: 'other', uid: metadata.uid } })(cluster);
    },
  ],
  ['of an existing NodeOp of its author', putWithNodeOp(() => ({}))],
  [
    'of an existing NodeOp of its author, deleted with a grace period of a year',
    putWithNodeOp(now => ({
      deletionTimestamp: new Date(now.getTime() + YEAR_SECONDS * 1000).toISOString(),
      deletionGracePeriodSeconds: YEAR_SECONDS,
    })),
  ],
];

describe('an operation runs within an hour beside a forged reboot Pod', () => {
  test.each(CASES)('%s, and that was there before the controller', async (_what, prepare) =>
    expect(await completes(prepare, true)).toBe(true),
  );
  test.each(CASES)('%s, and that was created later', async (_what, prepare) =>
    expect(await completes(prepare, false)).toBe(true),
  );
});
