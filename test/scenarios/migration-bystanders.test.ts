/** Migration beside other state: operations that wait for the same nodes, finished and deleted operations, and several nodes at once. */
import { describe, expect, test } from '@jest/globals';
import { apiVersion, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { SETTLED, commandLasting, ONLY_N1, OP } from './lifecycle-setup.js';
import {
  runMigration,
  JOB_CREATED,
  createLegacyOperation,
  NOT_REBOOTED,
  REBOOTED_ONCE,
  type LegacyOperation,
  REBOOT_N1,
  JOB_RUNNING,
  AWAITING_REBOOT,
} from './migration-setup.js';

const leftBehind = (what: LegacyOperation) => (cluster: FakeCluster) => void createLegacyOperation(cluster, what);

describe('a finished operation', () => {
  test.each(['Completed', 'Failed'] as const)('keeps its status and loses its finalizer in phase %s', async phase => {
    let before: unknown;
    const { cluster, outcome } = await runMigration(it => {
      const entry = { phase, message: 'from the legacy operator', rebootStatus: 'completed' };
      before = createLegacyOperation(it, { phase, spec: REBOOT_N1, nodes: { n1: { entry } } }).status;
    });
    expect(cluster.nodeOp('op')?.status).toEqual(before);
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NOT_REBOOTED } });
  });

  test('has its waiting reboot Pod deleted without a reboot', async () => {
    const entry = { phase: 'Failed', message: 'Job failed', rebootStatus: 'cancelled' };
    const { cluster, outcome } = await runMigration(
      leftBehind({ phase: 'Failed', spec: REBOOT_N1, nodes: { n1: { entry, job: 'failed', rebootPod: 'waiting' } } }),
    );
    expect(cluster.api.all(PODS)).toEqual([]);
    expect(outcome.nodes.n1).toEqual(NOT_REBOOTED);
  });

  test('has its cordoned node uncordoned in phase Completed', async () => {
    const entry = { phase: 'Completed', rebootStatus: 'not-requested' };
    const { outcome } = await runMigration(
      leftBehind({ phase: 'Completed', spec: ONLY_N1, nodes: { n1: { entry, cordon: 'marked' } } }),
    );
    expect(outcome.nodes.n1).toEqual(NOT_REBOOTED);
  });

  test('keeps its node cordoned for inspection in phase Failed', async () => {
    const entry = { phase: 'Failed', rebootStatus: 'not-requested' };
    const { outcome } = await runMigration(
      leftBehind({ phase: 'Failed', spec: ONLY_N1, nodes: { n1: { entry, cordon: 'marked' } } }),
    );
    expect(outcome.nodes.n1).toMatchObject({ cordoned: true, cordonMark: 'default/op' });
  });
});

describe('an operation that is being deleted', () => {
  test.each([
    ['while its Job runs', { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' }],
    [
      'before its reboot was triggered',
      { entry: AWAITING_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'waiting', sentinel: true },
    ],
    ['after its node was only cordoned', { entry: JOB_CREATED, cordon: 'marked' }],
  ] as const)('is deleted without a reboot, and releases its node, %s', async (_words, node) => {
    const { outcome, cluster } = await runMigration(it => {
      createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: node } });
      it.delete(NODE_OP, OP);
    });
    expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: NOT_REBOOTED } });
    expect([...cluster.api.all(JOBS), ...cluster.api.all(PODS)]).toEqual([]);
  });

  test('lets a Job that may write a system finish, without a reboot', async () => {
    const node = { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' } as const;
    const { outcome, cluster } = await runMigration(it => {
      createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: node } });
      it.delete(NODE_OP, OP);
    });
    const sentinel = cluster.containerRuns.find(({ container }) => container === 'sentinel-creator');
    expect(sentinel?.ended).toBeDefined();
    expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: NOT_REBOOTED } });
  });

  test('is deleted while the machine of its Job is off', async () => {
    const node = { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' } as const;
    const { cluster } = await runMigration(
      it => {
        createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: node } });
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

describe('the deletion of an operation', () => {
  const node = { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' } as const;
  const deleted = (cluster: FakeCluster) => {
    createLegacyOperation(cluster, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: node } });
    cluster.delete(NODE_OP, OP);
  };
  const deletionEvents = ({ api }: FakeCluster) =>
    api.events.filter(({ note }) => note.includes('without waiting any longer for Job'));

  test('does not wait for a Job whose image cannot be pulled, and releases the node', async () => {
    const { outcome } = await runMigration(
      deleted,
      async it => expect(await it.runUntil(() => it.nodeOp('op') === undefined, 60)).toBe(true),
      { images: { 'busybox:latest': { error: 'manifest unknown' } } },
    );
    expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: NOT_REBOOTED } });
  });

  test('stops waiting for a hanging command after an hour, with an Event, and releases the node', async () => {
    const { outcome, cluster } = await runMigration(deleted, () => undefined, commandLasting(1_000_000));
    expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: NOT_REBOOTED } });
    expect(deletionEvents(cluster)).toHaveLength(1);
  });
});

describe('an operation that targets a node of the legacy operator', () => {
  test('waits until the other operation is migrated and finished', async () => {
    const { outcome, cluster } = await runMigration(it => {
      const node = { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' } as const;
      createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: node } });
      it.apply(NODE_OP, nodeOp('next', { ...ONLY_N1 }));
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: REBOOTED_ONCE } });
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

describe('an operation on several nodes', () => {
  test('continues started nodes, leaves finished ones alone and starts the others in turn', async () => {
    const { outcome, cluster } = await runMigration(
      leftBehind({
        phase: 'Running',
        spec: { cordon: true, rebootOnSuccess: true, concurrency: 1 },
        nodes: {
          n1: { entry: { phase: 'Completed', rebootStatus: 'completed' } },
          n2: { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' },
        },
      }),
    );
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NOT_REBOOTED, n2: REBOOTED_ONCE, n3: REBOOTED_ONCE } });
    expect(cluster.nodeOp('op')?.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
    const together = cluster.disruptions.filter(({ down }) => down).map(({ node }) => node);
    expect(together).toEqual(['n2', 'n3']);
  });

  test('continues for the upgrade that owns it', async () => {
    const { outcome } = await runMigration(it => {
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
      const node = { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' } as const;
      createLegacyOperation(it, {
        phase: 'Running',
        spec: { cordon: true, rebootOnSuccess: true },
        nodes: { n1: node },
        owner,
      });
    });
    expect(outcome).toMatchObject({
      ...SETTLED,
      upgrades: { op: 'Completed' },
      nodes: { n1: REBOOTED_ONCE, n2: REBOOTED_ONCE, n3: REBOOTED_ONCE },
    });
  });
});
