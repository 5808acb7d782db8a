import { afterEach, describe, expect, test } from '@jest/globals';
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { NAMESPACES, NODES, SECRETS } from '../../kube/resources.js';
import { silentLog } from '../../program/log.js';
import { clusterWarnings, type DefaultedObject } from '../../webhook/cluster-warnings/warnings.js';
import { ClusterCache } from '../../webhook/cluster-warnings/cluster-cache.js';
import { splitNodes } from '../../webhook/cluster-warnings/targets.js';
import type { NodeView, OperationView, ClusterView } from '../../webhook/cluster-warnings/cluster-view.js';
import { HttpsApiServer } from '../fakes/https-api-server.js';
import { fakeClock } from '../fakes/clock.js';
import { createKube } from '../../kube/client.js';
import { until } from '../kube/samples.js';
import { request } from './reviews.js';

const meta = (name: string, more: object = {}) => ({ name, uid: `uid-of-${name}`, resourceVersion: '1', ...more });

function node(name: string, labels: Record<string, string> = {}, spec: NodeView['spec'] = {}): NodeView {
  const all = { 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': name, 'kairos.io/managed': 'true', ...labels };
  return { metadata: meta(name, { labels: all }), spec };
}
const plane = (name: string) => node(name, { 'node-role.kubernetes.io/control-plane': '' });

function operation(name: string, rest: Partial<OperationView> = {}): OperationView {
  return { kind: 'NodeOp', metadata: meta(name, { namespace: 'default' }), ...rest };
}

type Known = Omit<ClusterView, 'nodes'> & { nodes?: NodeView[] };
const seen = (known: Known): ClusterView => ({ ...known, nodes: known.nodes && splitNodes(known.nodes) });

const THREE = [plane('cp'), node('w1'), node('w2')];
const wish = (spec: DefaultedObject['spec'] = {}, rest: Partial<DefaultedObject> = {}): DefaultedObject => ({
  kind: 'NodeOp',
  namespace: 'default',
  name: 'x',
  spec: { command: ['true'], ...spec },
  ...rest,
});
const workers = {
  nodeSelector: { matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'DoesNotExist' }] },
};
const only = (name: string) => ({ nodeSelector: { matchLabels: { 'kubernetes.io/hostname': name } } });
const upgrade = (spec: DefaultedObject['spec'] = {}) => wish({ image: 'a', ...spec }, { kind: 'NodeOpUpgrade' });

