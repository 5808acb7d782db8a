/** States of the legacy operator that are easily misread: which nodes are finished, which were rebooted, and which nothing would continue. */
import { describe, expect, test } from '@jest/globals';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { apiVersion, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import type { NodeOp } from '../../api/objects.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { JobObject, PodObject } from '../fakes/cluster/object-types.js';
import { SETTLED, OP } from './lifecycle-setup.js';
import {
  runMigration,
  JOB_CREATED,
  legacyJobsLasting,
  createLegacyOperation,
  type LegacyNodeState,
  NOT_REBOOTED,
  REBOOTED_ONCE,
  REBOOT_N1,
  JOB_RUNNING,
  replaceLegacyOperator,
  AWAITING_REBOOT,
} from './migration-setup.js';

const ALL = { cordon: true, rebootOnSuccess: true };
const RUNS: LegacyNodeState = { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' };
const DONE: LegacyNodeState = {
  entry: AWAITING_REBOOT,
  cordon: 'marked',
  job: 'complete',
  rebootPod: 'waiting',
  sentinel: true,
};
const FAILED: LegacyNodeState = {
  entry: { phase: 'Failed', message: 'Job failed', rebootStatus: 'cancelled' },
  cordon: 'marked',
  job: 'failed',
};
const INSPECTED = { cordoned: true, cordonMark: 'default/op', claimedBy: undefined, shutdowns: '' };

describe('an operation that is Failed because of its first failed node', () => {
  test('has its other nodes migrated', async () => {
    const { outcome } = await runMigration(
      it => void createLegacyOperation(it, { phase: 'Failed', spec: ALL, nodes: { n1: FAILED, n2: RUNS, n3: DONE } }),
    );
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: INSPECTED, n2: REBOOTED_ONCE, n3: REBOOTED_ONCE } });
    expect(outcome.operations.op).toMatchObject({ phase: 'Failed', nodes: { n2: 'Completed Done completed' } });
  });

  test('keeps other operations waiting for its unfinished node', async () => {
    const { outcome, cluster } = await runMigration(it => {
      createLegacyOperation(it, {
        phase: 'Failed',
        spec: { ...ALL, stopOnFailure: true },
        nodes: { n1: FAILED, n2: RUNS },
      });
      const onN2 = { nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'n2' } }, cordon: true };
      it.apply(NODE_OP, nodeOp('next', onN2));
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: INSPECTED, n2: REBOOTED_ONCE, n3: NOT_REBOOTED } });
    const [first, second] = cluster.containerRuns.filter(
      ({ node, container }) => node === 'n2' && container === 'nodeop',
    );
    expect(second?.at).toBeGreaterThan(first?.ended ?? Infinity);
    expect(cluster.nodeOp('op')?.status?.nodeStatuses?.n3).toMatchObject({ phase: 'Pending' });
  });
});

test('migrates the unfinished node of an operation that is Completed', async () => {
  const done = { entry: { phase: 'Completed', rebootStatus: 'completed' } };
  const { outcome } = await runMigration(
    it =>
      void createLegacyOperation(it, {
        phase: 'Completed',
        spec: ALL,
        nodes: { n1: done, n2: { ...RUNS, entry: JOB_CREATED } },
      }),
  );
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NOT_REBOOTED, n2: REBOOTED_ONCE } });
});

describe('a power cut during a Job, which then runs again, does not count as a reboot', () => {
  const one = (cluster: FakeCluster) =>
    void createLegacyOperation(cluster, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: RUNS } });
  const twice = { ...REBOOTED_ONCE, shutdowns: 'power agent' };

  test('after the migration', async () => {
    const { outcome } = await runMigration(
      one,
      async it => {
        await it.runUntil(() => it.isRunning('n1', 'nodeop'), 300);
        await it.runFor(8);
        it.machine('n1').powerOff();
        await it.runFor(5);
        it.machine('n1').powerOn();
      },
      legacyJobsLasting(60),
    );
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: twice } });
    expect(outcome.operations.op?.nodes.n1).toBe('Completed Done completed');
  });

  test('just before the migration', async () => {
    const { outcome } = await runMigration(
      it => {
        one(it);
        it.machine('n1').powerOff();
      },
      async it => {
        await it.runFor(90);
        it.machine('n1').powerOn();
      },
    );
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: twice } });
  });
});

describe('a machine that has booted since its Job ended counts as rebooted', () => {
  const triggered: LegacyNodeState = {
    entry: AWAITING_REBOOT,
    cordon: 'marked',
    job: 'complete',
    rebootPod: 'triggered',
  };
  const hourAgo = ({ api, clock }: FakeCluster) => {
    const at = (msAgo: number) => new Date(clock.now().getTime() - msAgo).toISOString();
    const lastTransitionTime = at(3_600_000);
    for (const { metadata } of api.all(JOBS))
      api.modify<JobObject>(JOBS, metadata, job => ({
        ...job,
        metadata: { ...job.metadata, creationTimestamp: at(3_700_000) },
        status: { ...job.status, conditions: [{ type: 'Complete', status: 'True', lastTransitionTime }] },
      }));
  };

  test.each([
    ['even if its reboot Pod still waits', 'waiting', false],
    ['even if a second reboot Pod waits beside the one that triggered it', 'triggered', true],
  ] as const)('%s', async (_words, rebootPod, stray) => {
    const { outcome } = await runMigration(it => {
      createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: { ...triggered, rebootPod } } });
      hourAgo(it);
      for (const pod of stray ? it.api.all<PodObject>(PODS) : []) {
        const { namespace, labels, ownerReferences } = pod.metadata;
        it.api.put(PODS, { ...pod, metadata: { name: 'stray', namespace, labels, ownerReferences } });
      }
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NOT_REBOOTED } });
    expect(outcome.operations.op?.nodes.n1).toBe('Completed Done completed');
  });
});

