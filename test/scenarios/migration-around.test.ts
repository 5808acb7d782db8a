/** What surrounds operations that are taken over: others that want the same nodes, those that are over or being deleted, and what belongs to none. */
import { describe, expect, test } from '@jest/globals';
import { apiVersion, NODE_AGENT, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { FINALIZERS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { FORMER_FINALIZER, LABELER } from '../../controller/migration/names.js';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  DAEMONSETS,
  DEPLOYMENTS,
  JOBS,
  LEASES,
  NODES,
  PODS,
} from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { daemonSetObject, nodeOp, nodeOpUpgrade } from '../fakes/cluster/objects.js';
import { byHand, CALM, FREE, lasts, nodes, ONLY_N1, OP, running } from './life-stage.js';
import { CREATED, leaves, type OperationLeft, RUNNING, succeeds, TO_REBOOT } from './migration-stage.js';
import { tell, type Told } from './replay.js';

const NEVER = { ...FREE, downs: '' };
const ONCE = { ...FREE, downs: 'agent' };
const REBOOTS = { ...ONLY_N1, cordon: true, rebootOnSuccess: true };

/** From the last moment of the one operator to the calm after the other. */
const after = (
  before: (cluster: FakeCluster) => void,
  then: (cluster: FakeCluster) => Promise<void> | void = () => undefined,
): Promise<Told> =>
  tell({
    name: 'taken over',
    cluster: { nodes: nodes('n1', 'n2', 'n3'), ...lasts(20) },
    play: async cluster => {
      await succeeds(cluster, () => before(cluster));
      await then(cluster);
    },
    ends: {},
  });

const left = (what: OperationLeft) => (cluster: FakeCluster) => void leaves(cluster, what);

describe('an operation that is over', () => {
  test.each(['Completed', 'Failed'] as const)(
    '%s: not a letter of its status changes, and its finalizer goes',
    async phase => {
      let before: unknown;
      const { cluster, ending } = await after(it => {
        const entry = { phase, message: 'told by another', rebootStatus: 'completed' };
        before = leaves(it, { phase, spec: REBOOTS, nodes: { n1: { entry } } }).status;
      });
      expect(cluster.nodeOp('op')?.status).toEqual(before);
      expect(ending).toMatchObject({ ...CALM, nodes: { n1: NEVER } });
    },
  );

  test('a reboot Pod of it that waits still is gone, and reboots nothing', async () => {
    const entry = { phase: 'Failed', message: 'Job failed', rebootStatus: 'cancelled' };
    const { cluster, ending } = await after(
      left({ phase: 'Failed', spec: REBOOTS, nodes: { n1: { entry, job: 'failed', rebootPod: 'waits' } } }),
    );
    expect(cluster.api.all(PODS)).toEqual([]);
    expect(ending.nodes.n1).toEqual(NEVER);
  });

  test('Completed, and a node of it cordoned still: it is let go', async () => {
    const entry = { phase: 'Completed', rebootStatus: 'not-requested' };
    const { ending } = await after(
      left({ phase: 'Completed', spec: ONLY_N1, nodes: { n1: { entry, cordon: 'marked' } } }),
    );
    expect(ending.nodes.n1).toEqual(NEVER);
  });

  test('Failed, and a node of it cordoned still: it stays so, for inspection', async () => {
    const entry = { phase: 'Failed', rebootStatus: 'not-requested' };
    const { ending } = await after(
      left({ phase: 'Failed', spec: ONLY_N1, nodes: { n1: { entry, cordon: 'marked' } } }),
    );
    expect(ending.nodes.n1).toMatchObject({ cordoned: true, mark: 'default/op' });
  });
});

describe('an operation that is being deleted', () => {
  test.each([
    ['its Job runs', { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' }],
    [
      'its reboot was not called yet',
      { entry: TO_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'waits', sentinel: true },
    ],
    ['it had hardly begun', { entry: CREATED, cordon: 'marked' }],
  ] as const)('%s: it goes, nothing is rebooted, and the node is let go', async (_words, node) => {
    const { ending, cluster } = await after(it => {
      leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: node } });
      it.delete(NODE_OP, OP);
    });
    expect(ending).toMatchObject({ ...CALM, operations: {}, nodes: { n1: NEVER } });
    expect([...cluster.api.all(JOBS), ...cluster.api.all(PODS)]).toEqual([]);
  });

  test('its Job writes a system: it is let finish, and the machine stays up', async () => {
    const node = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
    const { ending, cluster } = await after(it => {
      leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: node } });
      it.delete(NODE_OP, OP);
    });
    const sentinel = cluster.started.find(({ container }) => container === 'sentinel-creator');
    expect(sentinel?.ended).toBeDefined();
    expect(ending).toMatchObject({ ...CALM, operations: {}, nodes: { n1: NEVER } });
  });

  test('its machine is off: the deletion is not stuck', async () => {
    const node = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
    const { cluster } = await after(
      it => {
        leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: node } });
        it.machine('n1').powerOff();
        it.delete(NODE_OP, OP);
      },
      async it => {
        expect(await it.until(() => it.nodeOp('op') === undefined, 180)).toBe(true);
        it.machine('n1').powerOn();
      },
    );
    expect(cluster.machine('n1').downs).toEqual(['power']);
  });
});

