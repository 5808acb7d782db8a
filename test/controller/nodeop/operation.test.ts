import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { JOBS, LEASES, NODES } from '../../../kube/resources.js';
import { ledger, node, nodeAgent } from '../../builders.js';
import { crashAfterEachWrite, smallCluster, type SmallCluster } from './small-cluster.js';

const CORDON = { cordon: true };
const cordonOf = (cluster: SmallCluster, name: string) => ({
  isCordoned: cluster.node(name)?.spec?.unschedulable === true,
  hasMark: cluster.node(name)?.metadata.annotations?.['operator.kairos.io/cordoned-by'] !== undefined,
});

describe('An operation on two nodes', () => {
  test('is Completed after one Job for each node', async () => {
    const cluster = smallCluster({});
    cluster.jobResults.n1 = 'Complete';
    cluster.jobResults.n2 = 'Complete';
    await cluster.run();
    expect(cluster.op().status).toMatchObject({
      phase: 'Completed',
      progress: '2/2',
      message: '2 nodes done',
      nodes: { total: 2, completed: 2, failed: 0, active: 0, pending: 0 },
      nodeStatuses: {
        n1: { phase: 'Completed', reason: 'Done', rebootStatus: 'not-requested' },
        n2: { phase: 'Completed', jobName: expect.stringMatching(/^op-n2-/) },
      },
    });
    expect(cluster.createdJobs()).toHaveLength(2);
  });

  test('leaves no claim, no finalizer and no cordon behind', async () => {
    const cluster = smallCluster({});
    cluster.jobResults.n1 = 'Complete';
    cluster.jobResults.n2 = 'Complete';
    await cluster.run();
    expect(cluster.op().metadata.finalizers).toEqual([]);
    for (const agent of cluster.agents()) {
      expect(agent.spec).toEqual({ labels: true });
      expect(agent.metadata.finalizers).toEqual([]);
    }
    expect(cordonOf(cluster, 'n1')).toEqual({ isCordoned: false, hasMark: false });
  });

  test('has its finalizer and claims both nodes while it runs', async () => {
    const cluster = smallCluster({});
    await cluster.run({ until: () => cluster.op().status?.nodes?.active === 2 });
    expect(cluster.op().metadata.finalizers).toEqual(['operator.kairos.io/claimed']);
    expect(cluster.agents().map(agent => agent.spec.operation?.nodeOp.name)).toEqual(['op', 'op']);
  });

  test('has no finalizer before it claims a node, so that it can be deleted without a controller', async () => {
    const cluster = smallCluster({ paused: true });
    await cluster.run({ until: () => cluster.op().status?.nodeStatuses?.n1?.reason === 'Paused' });
    expect(cluster.op().metadata.finalizers ?? []).toEqual([]);
  });

  test('removes its finalizer while no node is claimed, and adds it again with the next claim', async () => {
    const cluster = smallCluster({ concurrency: 1 });
    cluster.jobResults.n1 = 'Complete';
    await cluster.run({ until: () => cluster.op().status?.nodes?.active === 1 });
    await cluster.kube.patch(NODE_OP, { name: 'op', namespace: 'default' }, { spec: { paused: true } });
    await cluster.run({ until: () => cluster.op().metadata.finalizers?.length === 0 });
    expect(cluster.op().status).toMatchObject({ progress: '1/2', message: 'n2: not started: the operation is paused' });
    await cluster.kube.patch(NODE_OP, { name: 'op', namespace: 'default' }, { spec: { paused: false } });
    await cluster.run({ until: () => cluster.op().status?.nodes?.active === 1 });
    expect(cluster.op().metadata.finalizers).toEqual(['operator.kairos.io/claimed']);
  });

  test('reports the node that has the turn of the control planes when only the Lease shows it', async () => {
    const cluster = smallCluster({ cordon: true }, ['n1']);
    cluster.kube.seed(NODES, node('n1', { controlPlane: true, images: ['registry.example/tool:1'] }));
    cluster.kube.seed(NODE_AGENT, {
      ...nodeAgent({}, ledger({ id: 'x-1' })),
      metadata: { name: 'y', uid: 'y', resourceVersion: '1' },
    });
    const lease = { metadata: { name: 'operator-control-plane', namespace: 'operator-system' } };
    await cluster.kube.create(LEASES, { ...lease, spec: { holderIdentity: 'x-1/y' } }, 'operator-system');
    const message = 'taking its turn; refused: the turn of the control planes is that of node y';
    await cluster.run({ until: () => cluster.op().status?.nodeStatuses?.n1?.message === message });
    expect(cluster.node('n1')?.spec?.unschedulable).toBeUndefined();
  });

  test('adds its finalizer again after a user removed it', async () => {
    const cluster = smallCluster({});
    await cluster.run({ until: () => cluster.op().status?.nodes?.active === 2 });
    await cluster.kube.patch(NODE_OP, { name: 'op', namespace: 'default' }, { metadata: { finalizers: [] } });
    await cluster.run({ until: () => cluster.op().metadata.finalizers?.length === 1 });
    expect(cluster.op().status?.nodes?.active).toBe(2);
  });

  test('runs on one node after the other with concurrency 1', async () => {
    const cluster = smallCluster({ concurrency: 1 });
    cluster.jobResults.n2 = 'Complete';
    await cluster.run({ until: () => cluster.op().status?.nodes?.active === 1 });
    expect(cluster.op().status?.nodeStatuses?.n2).toMatchObject({ phase: 'Pending', reason: 'WaitingForTurn' });
    cluster.jobResults.n1 = 'Complete';
    await cluster.run();
    expect(cluster.op().status?.phase).toBe('Completed');
  });

  test('keeps its final status when its Jobs are deleted', async () => {
    const cluster = smallCluster({});
    cluster.jobResults.n1 = 'Complete';
    cluster.jobResults.n2 = 'Complete';
    await cluster.run();
    const before = cluster.op();
    for (const name of cluster.createdJobs()) await cluster.kube.delete(JOBS, { name, namespace: 'default' });
    await cluster.run();
    expect(cluster.op()).toEqual(before);
    expect(cluster.createdJobs()).toHaveLength(2);
  });

  test('fails at once when no node matches', async () => {
    const cluster = smallCluster({ nodeSelector: { matchLabels: { no: 'where' } } });
    await cluster.run();
    expect(cluster.op().status).toMatchObject({ phase: 'Failed', progress: '0/0' });
    expect(cluster.op().metadata.finalizers ?? []).toEqual([]);
  });
});