describe('of a wish is said', () => {
  test.each<[string, DefaultedObject, Known, string[]]>([
    ['nothing, where nothing is known', wish({ nodeSelector: { matchLabels: { a: 'b' } } }), {}, []],
    ['nothing, where nothing is disturbed', wish(), { nodes: THREE, operations: [] }, []],
    [
      'nothing, where only workers are disturbed',
      wish({ ...workers, cordon: true }),
      { nodes: THREE, operations: [] },
      [],
    ],
    [
      'that no node carries the label',
      wish({ nodeSelector: { matchLabels: { 'kairos.io/manged': 'true' } } }),
      { nodes: THREE },
      [
        'spec.nodeSelector: matches none of 3 Linux nodes now, and fails without any; none carries the label kairos.io/manged',
      ],
    ],
    [
      'that the label has another value here',
      wish({
        nodeSelector: {
          matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'In', values: ['true'] }],
        },
      }),
      { nodes: THREE },
      [
        'spec.nodeSelector: matches none of 3 Linux nodes now, and fails without any; none has node-role.kubernetes.io/control-plane=true, it is "" here',
      ],
    ],
    [
      'that only the requirements together match nothing',
      wish({
        nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'w1', 'node-role.kubernetes.io/control-plane': '' } },
      }),
      { nodes: THREE },
      ['spec.nodeSelector: matches none of 3 Linux nodes now, and fails without any'],
    ],
    [
      'that the cluster has no node yet',
      wish(),
      { nodes: [] },
      ['spec.nodeSelector: matches none of 0 Linux nodes now, and fails without any'],
    ],
    [
      'which nodes are left out',
      wish(),
      { nodes: [...THREE, node('win', { 'kubernetes.io/os': 'windows' }), node('vk', { type: 'virtual-kubelet' })] },
      ['spec.nodeSelector: 2 matching nodes are not Linux or virtual, and left out'],
    ],
    [
      'that the only control plane reboots',
      wish({ rebootOnSuccess: true }),
      { nodes: THREE },
      ['spec.nodeSelector: includes cp, the only control plane; the API server is away while it reboots'],
    ],
    [
      'that the only control plane is cordoned',
      wish({ cordon: true }),
      { nodes: THREE },
      ['spec.nodeSelector: includes cp, the only control plane'],
    ],
    [
      'which control planes are disturbed',
      upgrade(),
      { nodes: [plane('a'), plane('b'), plane('c'), plane('d'), plane('e')] },
      ['spec.nodeSelector: includes 5 control planes (a, b, c and 2 more); they go first, one at a time'],
    ],
    [
      'that there is no node to drain to',
      wish({ cordon: true, drainOptions: { enabled: true } }),
      { nodes: [node('n1')] },
      ['spec.drainOptions.enabled: there is no other node that takes pods; nothing will be drained'],
    ],
    [
      'that all other nodes are cordoned',
      wish({ ...only('w1'), cordon: true, drainOptions: { enabled: true } }),
      { nodes: [node('w1'), node('w2', {}, { unschedulable: true })] },
      ['spec.drainOptions.enabled: there is no other node that takes pods; nothing will be drained'],
    ],
    [
      'nothing of a drain that an upgrade was told to leave out',
      upgrade({ drainOptions: { enabled: false } }),
      { nodes: [node('n1')] },
      [],
    ],
    [
      'that an upgrade of a single node drains nothing',
      upgrade(),
      { nodes: [node('n1')] },
      ['spec.drainOptions.enabled: there is no other node that takes pods; nothing will be drained'],
    ],
    [
      'whom the nodes belong to',
      wish(),
      {
        nodes: THREE,
        operations: [
          operation('other', {
            status: {
              phase: 'Running',
              nodeStatuses: { w1: { phase: 'Running' }, w2: { phase: 'Pending' }, cp: { phase: 'Completed' } },
            },
          }),
        ],
      },
      ['spec.nodeSelector: 2 nodes belong to NodeOp default/other (w1, w2), and must wait for it'],
    ],
    [
      'whom a node will belong to',
      wish(only('w1')),
      {
        nodes: THREE,
        operations: [operation('new', { kind: 'NodeOpUpgrade', spec: workers as OperationView['spec'] })],
      },
      ['spec.nodeSelector: 1 node belongs to NodeOpUpgrade default/new (w1), and must wait for it'],
    ],
    [
      'nothing of an operation that has ended',
      wish(),
      {
        nodes: THREE,
        operations: [operation('old', { status: { phase: 'Failed', nodeStatuses: { w1: { phase: 'Pending' } } } })],
      },
      [],
    ],
    [
      'nothing of an upgrade beside its NodeOp',
      wish(),
      { nodes: THREE, operations: [operation('u', { kind: 'NodeOpUpgrade', status: { nodeOpName: 'u' } })] },
      [],
    ],
    ['nothing of itself', wish(), { nodes: THREE, operations: [operation('x')] }, []],
    [
      'nothing of operations elsewhere',
      wish(only('w1')),
      { nodes: THREE, operations: [operation('o', { spec: only('w2') })] },
      [],
    ],
    [
      'that the namespace refuses such Pods',
      wish(),
      {
        namespace: () => ({
          metadata: meta('default', { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }),
        }),
      },
      [
        'metadata.namespace: default has pod-security.kubernetes.io/enforce=restricted, which refuses the privileged Pods of operations',
      ],
    ],
    [
      'nothing of a privileged namespace',
      wish(),
      {
        namespace: () => ({
          metadata: meta('default', { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } }),
        }),
      },
      [],
    ],
  ])('%s', (_sentence, about, view, said) => expect(clusterWarnings(about, seen(view))).toEqual(said));

  test('no more than the API server shows', () => {
    const long = 'n'.repeat(60);
    const nodes = Array.from({ length: 50 }, (_, n) => plane(`${long}${n}`));
    const operations = Array.from({ length: 9 }, (_, n) => operation(`${long}${n}`));
    const said = clusterWarnings(upgrade(), seen({ nodes, operations }));
    expect(said).toHaveLength(4);
    for (const sentence of said) expect(sentence.length).toBeLessThan(400);
  });
});

