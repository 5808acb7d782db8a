/** Something deletes the Job of a node: its result counts if the Job had ended, even while no controller ran, and nothing keeps the Job afterwards. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { JOBS, PODS } from '../../kube/resources.js';
import { isFinal } from '../../controller/cluster/phases.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import { controllerUid, type JobObject, type PodObject } from '../fakes/cluster/object-types.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import {
  RELEASED,
  commandLasting,
  nodesNamed,
  ONLY_N1,
  REBOOT,
  removeNode,
  untilCommandRuns,
  WEB,
} from './lifecycle-setup.js';
import { outcomeOf } from './outcome.js';

const jobOf = ({ api }: FakeCluster): JobObject | undefined => api.all<JobObject>(JOBS)[0];
const nameOf = (job: JobObject | undefined) => ({ name: job?.metadata.name ?? '', namespace: 'default' });

/** As a mutating policy does, or a user with `kubectl patch`. */
const setTtl = (cluster: FakeCluster, seconds: number) =>
  cluster.api.modify<JobObject>(JOBS, nameOf(jobOf(cluster)), job => ({
    ...job,
    spec: { ...job.spec, ttlSecondsAfterFinished: seconds },
  }));

async function withCommandRunning(spec: object): Promise<FakeCluster> {
  const cluster = fakeCluster({ nodes: nodesNamed('n1', 'n2'), ...WEB, ...commandLasting(60) });
  await cluster.start();
  await cluster.runFor(20);
  cluster.apply(NODE_OP, nodeOp('op', { ...spec, ...ONLY_N1 }));
  await untilCommandRuns(cluster, 'n1');
  return cluster;
}

const controllerOf = (cluster: FakeCluster) => cluster.controllers[0];

describe('a Job that ends and is deleted while no controller runs', () => {
  const deletions: [string, (cluster: FakeCluster) => void][] = [
    ['by the time to live that a policy has set', cluster => setTtl(cluster, 30)],
    ['by a time to live of 0', cluster => setTtl(cluster, 0)],
    [
      'by a clean-up of finished Jobs',
      cluster => void cluster.clock.callAfter(120_000, () => cluster.api.delete(JOBS, nameOf(jobOf(cluster)), {})),
    ],
  ];
  test.each(
    deletions.flatMap(([how, act]) => [
      [`${how} completes its node after the reboot`, act, REBOOT, ['Completed Done completed', 'agent']] as const,
      [`${how} completes its node without a reboot`, act, {}, ['Completed Done not-requested', '']] as const,
    ]),
  )('%s', async (_sentence, act, spec, [entry, shutdowns]) => {
    const cluster = await withCommandRunning(spec);
    act(cluster);
    controllerOf(cluster)?.stop();
    await cluster.runFor(200);
    controllerOf(cluster)?.start(1000);
    const outcome = outcomeOf(cluster, await cluster.runUntilSettled());
    expect(outcome).toMatchObject({
      settled: true,
      finalizers: [],
      operations: { op: { nodes: { n1: entry } } },
      nodes: { n1: { ...RELEASED, shutdowns } },
      commands: { 'n1 op': 1 },
    });
    expect(outcome.jobsLeft).toEqual([]);
  });
});

describe('a Job', () => {
  test('deleted while its command runs ends at once, and its node fails without a reboot', async () => {
    const cluster = await withCommandRunning(REBOOT);
    cluster.delete(JOBS, nameOf(jobOf(cluster)));
    await cluster.runFor(5);
    expect(cluster.isRunning('n1', 'nodeop')).toBe(false);
    expect(outcomeOf(cluster, await cluster.runUntilSettled())).toMatchObject({
      settled: true,
      finalizers: [],
      operations: { op: { nodes: { n1: 'Failed JobDeleted cancelled' } } },
      nodes: { n1: { shutdowns: '' } },
    });
  });

  test.each<[string, (cluster: FakeCluster) => void]>([
    ['whose node left the cluster', cluster => removeNode(cluster, 'n1')],
    [
      'whose NodeOp was removed by force',
      cluster => cluster.api.forceRemove(NODE_OP, { name: 'op', namespace: 'default' }),
    ],
  ])('%s is not kept by its finalizer', async (_whose, happens) => {
    const cluster = await withCommandRunning(REBOOT);
    happens(cluster);
    await cluster.runFor(600);
    cluster.delete(NODE_OP, { name: 'op', namespace: 'default' });
    await cluster.runFor(30);
    expect([cluster.nodeOp('op'), jobOf(cluster)]).toEqual([undefined, undefined]);
  });

  test.each<[string, object]>([
    ['without a reboot', {}],
    ['before a reboot', REBOOT],
  ])('that succeeds %s is Complete and keeps its Pod, which has the log', async (_when, spec) => {
    const cluster = await withCommandRunning(spec);
    expect(await cluster.runUntilSettled()).toBe(true);
    const job = jobOf(cluster);
    const pods = cluster.api.all<PodObject>(PODS).filter(pod => controllerUid(pod) === job?.metadata.uid);
    expect([job?.status?.conditions?.map(({ type }) => type), job?.spec.suspend]).toEqual([['Complete'], true]);
    expect(pods.map(pod => pod.status.phase)).toEqual(['Succeeded']);
  });

  test('that succeeds costs no write while the phase of its Pod is late', async () => {
    const cluster = await withCommandRunning({});
    cluster.resetMutationCount();
    await cluster.runUntilSettled();
    const waits = cluster.mutations.filter(({ body }) => JSON.stringify(body ?? {}).includes('"waiting"'));
    expect(waits.map(({ name }) => name)).toEqual([]);
  });

  test('has no finalizer any more once its NodeOp has ended', async () => {
    const cluster = await withCommandRunning({});
    await cluster.runUntil(() => isFinal(cluster.nodeOp('op')?.status));
    await cluster.runFor(2);
    expect(jobOf(cluster)?.metadata.finalizers ?? []).toEqual([]);
  });
});