describe('A disturbed operation', () => {
  const deleteJob = async (cluster: SmallCluster) => {
    const name = cluster.createdJobs().find(each => each.startsWith('op-n1-')) ?? '';
    await cluster.kube.delete(JOBS, { name, namespace: 'default' });
  };

  test('fails the node whose running Job was deleted, and never creates that Job again', async () => {
    const cluster = smallCluster({});
    cluster.jobResults.n2 = 'Complete';
    await cluster.run({ until: () => cluster.op().status?.nodeStatuses?.n1?.reason === 'JobRunning' });
    await deleteJob(cluster);
    await cluster.run();
    expect(cluster.op().status).toMatchObject({
      phase: 'Failed',
      nodeStatuses: { n1: { phase: 'Failed', reason: 'JobDeleted' }, n2: { phase: 'Completed' } },
    });
    expect(cluster.createdJobs()).toHaveLength(2);
  });

  test('creates a Job again that was deleted before it could run', async () => {
    const cluster = smallCluster({});
    await cluster.run({ until: () => cluster.createdJobs().length === 2 });
    await deleteJob(cluster);
    cluster.jobResults.n1 = 'Complete';
    cluster.jobResults.n2 = 'Complete';
    await cluster.run();
    expect(cluster.op().status?.phase).toBe('Completed');
    expect(cluster.createdJobs()).toHaveLength(3);
  });

  test('releases a node whose Job failed, and leaves it cordoned with the mark', async () => {
    const cluster = smallCluster(CORDON);
    cluster.jobResults.n1 = 'Failed';
    cluster.jobResults.n2 = 'Complete';
    await cluster.run();
    expect(cluster.op().status).toMatchObject({ phase: 'Failed', nodes: { failed: 1, completed: 1 } });
    expect(cordonOf(cluster, 'n1')).toEqual({ isCordoned: true, hasMark: true });
    expect(cordonOf(cluster, 'n2')).toEqual({ isCordoned: false, hasMark: false });
    expect(cluster.agents().every(agent => agent.spec.operation === undefined)).toBe(true);
  });

  test('uncordons a node whose Job failed with uncordonOnFailure', async () => {
    const cluster = smallCluster({ ...CORDON, uncordonOnFailure: true });
    cluster.jobResults.n1 = 'Failed';
    cluster.jobResults.n2 = 'Complete';
    await cluster.run();
    expect(cordonOf(cluster, 'n1')).toEqual({ isCordoned: false, hasMark: false });
  });

  test('uses a node that a user cordoned, and leaves it cordoned', async () => {
    const cluster = smallCluster(CORDON);
    await cluster.kube.patch(NODES, { name: 'n1' }, { spec: { unschedulable: true } });
    cluster.jobResults.n1 = 'Complete';
    cluster.jobResults.n2 = 'Complete';
    await cluster.run();
    expect(cluster.op().status?.phase).toBe('Completed');
    expect(cordonOf(cluster, 'n1')).toEqual({ isCordoned: true, hasMark: false });
  });

  test('starts no further node after a failure with stopOnFailure', async () => {
    const cluster = smallCluster({ concurrency: 1, stopOnFailure: true });
    cluster.jobResults.n1 = 'Failed';
    await cluster.run();
    expect(cluster.op().status).toMatchObject({
      phase: 'Failed',
      nodeStatuses: { n1: { reason: 'JobFailed' }, n2: { phase: 'Pending', reason: 'Stopped' } },
    });
    expect(cluster.createdJobs()).toHaveLength(1);
  });

  test('ends its Jobs and releases all nodes when it is deleted', async () => {
    const cluster = smallCluster(CORDON);
    await cluster.run({ until: () => cluster.op().status?.nodes?.active === 2 });
    await cluster.kube.delete(NODE_OP, { name: 'op', namespace: 'default' });
    cluster.jobResults.n1 = 'Complete';
    cluster.jobResults.n2 = 'Complete';
    await cluster.run();
    expect(cluster.kube.all(NODE_OP)).toEqual([]);
    expect(cluster.agents().every(agent => agent.spec.operation === undefined)).toBe(true);
    expect(cordonOf(cluster, 'n1')).toEqual({ isCordoned: false, hasMark: false });
  });
});