describe('an operation that wants a node of another', () => {
  test('waits until that one is taken over and done', async () => {
    const { ending, cluster } = await after(it => {
      const node = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
      leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: node } });
      it.apply(NODE_OP, nodeOp('next', { ...ONLY_N1 }));
    });
    expect(ending).toMatchObject({ ...CALM, nodes: { n1: ONCE } });
    const commands = cluster.started
      .filter(({ container }) => container === 'nodeop')
      .map(({ pod }) => pod.slice(0, 4));
    expect(commands).toEqual(['op-n', 'next']);
    const [first, second] = cluster.started.filter(({ container }) => container === 'nodeop');
    const downAt = cluster.disruptions.find(({ node, down }) => node === 'n1' && down)?.at ?? 0;
    expect((first?.at ?? 0) / 1000).toBeLessThan(downAt);
    expect((second?.at ?? 0) / 1000).toBeGreaterThan(downAt);
  });
});

describe('several nodes', () => {
  test('those begun go on, those that are done stay so, the others start in their turn', async () => {
    const { ending, cluster } = await after(
      left({
        phase: 'Running',
        spec: { cordon: true, rebootOnSuccess: true, concurrency: 1 },
        nodes: {
          n1: { entry: { phase: 'Completed', rebootStatus: 'completed' } },
          n2: { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' },
        },
      }),
    );
    expect(ending).toMatchObject({ ...CALM, nodes: { n1: NEVER, n2: ONCE, n3: ONCE } });
    expect(cluster.nodeOp('op')?.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
    const together = cluster.disruptions.filter(({ down }) => down).map(({ node }) => node);
    expect(together).toEqual(['n2', 'n3']);
  });

  test('an upgrade goes on with its NodeOp', async () => {
    const { ending } = await after(it => {
      const upgrade = it.api.put(NODE_OP_UPGRADE, {
        ...nodeOpUpgrade('op'),
        status: { phase: 'Running', message: 'Upgrade operation is running', nodeOpName: 'op' },
      });
      const owner = {
        apiVersion: apiVersion(NODE_OP_UPGRADE),
        kind: NODE_OP_UPGRADE.kind,
        name: 'op',
        uid: upgrade.metadata.uid,
        controller: true,
      };
      const node = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
      leaves(it, { phase: 'Running', spec: { cordon: true, rebootOnSuccess: true }, nodes: { n1: node }, owner });
    });
    expect(ending).toMatchObject({ ...CALM, upgrades: { op: 'Completed' }, nodes: { n1: ONCE, n2: ONCE, n3: ONCE } });
  });
});

describe('what changes while it is taken over', () => {
  const node = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
  const left = { phase: 'Running', spec: REBOOTS, nodes: { n1: node } } as const;
  /** The first write to a Job meets this. */
  const meanwhile = (happens: (it: FakeCluster) => void) =>
    after(it => {
      leaves(it, left);
      const program = it.controllers[0];
      let isFirst = true;
      it.api.onChange(plural => {
        if (plural !== LEASES.plural || !isFirst || program === undefined) return;
        isFirst = false;
        program.mishap = number => (number === 2 ? { is: 'meanwhile', call: () => happens(it) } : undefined);
      });
    });

  test('its Job is told of by others: that is read, and it goes on', async () => {
    const { ending } = await meanwhile(({ api }) => {
      for (const { metadata } of api.all(JOBS)) api.patch(JOBS, metadata, { metadata: { labels: { news: 'true' } } });
    });
    expect(ending).toMatchObject({ ...CALM, nodes: { n1: ONCE } });
  });

  test('its Job is deleted: that is told', async () => {
    const { ending } = await meanwhile(({ api }) => {
      for (const { metadata } of api.all(JOBS)) api.drop(JOBS, metadata);
    });
    expect(ending).toMatchObject({ ...CALM, nodes: { n1: NEVER } });
    expect(ending.operations.op?.nodes.n1).toBe('Failed JobDeleted cancelled');
  });
});

test('a spec that breaks a rule of today is told, and nothing of it reboots a node', async () => {
  const node = { entry: TO_REBOOT, job: 'complete', rebootPod: 'waits' } as const;
  const { ending, cluster } = await after(
    left({ phase: 'Running', spec: { ...REBOOTS, hostMountPath: 'host' }, nodes: { n1: node } }),
  );
  expect(cluster.nodeOp('op')?.status?.phase).toBe('Failed');
  expect(ending).toMatchObject({ ...CALM, nodes: { n1: NEVER } });
});

describe('what belongs to no operation', () => {
  const cluster = () =>
    after(it => {
      it.api.put(DAEMONSETS, {
        ...daemonSetObject(LABELER),
        metadata: { name: LABELER, namespace: 'operator-system' },
      });
      const labeling = { name: `${LABELER}-n1`, namespace: 'operator-system', labels: { app: LABELER } };
      it.api.put(JOBS, { metadata: labeling, spec: { suspend: true, template: { spec: { containers: [] } } } });
      it.api.put(CLUSTER_ROLES, { metadata: { name: 'nodeop-reboot' } });
      it.api.put(CLUSTER_ROLES, { metadata: { name: 'admin' } });
      for (const [name, role] of [
        ['nodeop-reboot-op', 'nodeop-reboot'],
        ['nodeop-reboot-vanished', 'nodeop-reboot'],
        ['mine', 'admin'],
      ])
        it.api.put(CLUSTER_ROLE_BINDINGS, { metadata: { name }, roleRef: { name: role } });
    });

  test('goes: labeler, roles, bindings; and nothing else does', async () => {
    const { api } = (await cluster()).cluster;
    const names = [DAEMONSETS, JOBS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS].flatMap(kind => api.all(kind));
    expect(names.map(({ metadata }) => metadata.name)).toEqual(['admin', 'mine']);
  });
});

test('nothing is done while a Pod of the other operator lives, and as soon as it has ended all is done', async () => {
  const pod = { name: 'operator-kairos-operator-5d4f-abcde', namespace: 'operator-system' };
  const { ending } = await after(
    it => {
      const spec = { nodeName: 'n2', restartPolicy: 'Always', containers: [{ name: 'manager', image: 'former' }] };
      it.api.put(PODS, { metadata: pod, spec, status: { phase: 'Running' } });
      leaves(it, {
        phase: 'Running',
        spec: REBOOTS,
        nodes: { n1: { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } },
      });
    },
    async it => {
      await it.run(15);
      expect(
        it.acts.filter(({ program, name }) => program.startsWith('controller') && !name.includes('leases')),
      ).toEqual([]);
      it.api.drop(PODS, pod);
    },
  );
  expect(ending.operations.op?.nodes.n1).toBe('Completed Done completed');
});

test('a cluster that never had another operator is asked for little, and nothing is changed there', async () => {
  const { cluster } = await after(it => byHand(it, 'n1', true));
  const changed = cluster.acts.filter(
    ({ program, name }) => program === 'controller-a' && !/leases|delete cluster/.test(name),
  );
  expect(changed).toEqual([]);
  expect(
    cluster.api.find(DEPLOYMENTS, { namespace: 'operator-system', name: 'operator-kairos-operator' }),
  ).toBeUndefined();
  expect(cluster.api.find<NodeOp>(NODES, { name: 'n1' })?.spec).toMatchObject({ unschedulable: true });
  expect(cluster.api.all(NODE_OP).flatMap(({ metadata }) => metadata.finalizers ?? [])).not.toContain(FORMER_FINALIZER);
});

describe('the way back', () => {
  test('after an operation nothing of ours holds any object', async () => {
    const { cluster } = await after(it => void it.apply(NODE_OP, nodeOp('op', REBOOTS)));
    const held = [...cluster.api.all(NODE_OP), ...cluster.api.all(NODE_AGENT), ...cluster.api.all(NODES)];
    expect(held.flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
    expect(cluster.nodeOp('op')?.status?.phase).toBe('Completed');
  });

  test('no controller in the middle of one: its deletion waits, and ends well when there is one again', async () => {
    const { ending } = await after(
      it => void it.apply(NODE_OP, nodeOp('op', REBOOTS)),
      async it => {
        await running(it, 'n1');
        it.controllers[0]?.leave();
        it.delete(NODE_OP, OP);
        await it.run(3600);
        expect(it.nodeOp('op')?.metadata.finalizers).toEqual([FINALIZERS.claimed]);
        it.controllers[1]?.start();
        expect(await it.until(() => it.nodeOp('op') === undefined, 300)).toBe(true);
      },
    );
    expect(ending).toMatchObject({ ...CALM, operations: {}, nodes: { n1: FREE } });
  });
});
