/** What an earlier operator left half done, in ways that are easily misread: what is over, what was rebooted, what nobody would go on with. */
import { describe, expect, test } from '@jest/globals';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { apiVersion, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import type { NodeOp } from '../../api/objects.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { JobObject, PodObject } from '../fakes/cluster/object-types.js';
import { SETTLED, OP } from './lifecycle-setup.js';
import {
  after,
  CREATED,
  itsJobsLast,
  leaves,
  type NodeLeft,
  NEVER,
  ONCE,
  REBOOTS,
  RUNNING,
  succeeds,
  TO_REBOOT,
} from './migration-setup.js';

const ALL = { cordon: true, rebootOnSuccess: true };
const RUNS: NodeLeft = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' };
const DONE: NodeLeft = { entry: TO_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'waits', sentinel: true };
const FAILED: NodeLeft = {
  entry: { phase: 'Failed', message: 'Job failed', rebootStatus: 'cancelled' },
  cordon: 'marked',
  job: 'failed',
};
const INSPECTED = { cordoned: true, cordonMark: 'default/op', claimedBy: undefined, shutdowns: '' };

describe('Failed is said of the whole with the first node that failed', () => {
  test('and the others go on: they are taken over', async () => {
    const { outcome } = await after(
      it => void leaves(it, { phase: 'Failed', spec: ALL, nodes: { n1: FAILED, n2: RUNS, n3: DONE } }),
    );
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: INSPECTED, n2: ONCE, n3: ONCE } });
    expect(outcome.operations.op).toMatchObject({ phase: 'Failed', nodes: { n2: 'Completed Done completed' } });
  });

  test('another operation waits for a node that goes on', async () => {
    const { outcome, cluster } = await after(it => {
      leaves(it, { phase: 'Failed', spec: { ...ALL, stopOnFailure: true }, nodes: { n1: FAILED, n2: RUNS } });
      const onN2 = { nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'n2' } }, cordon: true };
      it.apply(NODE_OP, nodeOp('next', onN2));
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: INSPECTED, n2: ONCE, n3: NEVER } });
    const [first, second] = cluster.containerRuns.filter(
      ({ node, container }) => node === 'n2' && container === 'nodeop',
    );
    expect(second?.at).toBeGreaterThan(first?.ended ?? Infinity);
    expect(cluster.nodeOp('op')?.status?.nodeStatuses?.n3).toMatchObject({ phase: 'Pending' });
  });
});

test('Completed is said of the whole while a node is under way: that node is taken over', async () => {
  const done = { entry: { phase: 'Completed', rebootStatus: 'completed' } };
  const { outcome } = await after(
    it => void leaves(it, { phase: 'Completed', spec: ALL, nodes: { n1: done, n2: { ...RUNS, entry: CREATED } } }),
  );
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NEVER, n2: ONCE } });
});

describe('the power was cut in the middle of a Job, which runs again: that start is no reboot', () => {
  const one = (cluster: FakeCluster) => void leaves(cluster, { phase: 'Running', spec: REBOOTS, nodes: { n1: RUNS } });
  const twice = { ...ONCE, shutdowns: 'power agent' };

  test('after the takeover', async () => {
    const { outcome } = await after(
      one,
      async it => {
        await it.runUntil(() => it.isRunning('n1', 'nodeop'), 300);
        await it.runFor(8);
        it.machine('n1').powerOff();
        await it.runFor(5);
        it.machine('n1').powerOn();
      },
      itsJobsLast(60),
    );
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: twice } });
    expect(outcome.operations.op?.nodes.n1).toBe('Completed Done completed');
  });

  test('just before the takeover', async () => {
    const { outcome } = await after(
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

describe('a machine that was started since the end of its Job has been rebooted', () => {
  const called: NodeLeft = { entry: TO_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'called' };
  const hourAgo = ({ api, clock }: FakeCluster) => {
    const lastTransitionTime = new Date(clock.now().getTime() - 3_600_000).toISOString();
    for (const { metadata } of api.all(JOBS))
      api.modify<JobObject>(JOBS, metadata, job => ({
        ...job,
        status: { ...job.status, conditions: [{ type: 'Complete', status: 'True', lastTransitionTime }] },
      }));
  };

  test.each([
    ['whatever its reboot Pod waits for', 'waits', false],
    ['even if beside the Pod that called it another one waits', 'called', true],
  ] as const)('%s', async (_words, rebootPod, stray) => {
    const { outcome } = await after(it => {
      leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: { ...called, rebootPod } } });
      hourAgo(it);
      for (const pod of stray ? it.api.all<PodObject>(PODS) : []) {
        const { namespace, labels, ownerReferences } = pod.metadata;
        it.api.put(PODS, { ...pod, metadata: { name: 'stray', namespace, labels, ownerReferences } });
      }
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NEVER } });
    expect(outcome.operations.op?.nodes.n1).toBe('Completed Done completed');
  });
});