describe('A controller that crashes after every write', () => {
  test.each<[string, object, SmallCluster['jobResults'], string, number]>([
    ['a plain command', {}, { n1: 'Complete', n2: 'Complete' }, 'Completed', 2],
    ['an operation with cordon', CORDON, { n1: 'Complete', n2: 'Complete' }, 'Completed', 2],
    ['an operation that fails on a node', CORDON, { n1: 'Failed', n2: 'Complete' }, 'Failed', 2],
    ['an operation with stopOnFailure', { concurrency: 1, stopOnFailure: true }, { n1: 'Failed' }, 'Failed', 1],
  ])('finishes %s with the same result and Jobs as without crashes', async (...row) => {
    const [, spec, results, phase, jobCount] = row;
    const undisturbed = smallCluster(spec);
    Object.assign(undisturbed.jobResults, results);
    await undisturbed.run();

    const cluster = smallCluster(spec);
    Object.assign(cluster.jobResults, results);
    crashAfterEachWrite(cluster);
    const passes = await cluster.run({ restart: true });

    expect(passes).toBeGreaterThan(10);
    expect(cluster.op().status?.phase).toBe(phase);
    expect(cluster.createdJobs()).toHaveLength(jobCount);
    expect(cluster.createdJobs().toSorted()).toEqual(undisturbed.createdJobs().toSorted());
    const reasons = (of: SmallCluster) =>
      Object.entries(of.op().status?.nodeStatuses ?? {}).map(
        ([name, entry]) => `${name} ${entry.phase} ${entry.reason}`,
      );
    expect(reasons(cluster)).toEqual(reasons(undisturbed));
    expect(cordonOf(cluster, 'n1')).toEqual(cordonOf(undisturbed, 'n1'));
    expect(cluster.agents().map(({ spec: { operation } }) => operation)).toEqual([undefined, undefined]);
  });
});

describe('A ledger that was removed', () => {
  const removeLedger = ({ kube }: SmallCluster) =>
    kube.patch(NODE_AGENT, { name: 'n1' }, { metadata: { finalizers: [] }, spec: { operation: null } });
  const operations: [string, object, SmallCluster['jobResults']][] = [
    ['a plain command', {}, { n1: 'Complete', n2: 'Complete' }],
    ['an operation with cordon', CORDON, { n1: 'Complete', n2: 'Complete' }],
    ['an operation that fails', CORDON, { n1: 'Failed', n2: 'Complete' }],
  ];
  const passCounts = Array.from({ length: 14 }, (_, index) => index + 1);

  test.each(operations)('after any pass changes neither result nor Jobs of %s', async (_sentence, spec, results) => {
    const undisturbed = smallCluster(spec);
    Object.assign(undisturbed.jobResults, results);
    await undisturbed.run();
    let removed = 0;
    for (const passCount of passCounts) {
      const cluster = smallCluster(spec);
      Object.assign(cluster.jobResults, results);
      let passes = 0;
      await cluster.run({ until: () => ++passes === passCount });
      removed += Number(
        cluster.agents().some(agent => agent.metadata.name === 'n1' && agent.spec.operation !== undefined),
      );
      await removeLedger(cluster);
      await cluster.run({ restart: true });
      expect([passCount, cluster.op().status?.phase]).toEqual([passCount, undisturbed.op().status?.phase]);
      expect([passCount, ...cluster.createdJobs().toSorted()]).toEqual([
        passCount,
        ...undisturbed.createdJobs().toSorted(),
      ]);
      expect([passCount, cordonOf(cluster, 'n1')]).toEqual([passCount, cordonOf(undisturbed, 'n1')]);
      expect(cluster.agents().map(agent => agent.spec.operation)).toEqual([undefined, undefined]);
    }
    expect(removed).toBeGreaterThan(5);
  });
});