const stored = (name: string, rest: object = {}, namespace?: string) => ({ metadata: { name, namespace, ...rest } });

describe('the cluster', () => {
  const stop = new AbortController();
  let server: HttpsApiServer;
  afterEach(async () => {
    stop.abort();
    await server.stop();
  });

  test('is seen, and spoken of', async () => {
    server = await HttpsApiServer.start();
    const kube = createKube(server.connection(), { userAgent: 'test/0' });
    for (const { metadata } of THREE) await kube.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata });
    await kube.create(NAMESPACES, stored('default', { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } }));
    await kube.create(SECRETS, stored('there', {}, 'default'), 'default');
    const clock = fakeClock();
    const cluster = new ClusterCache({ kube, clock, log: silentLog });
    expect(cluster.syncFault()).toBe('not yet seen: nodes, nodeOps, upgrades, namespaces');
    expect(await cluster.reach(request())).toEqual([]);
    const running = cluster.run(stop.signal);
    await until(() => cluster.syncFault() === undefined);
    const spec = { command: ['true'], cordon: true, imagePullSecrets: [{ name: 'there' }, { name: 'missing' }] };
    expect(await cluster.reach(request({ spec }))).toEqual([
      'spec.nodeSelector: includes cp, the only control plane',
      'metadata.namespace: default has pod-security.kubernetes.io/enforce=baseline, which refuses the privileged Pods of operations',
      'spec.imagePullSecrets[1].name: there is no Secret missing in namespace default now; the image may not be pulled',
    ]);
    const begun = { spec: { command: ['a'] }, status: { phase: 'Running' } };
    expect(await cluster.reach(request({ spec, before: begun }))).toEqual([]);
    await kube.create(NODE_OP, { ...stored('other', {}, 'default'), spec: { command: ['a'] } }, 'default');
    await kube.create(NODE_OP_UPGRADE, { ...stored('u', {}, 'default'), spec: { image: 'a' } }, 'default');
    await until(async () => (await cluster.reach(request())).length === 3);
    expect((await cluster.reach(request())).slice(0, 2)).toEqual([
      'spec.nodeSelector: 3 nodes belong to NodeOp default/other (cp, w1, w2), and must wait for it',
      'spec.nodeSelector: 3 nodes belong to NodeOpUpgrade default/u (cp, w1, w2), and must wait for it',
    ]);
    kube.close();
    stop.abort();
    await running;
  });

  test('that does not answer makes no one wait: no warning of pull secrets without the right to look, or without an answer', async () => {
    server = await HttpsApiServer.start();
    const kube = createKube(server.connection(), { userAgent: 'test/0' });
    const cluster = new ClusterCache({ kube, clock: fakeClock(), log: silentLog });
    const asked = request({ spec: { command: ['true'], imagePullSecrets: [{ name: 'a' }] } });
    server.injectFault({ status: 403, reason: 'Forbidden' }, 1);
    expect(await cluster.reach(asked)).toEqual([]);
    server.clearFaults();
    server.injectFault('noResponse', 1);
    const clock = fakeClock();
    const slow = new ClusterCache({ kube, clock, log: silentLog }).reach(asked);
    await until(() => clock.sleeperCount() === 1);
    await clock.advance(500);
    expect(await slow).toEqual([]);
    kube.close();
  });

  test('that cannot be seen holds readiness up for a minute and no longer', async () => {
    server = await HttpsApiServer.start();
    const clock = fakeClock();
    const cluster = new ClusterCache({
      kube: createKube(server.connection(), { userAgent: 'test/0' }),
      clock,
      log: silentLog,
    });
    await clock.advance(59_000);
    expect(cluster.syncFault()).toContain('nodes');
    await clock.advance(1_000);
    expect(cluster.syncFault()).toBeUndefined();
  });
});