test('a node of an upgrade that comes back from its passive system stops the rollout', async () => {
  const { outcome } = await after(
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
      leaves(it, { phase: 'Running', spec: { ...ALL, concurrency: 1 }, nodes: { n1: RUNS }, owner });
    },
    async it => {
      await it.runUntil(() => it.machine('n1').shutdowns.length > 0, 600);
      it.machine('n1').host.set({ cmdline: 'root=LABEL=COS_PASSIVE cos-img/filename=/cOS/passive.img' });
    },
  );
  expect(outcome.operations.op?.nodes.n1).toBe('Failed FellBack completed');
  expect(outcome.nodes).toMatchObject({ n2: NEVER, n3: NEVER });
});

test('one machine is off: the others go on, and the status says what is waited for', async () => {
  const { outcome } = await after(
    it => {
      leaves(it, { phase: 'Running', spec: ALL, nodes: { n1: DONE, n2: DONE } });
      it.machine('n1').powerOff();
    },
    async it => {
      expect(await it.runUntil(() => it.machine('n2').shutdowns.length > 0, 300)).toBe(true);
      await it.runFor(60);
      expect(it.nodeOp('op')?.status?.nodeStatuses?.n1?.message).toMatch(/waiting for the agent/);
      it.machine('n1').powerOn();
    },
  );
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: { ...ONCE, shutdowns: 'power' }, n2: ONCE, n3: ONCE } });
});

test('a node that was cordoned and never has its turn is let go', async () => {
  const spec = { cordon: true, stopOnFailure: true, concurrency: 1 };
  const n1: NodeLeft = { entry: RUNNING, cordon: 'marked', job: 'failed' };
  const { outcome } = await after(
    it => void leaves(it, { phase: 'Running', spec, nodes: { n1, n2: { cordon: 'marked' } } }),
  );
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: INSPECTED, n2: NEVER, n3: NEVER } });
});

test('the earlier operator came back for a moment in the middle of our operation: the claim tells how it goes on', async () => {
  const { outcome } = await after(
    () => undefined,
    async it => {
      it.apply(NODE_OP, nodeOp('op', REBOOTS));
      await it.runUntil(() => it.isRunning('n1', 'nodeop'), 300);
      await succeeds(it, () => {
        it.api.modify<NodeOp>(NODE_OP, OP, op => ({
          ...op,
          status: {
            phase: 'Running',
            nodeStatuses: { n1: { phase: 'Running', jobName: op.status?.nodeStatuses?.n1?.jobName } },
          },
        }));
      });
    },
    itsJobsLast(60),
  );
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: ONCE }, commands: { 'n1 op': 1 } });
  expect(outcome.operations.op?.nodes.n1).toBe('Completed Done completed');
});

test('a spec that breaks a rule of ours: its Job ends, its node is let go without a reboot, and that is told', async () => {
  const spec = { ...REBOOTS, drainOptions: { enabled: true, timeoutSeconds: -1 } };
  const { outcome, cluster } = await after(it => void leaves(it, { phase: 'Running', spec, nodes: { n1: RUNS } }));
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NEVER }, commands: { 'n1 op': 1 } });
  expect(outcome.operations.op?.nodes.n1).toBe('Failed InvalidSpec cancelled');
  expect(cluster.nodeOp('op')?.status?.message).toMatch(/timeoutSeconds/);
});

test('it had made two Jobs for one node: the reboot waits for both', async () => {
  const { outcome, cluster } = await after(it => {
    leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: RUNS } });
    const [job] = it.api.all<JobObject>(JOBS);
    if (!job) throw new Error('no Job');
    const { namespace, labels, ownerReferences } = job.metadata;
    it.api.put(JOBS, { ...job, metadata: { name: 'op-n1-first-x7k2p', namespace, labels, ownerReferences } });
  });
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: ONCE }, commands: { 'n1 op': 2 } });
  expect(cluster.containerRuns.filter(({ container }) => container === 'nodeop').map(each => each.ended)).not.toContain(
    undefined,
  );
});
