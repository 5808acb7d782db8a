/** What surrounds operations that are taken over: others that want the same nodes, those that are over or being deleted, and several nodes at once. */
import { describe, expect, test } from '@jest/globals';
import { apiVersion, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { SETTLED, commandLasting, ONLY_N1, OP } from './lifecycle-setup.js';
import {
  after,
  CREATED,
  leaves,
  NEVER,
  ONCE,
  type OperationLeft,
  REBOOTS,
  RUNNING,
  TO_REBOOT,
} from './migration-setup.js';

const leaving = (what: OperationLeft) => (cluster: FakeCluster) => void leaves(cluster, what);

describe('an operation that is over', () => {
  test.each(['Completed', 'Failed'] as const)(
    '%s: not a letter of its status changes, and its finalizer goes',
    async phase => {
      let before: unknown;
      const { cluster, outcome } = await after(it => {
        const entry = { phase, message: 'told by another', rebootStatus: 'completed' };
        before = leaves(it, { phase, spec: REBOOTS, nodes: { n1: { entry } } }).status;
      });
      expect(cluster.nodeOp('op')?.status).toEqual(before);
      expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NEVER } });
    },
  );

  test('a reboot Pod of it that waits still is gone, and reboots nothing', async () => {
    const entry = { phase: 'Failed', message: 'Job failed', rebootStatus: 'cancelled' };
    const { cluster, outcome } = await after(
      leaving({ phase: 'Failed', spec: REBOOTS, nodes: { n1: { entry, job: 'failed', rebootPod: 'waits' } } }),
    );
    expect(cluster.api.all(PODS)).toEqual([]);
    expect(outcome.nodes.n1).toEqual(NEVER);
  });

  test('Completed, and a node of it cordoned still: it is let go', async () => {
    const entry = { phase: 'Completed', rebootStatus: 'not-requested' };
    const { outcome } = await after(
      leaving({ phase: 'Completed', spec: ONLY_N1, nodes: { n1: { entry, cordon: 'marked' } } }),
    );
    expect(outcome.nodes.n1).toEqual(NEVER);
  });

  test('Failed, and a node of it cordoned still: it stays so, for inspection', async () => {
    const entry = { phase: 'Failed', rebootStatus: 'not-requested' };
    const { outcome } = await after(
      leaving({ phase: 'Failed', spec: ONLY_N1, nodes: { n1: { entry, cordon: 'marked' } } }),
    );
    expect(outcome.nodes.n1).toMatchObject({ cordoned: true, cordonMark: 'default/op' });
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
    const { outcome, cluster } = await after(it => {
      leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: node } });
      it.delete(NODE_OP, OP);
    });
    expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: NEVER } });
    expect([...cluster.api.all(JOBS), ...cluster.api.all(PODS)]).toEqual([]);
  });

  test('its Job writes a system: it is let finish, and the machine stays up', async () => {
    const node = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
    const { outcome, cluster } = await after(it => {
      leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: node } });
      it.delete(NODE_OP, OP);
    });
    const sentinel = cluster.containerRuns.find(({ container }) => container === 'sentinel-creator');
    expect(sentinel?.ended).toBeDefined();
    expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: NEVER } });
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
        expect(await it.runUntil(() => it.nodeOp('op') === undefined, 180)).toBe(true);
        it.machine('n1').powerOn();
      },
    );
    expect(cluster.machine('n1').shutdowns).toEqual(['power']);
  });
});

describe('the deletion of an operation is not stuck', () => {
  const node = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
  const deleted = (cluster: FakeCluster) => {
    leaves(cluster, { phase: 'Running', spec: REBOOTS, nodes: { n1: node } });
    cluster.delete(NODE_OP, OP);
  };
  const saysSo = ({ api }: FakeCluster) =>
    api.events.filter(({ note }) => note.includes('without waiting any longer for Job'));

  test('by an image that cannot be pulled: it goes at once, and the node is let go', async () => {
    const { outcome } = await after(
      deleted,
      async it => expect(await it.runUntil(() => it.nodeOp('op') === undefined, 60)).toBe(true),
      { images: { 'busybox:latest': { error: 'manifest unknown' } } },
    );
    expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: NEVER } });
  });

  test('by a command that hangs: after an hour it goes, that is told, and the node is let go', async () => {
    const { outcome, cluster } = await after(deleted, () => undefined, commandLasting(1_000_000));
    expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: NEVER } });
    expect(saysSo(cluster)).toHaveLength(1);
  });
});

describe('an operation that wants a node of another', () => {
  test('waits until that one is taken over and done', async () => {
    const { outcome, cluster } = await after(it => {
      const node = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
      leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: node } });
      it.apply(NODE_OP, nodeOp('next', { ...ONLY_N1 }));
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: ONCE } });
    const commands = cluster.containerRuns
      .filter(({ container }) => container === 'nodeop')
      .map(({ pod }) => pod.slice(0, 4));
    expect(commands).toEqual(['op-n', 'next']);
    const [first, second] = cluster.containerRuns.filter(({ container }) => container === 'nodeop');
    const downAt = cluster.disruptions.find(({ node, down }) => node === 'n1' && down)?.at ?? 0;
    expect((first?.at ?? 0) / 1000).toBeLessThan(downAt);
    expect((second?.at ?? 0) / 1000).toBeGreaterThan(downAt);
  });
});

describe('several nodes', () => {
  test('those begun go on, those that are done stay so, the others start in their turn', async () => {
    const { outcome, cluster } = await after(
      leaving({
        phase: 'Running',
        spec: { cordon: true, rebootOnSuccess: true, concurrency: 1 },
        nodes: {
          n1: { entry: { phase: 'Completed', rebootStatus: 'completed' } },
          n2: { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' },
        },
      }),
    );
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NEVER, n2: ONCE, n3: ONCE } });
    expect(cluster.nodeOp('op')?.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
    const together = cluster.disruptions.filter(({ down }) => down).map(({ node }) => node);
    expect(together).toEqual(['n2', 'n3']);
  });

  test('an upgrade goes on with its NodeOp', async () => {
    const { outcome } = await after(it => {
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
    expect(outcome).toMatchObject({
      ...SETTLED,
      upgrades: { op: 'Completed' },
      nodes: { n1: ONCE, n2: ONCE, n3: ONCE },
    });
  });
});
