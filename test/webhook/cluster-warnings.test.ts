import { describe, expect, test } from '@jest/globals';
import type { ClusterView, NodeView, OperationView } from '../../webhook/cluster-warnings/cluster-view.js';
import { splitNodes } from '../../webhook/cluster-warnings/targets.js';
import { clusterWarnings, type DefaultedObject } from '../../webhook/cluster-warnings/warnings.js';

const meta = (name: string, more: object = {}) => ({ name, uid: `uid-of-${name}`, resourceVersion: '1', ...more });

function node(name: string, labels: Record<string, string> = {}, spec: NodeView['spec'] = {}): NodeView {
  const all = { 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': name, 'kairos.io/managed': 'true', ...labels };
  return { metadata: meta(name, { labels: all }), spec };
}
const controlPlane = (name: string) => node(name, { 'node-role.kubernetes.io/control-plane': '' });

function operation(name: string, rest: Partial<OperationView> = {}): OperationView {
  return { kind: 'NodeOp', metadata: meta(name, { namespace: 'default' }), ...rest };
}

/** The known state of the cluster, with undivided nodes. */
type Known = Omit<ClusterView, 'nodes'> & { nodes?: NodeView[] };
const view = (known: Known): ClusterView => ({ ...known, nodes: known.nodes && splitNodes(known.nodes) });

const THREE = [controlPlane('cp'), node('w1'), node('w2')];
const object = (spec: DefaultedObject['spec'] = {}, rest: Partial<DefaultedObject> = {}): DefaultedObject => ({
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
const upgrade = (spec: DefaultedObject['spec'] = {}) => object({ image: 'a', ...spec }, { kind: 'NodeOpUpgrade' });

describe('warnings that depend on the cluster', () => {
  test.each<[string, DefaultedObject, Known, string[]]>([
    [
      'are not given while the state of the cluster is unknown',
      object({ nodeSelector: { matchLabels: { a: 'b' } } }),
      {},
      [],
    ],
    ['are not given when no node is disrupted', object(), { nodes: THREE, operations: [] }, []],
    [
      'are not given when only workers are disrupted',
      object({ ...workers, cordon: true }),
      { nodes: THREE, operations: [] },
      [],
    ],
    [
      'report a label that no node has',
      object({ nodeSelector: { matchLabels: { 'kairos.io/manged': 'true' } } }),
      { nodes: THREE },
      [
        'spec.nodeSelector: matches none of 3 Linux nodes; the operation fails if none matches when it starts; no node has the label kairos.io/manged',
      ],
    ],
    [
      'report the existing values of a label',
      object({
        nodeSelector: {
          matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'In', values: ['true'] }],
        },
      }),
      { nodes: THREE },
      [
        'spec.nodeSelector: matches none of 3 Linux nodes; the operation fails if none matches when it starts; no node has node-role.kubernetes.io/control-plane=true, existing values: ""',
      ],
    ],
    [
      'report a selector whose requirements match only separately',
      object({
        nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'w1', 'node-role.kubernetes.io/control-plane': '' } },
      }),
      { nodes: THREE },
      ['spec.nodeSelector: matches none of 3 Linux nodes; the operation fails if none matches when it starts'],
    ],
    [
      'report a cluster without nodes',
      object(),
      { nodes: [] },
      ['spec.nodeSelector: matches none of 0 Linux nodes; the operation fails if none matches when it starts'],
    ],
    [
      'report matching nodes that are skipped',
      object(),
      { nodes: [...THREE, node('win', { 'kubernetes.io/os': 'windows' }), node('vk', { type: 'virtual-kubelet' })] },
      ['spec.nodeSelector: 2 matching nodes are skipped, because operations run on Linux nodes that are not virtual'],
    ],
    [
      'report a reboot of the only control-plane node',
      object({ rebootOnSuccess: true }),
      { nodes: THREE },
      ['spec.nodeSelector: includes cp, the only control-plane node; the API server is unavailable while it reboots'],
    ],
    [
      'report a cordon of the only control-plane node',
      object({ cordon: true }),
      { nodes: THREE },
      ['spec.nodeSelector: includes cp, the only control-plane node'],
    ],
    [
      'list the disrupted control-plane nodes',
      upgrade(),
      { nodes: [controlPlane('a'), controlPlane('b'), controlPlane('c'), controlPlane('d'), controlPlane('e')] },
      [
        'spec.nodeSelector: includes 5 control-plane nodes (a, b, c and 2 more); they are processed first, one at a time',
      ],
    ],
    [
      'report a drain without another node',
      object({ cordon: true, drainOptions: { enabled: true } }),
      { nodes: [node('n1')] },
      ['spec.drainOptions.enabled: there is no other schedulable node for the evicted pods; nothing will be drained'],
    ],
    [
      'report a drain while all other nodes are cordoned',
      object({ ...only('w1'), cordon: true, drainOptions: { enabled: true } }),
      { nodes: [node('w1'), node('w2', {}, { unschedulable: true })] },
      ['spec.drainOptions.enabled: there is no other schedulable node for the evicted pods; nothing will be drained'],
    ],
    [
      'are not given for an upgrade whose drain is disabled',
      upgrade({ drainOptions: { enabled: false } }),
      { nodes: [node('n1')] },
      [],
    ],
    [
      'report that an upgrade of a single node drains nothing',
      upgrade(),
      { nodes: [node('n1')] },
      ['spec.drainOptions.enabled: there is no other schedulable node for the evicted pods; nothing will be drained'],
    ],
    [
      'name the operation to which nodes belong',
      object(),
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
      [
        'spec.nodeSelector: 2 nodes belong to NodeOp default/other (w1, w2); this operation waits until they are released, because it was created later',
      ],
    ],
    [
      'do not name an operation of another namespace',
      object({}, { namespace: 'tenant' }),
      {
        nodes: THREE,
        operations: [operation('rotate-keys', { spec: only('w1') })],
      },
      [
        'spec.nodeSelector: 1 node belongs to a NodeOp of another namespace (w1); this operation waits until they are released, because it was created later',
      ],
    ],
    [
      'name a new operation that will claim a node',
      object(only('w1')),
      {
        nodes: THREE,
        operations: [operation('new', { kind: 'NodeOpUpgrade', spec: workers as OperationView['spec'] })],
      },
      [
        'spec.nodeSelector: 1 node belongs to NodeOpUpgrade default/new (w1); this operation waits until they are released, because it was created later',
      ],
    ],
    [
      'say that an operation which is paused and has not begun is passed by',
      object(only('w1')),
      { nodes: THREE, operations: [operation('draft', { spec: { paused: true } })] },
      [
        'spec.nodeSelector: 1 node belongs to NodeOp default/draft (w1); this operation does not wait, because the other one is paused and has not begun',
      ],
    ],
    [
      'say that an operation was paused in the middle',
      object(only('w1')),
      {
        nodes: THREE,
        operations: [
          operation('half', {
            spec: { paused: true },
            status: { nodeStatuses: { w1: { phase: 'Pending' }, w2: { phase: 'Running', startedAt: 'then' } } },
          }),
        ],
      },
      [
        'spec.nodeSelector: 1 node belongs to NodeOp default/half (w1); this operation waits until they are released, because it was created later; the other one is paused',
      ],
    ],
    [
      'ignore an operation that has ended',
      object(),
      {
        nodes: THREE,
        operations: [operation('old', { status: { phase: 'Failed', nodeStatuses: { w1: { phase: 'Pending' } } } })],
      },
      [],
    ],
    [
      'ignore an upgrade that has a NodeOp',
      object(),
      { nodes: THREE, operations: [operation('u', { kind: 'NodeOpUpgrade', status: { nodeOpName: 'u' } })] },
      [],
    ],
    ['ignore the object itself', object(), { nodes: THREE, operations: [operation('x')] }, []],
    [
      'ignore operations on other nodes',
      object(only('w1')),
      { nodes: THREE, operations: [operation('o', { spec: only('w2') })] },
      [],
    ],
    [
      'report a namespace that rejects privileged Pods',
      object(),
      {
        namespace: () => ({
          metadata: meta('default', { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }),
        }),
      },
      [
        'metadata.namespace: default has the label pod-security.kubernetes.io/enforce=restricted, which rejects the privileged Pods of operations',
      ],
    ],
    [
      'ignore a privileged namespace',
      object(),
      {
        namespace: () => ({
          metadata: meta('default', { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } }),
        }),
      },
      [],
    ],
  ])('%s', (_title, reviewed, known, expected) => expect(clusterWarnings(reviewed, view(known))).toEqual(expected));

  test('are limited in number and length', () => {
    const long = 'n'.repeat(60);
    const nodes = Array.from({ length: 50 }, (_, n) => controlPlane(`${long}${n}`));
    const operations = Array.from({ length: 9 }, (_, n) => operation(`${long}${n}`));
    const warnings = clusterWarnings(upgrade(), view({ nodes, operations }));
    expect(warnings).toHaveLength(4);
    for (const warning of warnings) expect(warning.length).toBeLessThan(400);
  });
});