test('stops the rollout of an upgrade if a node boots its passive system', async () => {
  const { outcome } = await runMigration(
    it => {
      const upgrade = it.api.put(NODE_OP_UPGRADE, {
        ...nodeOpUpgrade('op', { concurrency: 1 }),
        status: { phase: 'Running', nodeOpName: 'op' },
      });
      const owner = {
        apiVersion: apiVersion(NODE_OP_UPGRADE),
        kind: NODE_OP_UPGRADE.kind,
        name: 'op',
        uid: upgrade.metadata.uid,
        controller: true,
      };
      createLegacyOperation(it, { phase: 'Running', spec: { ...ALL, concurrency: 1 }, nodes: { n1: RUNS }, owner });
    },
    async it => {
      await it.runUntil(() => it.machine('n1').shutdowns.length > 0, 600);
      it.machine('n1').host.set({ cmdline: 'root=LABEL=COS_PASSIVE cos-img/filename=/cOS/passive.img' });
    },
  );
  expect(outcome.operations.op?.nodes.n1).toBe('Failed FellBack completed');
  expect(outcome.nodes).toMatchObject({ n2: NOT_REBOOTED, n3: NOT_REBOOTED });
});

test('migrates the other nodes while one machine is off, and reports what it waits for', async () => {
  const { outcome } = await runMigration(
    it => {
      createLegacyOperation(it, { phase: 'Running', spec: ALL, nodes: { n1: DONE, n2: DONE } });
      it.machine('n1').powerOff();
    },
    async it => {
      expect(await it.runUntil(() => it.machine('n2').shutdowns.length > 0, 300)).toBe(true);
      await it.runFor(60);
      expect(it.nodeOp('op')?.status?.nodeStatuses?.n1?.message).toMatch(/waiting for the agent/);
      it.machine('n1').powerOn();
    },
  );
  expect(outcome).toMatchObject({
    ...SETTLED,
    nodes: { n1: { ...REBOOTED_ONCE, shutdowns: 'power' }, n2: REBOOTED_ONCE, n3: REBOOTED_ONCE },
  });
});

test('uncordons a node that was cordoned and is never started', async () => {
  const spec = { cordon: true, stopOnFailure: true, concurrency: 1 };
  const n1: LegacyNodeState = { entry: JOB_RUNNING, cordon: 'marked', job: 'failed' };
  const { outcome } = await runMigration(
    it => void createLegacyOperation(it, { phase: 'Running', spec, nodes: { n1, n2: { cordon: 'marked' } } }),
  );
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: INSPECTED, n2: NOT_REBOOTED, n3: NOT_REBOOTED } });
});

test('continues from the claim if the legacy operator returned during an operation of this operator', async () => {
  const { outcome } = await runMigration(
    () => undefined,
    async it => {
      it.apply(NODE_OP, nodeOp('op', REBOOT_N1));
      await it.runUntil(() => it.isRunning('n1', 'nodeop'), 300);
      await replaceLegacyOperator(it, () => {
        it.api.modify<NodeOp>(NODE_OP, OP, op => ({
          ...op,
          status: {
            phase: 'Running',
            nodeStatuses: { n1: { phase: 'Running', jobName: op.status?.nodeStatuses?.n1?.jobName } },
          },
        }));
      });
    },
    legacyJobsLasting(60),
  );
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: REBOOTED_ONCE }, commands: { 'n1 op': 1 } });
  expect(outcome.operations.op?.nodes.n1).toBe('Completed Done completed');
});

test('fails an operation with an invalid spec after its Job, without a reboot, and releases its node', async () => {
  const spec = { ...REBOOT_N1, drainOptions: { enabled: true, timeoutSeconds: -1 } };
  const { outcome, cluster } = await runMigration(
    it => void createLegacyOperation(it, { phase: 'Running', spec, nodes: { n1: RUNS } }),
  );
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NOT_REBOOTED }, commands: { 'n1 op': 1 } });
  expect(outcome.operations.op?.nodes.n1).toBe('Failed InvalidSpec cancelled');
  expect(cluster.nodeOp('op')?.status?.message).toMatch(/timeoutSeconds/);
});

test('reboots a node with two Jobs only after both have finished', async () => {
  const { outcome, cluster } = await runMigration(it => {
    createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: RUNS } });
    const [job] = it.api.all<JobObject>(JOBS);
    if (!job) throw new Error('no Job');
    const { namespace, labels, ownerReferences } = job.metadata;
    it.api.put(JOBS, { ...job, metadata: { name: 'op-n1-first-x7k2p', namespace, labels, ownerReferences } });
  });
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: REBOOTED_ONCE }, commands: { 'n1 op': 2 } });
  expect(cluster.containerRuns.filter(({ container }) => container === 'nodeop').map(each => each.ended)).not.toContain(
    undefined,
  );
});
