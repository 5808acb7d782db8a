import { describe, expect, test } from '@jest/globals';
import { ANNOTATIONS, LABELS } from '../../../api/names.js';
import { pruneBudget } from '../../../controller/cluster/budget.js';
import { pruneDaemonSet, wantsPodOn } from '../../../controller/cluster/daemon-set.js';
import { pruneJob } from '../../../controller/cluster/job.js';
import { pruneOwnKind, withWholeSpec } from '../../../controller/cluster/large-spec.js';
import { NODE_OP } from '../../../api/kinds.js';
import type { NodeOp } from '../../../api/objects.js';
import { NodeOpSpec } from '../../../api/nodeop.js';
import { targetsOf } from '../../../controller/cluster/targets.js';
import type { Meta, Stored } from '../../../kube/kube.js';
import { node, op } from '../../builders.js';
import { FakeKube } from '../../fakes/kube.js';
import { pruneNode } from '../../../controller/cluster/node.js';
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

const many = <T>(count: number, one: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => one(index));
const names = (prefix: string) => Object.fromEntries(many(4_000, index => [`${prefix}/${index}`, 'v'.repeat(60)]));

/** Metadata as large as its author can make it. */
const HUGE: Meta = {
  name: 'p',
  namespace: 'tenant',
  uid: 'u',
  resourceVersion: '1',
  labels: { ...names('tenant.example'), app: 'shop' },
  annotations: { ...names('tenant.kairos.io'), [ANNOTATIONS.nodeName]: 'n'.repeat(200_000) },
  finalizers: many(10_000, index => `tenant.example/${index}`),
  ownerReferences: many(5_000, index => ({ apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: `uid-${index}` })),
};
const statuses = many(2_000, index => ({ name: `c${index}`, image: 'i'.repeat(700), imageID: 'd'.repeat(700) }));
const hugePod: CachedPod = {
  metadata: HUGE,
  spec: { volumes: many(5_000, index => ({ name: `v${index}`, emptyDir: {} })), containers: statuses },
  status: { containerStatuses: statuses, initContainerStatuses: statuses },
};
const selector = { matchLabels: names('tenant.example') };
const CACHED: [string, number, object][] = [
  ['Pod', 50_000, prunePod(hugePod)],
  ['Job', 16_000, pruneJob({ metadata: HUGE, spec: {} })],
  ['PodDisruptionBudget', 16_000, pruneBudget({ metadata: HUGE, spec: { selector } })],
  [
    'DaemonSet',
    16_000,
    pruneDaemonSet({ metadata: HUGE, spec: { template: { spec: { nodeSelector: selector.matchLabels } } } }),
  ],
  [
    'NodeOp',
    16_000,
    pruneOwnKind({ ...op({ command: many(100_000, String), nodeSelector: selector }), metadata: HUGE }),
  ],
];

test.each(CACHED)('A %s of the largest size is cached in less than %d bytes', (_kind, bytes, cached) =>
  expect(JSON.stringify(cached).length).toBeLessThan(bytes),
);

test('The labels of this operator are kept among too many others', () => {
  const labels = { ...names('tenant.example'), [LABELS.nodeOp]: 'op' };
  expect(prunePod({ ...hugePod, metadata: { ...HUGE, labels } }).metadata.labels?.[LABELS.nodeOp]).toBe('op');
});

test('The controller of an object is kept among too many other owners', () => {
  const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'rs', controller: true };
  const ownerReferences = [...(HUGE.ownerReferences ?? []), controller];
  expect(prunePod({ ...hugePod, metadata: { ...HUGE, ownerReferences } }).metadata.ownerReferences).toContain(
    controller,
  );
});

test('All labels of a Node are kept', () => {
  const labels = names('feature.node.example');
  expect(pruneNode(node('n1', { labels })).metadata.labels).toMatchObject(labels);
});

test('A PodDisruptionBudget whose selector is too large counts for every Pod of its namespace', () =>
  expect(pruneBudget({ metadata: HUGE, spec: { selector } }).spec.selector).toEqual({}));

test('A DaemonSet whose rules are too large wants a pod on no node', () => {
  const set = pruneDaemonSet({ metadata: HUGE, spec: { template: { spec: { nodeSelector: names('a') } } } });
  expect(wantsPodOn(set, node('n1', { labels: names('a') }), { hasPod: true })).toBe(false);
});

describe('The cache of NodeOps', () => {
  const large = op({ command: ['sh', '-c', 'x'.repeat(20_000)], paused: true });

  test('keeps a spec of usual size', () => expect(pruneOwnKind(op()).spec).toEqual(op().spec));

  test('keeps the small fields of a large spec, which stays valid', () => {
    const { spec } = pruneOwnKind(large);
    expect([NodeOpSpec.safeParse(spec).success, spec.paused]).toEqual([true, true]);
  });

  test('lets an operation whose selector is too large target no node', () => {
    const { spec } = pruneOwnKind(op({ nodeSelector: selector }));
    expect(targetsOf(spec, [node('n1')])).toEqual([]);
  });

  test('has a cut spec read from the API server', async () => {
    const kube = new FakeKube();
    kube.seed(NODE_OP, large);
    const read = (cached: NodeOp) => withWholeSpec(kube, NODE_OP, cached);
    expect((await read(pruneOwnKind(large)))?.spec).toEqual(large.spec);
    expect(await read(op())).toEqual(op());
    const former: Stored = { ...large, metadata: { ...large.metadata, uid: 'uid-former' } };
    expect(await read(pruneOwnKind(former as NodeOp))).toBeUndefined();
  });
});
