import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { retryStatus } from '../../../controller/nodeop/status/retry-status.js';
import { node, NOW, nodeOp } from '../../builders.js';
import { smallCluster, type SmallCluster } from './small-cluster.js';

const annotate = ({ kube }: SmallCluster, annotations: Record<string, string>) =>
  kube.patch(NODE_OP, { name: 'op', namespace: 'default' }, { metadata: { annotations } });
const retry = (cluster: SmallCluster, value: string) => annotate(cluster, { 'operator.kairos.io/retry': value });
const isCordoned = (cluster: SmallCluster, name: string) => cluster.node(name)?.spec?.unschedulable === true;
const attempts = (cluster: SmallCluster) =>
  Object.values(cluster.op().status?.nodeStatuses ?? {}).map(({ attempt, phase }) => `${attempt} ${phase}`);

async function failedOnce(spec: object): Promise<SmallCluster> {
  const cluster = smallCluster(spec);
  cluster.jobResults.n1 = 'Failed';
  cluster.jobResults.n2 = 'Complete';
  await cluster.run();
  return cluster;
}

describe('A retry', () => {
  test('runs a failed node once more and leaves a completed node alone', async () => {
    const cluster = await failedOnce({ cordon: true });
    expect(attempts(cluster)).toEqual(['1 Failed', '1 Completed']);
    expect(isCordoned(cluster, 'n1')).toBe(true);
    cluster.jobResults.n1 = 'Complete';
    await retry(cluster, 'a');
    await cluster.run();
    expect(cluster.op().status).toMatchObject({ phase: 'Completed', progress: '2/2', retry: 'a' });
    expect(attempts(cluster)).toEqual(['2 Completed', '1 Completed']);
    expect(cluster.createdJobs()).toHaveLength(3);
    expect(new Set(cluster.createdJobs()).size).toBe(3);
    expect(isCordoned(cluster, 'n1')).toBe(false);
    expect(cluster.op().metadata.finalizers).toEqual([]);
  });

  test('runs nodes that never started', async () => {
    const cluster = smallCluster({ concurrency: 1, stopOnFailure: true });
    cluster.jobResults.n1 = 'Failed';
    await cluster.run();
    expect(attempts(cluster)).toEqual(['1 Failed', '1 Pending']);
    Object.assign(cluster.jobResults, { n1: 'Complete', n2: 'Complete' });
    await retry(cluster, 'a');
    await cluster.run();
    expect(attempts(cluster)).toEqual(['2 Completed', '2 Completed']);
  });

  test('happens once for each value of the annotation', async () => {
    const cluster = await failedOnce({});
    for (const value of ['a', 'a', 'b']) {
      await retry(cluster, value);
      await cluster.run();
    }
    expect(attempts(cluster)[0]).toBe('3 Failed');
  });

  test('does not happen for a value that was set before the start', async () => {
    const cluster = smallCluster({});
    await retry(cluster, 'old');
    Object.assign(cluster.jobResults, { n1: 'Failed', n2: 'Complete' });
    await cluster.run();
    expect(cluster.op().status).toMatchObject({ phase: 'Failed', retry: 'old' });
    expect(attempts(cluster)[0]).toBe('1 Failed');
  });

  test('waits until the operation has ended', async () => {
    const cluster = smallCluster({});
    cluster.jobResults.n2 = 'Complete';
    await cluster.run({ until: () => cluster.op().status?.nodes?.active === 1 });
    await retry(cluster, 'a');
    cluster.jobResults.n1 = 'Failed';
    await cluster.run({ until: () => attempts(cluster)[0] === '2 Pending' });
    cluster.jobResults.n1 = 'Complete';
    await cluster.run();
    expect(cluster.op().status?.phase).toBe('Completed');
  });

  test('changes nothing in a completed operation', async () => {
    const cluster = smallCluster({});
    Object.assign(cluster.jobResults, { n1: 'Complete', n2: 'Complete' });
    await cluster.run();
    await retry(cluster, 'a');
    await cluster.run();
    expect(cluster.op().status).toMatchObject({ phase: 'Completed', retry: 'a' });
    expect(cluster.createdJobs()).toHaveLength(2);
  });

  test('selects targets again when there were none', () => {
    const none = nodeOp({}, { status: { phase: 'Failed', nodeStatuses: {} } });
    expect(Object.keys(retryStatus(none, [node('late')], NOW).nodeStatuses ?? {})).toEqual(['late']);
  });

  test('runs on a node that was absent until the end of the last attempt', () => {
    const [phase, attempt] = ['Completed' as const, 1];
    const nodeStatuses = { back: { phase, attempt, reason: 'NodeRemoved' as const }, done: { phase, attempt } };
    const again = retryStatus(nodeOp({}, { status: { phase, nodeStatuses } }), [], NOW).nodeStatuses;
    expect(again).toMatchObject({ back: { phase: 'Pending', attempt: 2 }, done: { phase, attempt } });
  });

  test('uncordons a node of the failed attempt when the new attempt is deleted before its Job starts', async () => {
    const cluster = await failedOnce({ cordon: true });
    await retry(cluster, 'a');
    await cluster.run({ until: () => cluster.agents().some(({ spec }) => spec.operation !== undefined) });
    await cluster.kube.delete(NODE_OP, { name: 'op', namespace: 'default' });
    await cluster.run();
    expect(isCordoned(cluster, 'n1')).toBe(false);
  });
});

describe('A deleted operation with the abandon annotation', () => {
  test.each<[string, object]>([
    ['while its Job runs', { cordon: true }],
    ['while a Job runs that would otherwise be waited for', { cordon: true, rebootOnSuccess: true }],
  ])('releases its node at once %s', async (_sentence, spec) => {
    const cluster = smallCluster(spec, ['n1']);
    await cluster.run({ until: () => cluster.op().status?.nodeStatuses?.n1?.step === 'Run' });
    await annotate(cluster, { 'operator.kairos.io/abandon': 'true' });
    await cluster.kube.delete(NODE_OP, { name: 'op', namespace: 'default' });
    await cluster.run();
    expect(cluster.kube.all(NODE_OP)).toEqual([]);
    expect(cluster.agents().map(({ spec: { operation } }) => operation)).toEqual([undefined]);
    expect(isCordoned(cluster, 'n1')).toBe(false);
  });

  test('withdraws a requested reboot without waiting for the agent', async () => {
    const cluster = smallCluster({ rebootOnSuccess: true }, ['n1']);
    cluster.jobResults.n1 = 'Complete';
    await cluster.run({ until: () => cluster.agents()[0]?.spec.operation?.reboot !== undefined });
    await annotate(cluster, { 'operator.kairos.io/abandon': '' });
    await cluster.kube.delete(NODE_OP, { name: 'op', namespace: 'default' });
    await cluster.run();
    const withdrawn = cluster.kube.writes.filter(({ plural, body }) =>
      plural === NODE_AGENT.plural ? JSON.stringify(body).includes('"rebootWithdrawn":true') : false,
    );
    expect(withdrawn).toHaveLength(1);
    expect(cluster.kube.all(NODE_OP)).toEqual([]);
  });
});
