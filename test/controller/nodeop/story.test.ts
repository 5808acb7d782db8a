import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { JOBS, LEASES, NODES } from '../../../kube/resources.js';
import { ledger, node, nodeAgent } from '../../builders.js';
import { killAfterEachWrite, world, type World } from './world.js';

const CORDON = { cordon: true };
const marked = (seen: World, name: string) => ({
  cordoned: seen.node(name)?.spec?.unschedulable === true,
  marked: seen.node(name)?.metadata.annotations?.['operator.kairos.io/cordoned-by'] !== undefined,
});

describe('A plain command on two nodes', () => {
  test('is Completed, with one Job for each', async () => {
    const story = world({});
    story.jobs.n1 = 'Complete';
    story.jobs.n2 = 'Complete';
    await story.run();
    expect(story.op().status).toMatchObject({
      phase: 'Completed',
      progress: '2/2',
      message: '2 nodes done',
      nodes: { total: 2, completed: 2, failed: 0, active: 0, pending: 0 },
      nodeStatuses: {
        n1: { phase: 'Completed', reason: 'Done', rebootStatus: 'not-requested' },
        n2: { phase: 'Completed', jobName: expect.stringMatching(/^op-n2-/) },
      },
    });
    expect(story.jobsMade()).toHaveLength(2);
  });

  test('leaves nothing behind: no claim, no finalizer, no cordon', async () => {
    const story = world({});
    story.jobs.n1 = 'Complete';
    story.jobs.n2 = 'Complete';
    await story.run();
    expect(story.op().metadata.finalizers).toEqual([]);
    for (const agent of story.agents()) {
      expect(agent.spec).toEqual({ labels: true });
      expect(agent.metadata.finalizers).toEqual([]);
    }
    expect(marked(story, 'n1')).toEqual({ cordoned: false, marked: false });
  });

  test('holds a finalizer and both claims while it runs', async () => {
    const story = world({});
    await story.run({ until: () => story.op().status?.nodes?.active === 2 });
    expect(story.op().metadata.finalizers).toEqual(['operator.kairos.io/claimed']);
    expect(story.agents().map(agent => agent.spec.operation?.nodeOp.name)).toEqual(['op', 'op']);
  });

  test('that holds no node can be deleted though no controller runs', async () => {
    const story = world({ paused: true });
    await story.run({ until: () => story.op().status?.nodeStatuses?.n1?.reason === 'Paused' });
    expect(story.op().metadata.finalizers ?? []).toEqual([]);
  });

  test('lets go of its finalizer while it waits between two nodes, and takes it again', async () => {
    const story = world({ concurrency: 1 });
    story.jobs.n1 = 'Complete';
    await story.run({ until: () => story.op().status?.nodes?.active === 1 });
    await story.kube.patch(NODE_OP, { name: 'op', namespace: 'default' }, { spec: { paused: true } });
    await story.run({ until: () => story.op().metadata.finalizers?.length === 0 });
    expect(story.op().status).toMatchObject({ progress: '1/2', message: 'n2: not started: the operation is paused' });
    await story.kube.patch(NODE_OP, { name: 'op', namespace: 'default' }, { spec: { paused: false } });
    await story.run({ until: () => story.op().status?.nodes?.active === 1 });
    expect(story.op().metadata.finalizers).toEqual(['operator.kairos.io/claimed']);
  });

  test('says whose turn it is where only the Lease tells', async () => {
    const story = world({ cordon: true }, ['n1']);
    story.kube.seed(NODES, node('n1', { controlPlane: true, images: ['registry.example/tool:1'] }));
    story.kube.seed(NODE_AGENT, {
      ...nodeAgent({}, ledger({ id: 'x-1' })),
      metadata: { name: 'y', uid: 'y', resourceVersion: '1' },
    });
    const lease = { metadata: { name: 'operator-control-plane', namespace: 'operator-system' } };
    await story.kube.create(LEASES, { ...lease, spec: { holderIdentity: 'x-1/y' } }, 'operator-system');
    const words = 'taking its turn; refused: the turn of the control planes is that of node y';
    await story.run({ until: () => story.op().status?.nodeStatuses?.n1?.message === words });
    expect(story.node('n1')?.spec?.unschedulable).toBeUndefined();
  });

  test('takes its finalizer again when somebody took it away', async () => {
    const story = world({});
    await story.run({ until: () => story.op().status?.nodes?.active === 2 });
    await story.kube.patch(NODE_OP, { name: 'op', namespace: 'default' }, { metadata: { finalizers: [] } });
    await story.run({ until: () => story.op().metadata.finalizers?.length === 1 });
    expect(story.op().status?.nodes?.active).toBe(2);
  });

  test('goes to one node after the other with concurrency 1', async () => {
    const story = world({ concurrency: 1 });
    story.jobs.n2 = 'Complete';
    await story.run({ until: () => story.op().status?.nodes?.active === 1 });
    expect(story.op().status?.nodeStatuses?.n2).toMatchObject({ phase: 'Pending', reason: 'WaitingForTurn' });
    story.jobs.n1 = 'Complete';
    await story.run();
    expect(story.op().status?.phase).toBe('Completed');
  });

  test('stays as it ended, whatever becomes of its Jobs', async () => {
    const story = world({});
    story.jobs.n1 = 'Complete';
    story.jobs.n2 = 'Complete';
    await story.run();
    const before = story.op();
    for (const name of story.jobsMade()) await story.kube.delete(JOBS, { name, namespace: 'default' });
    await story.run();
    expect(story.op()).toEqual(before);
    expect(story.jobsMade()).toHaveLength(2);
  });

  test('that matches no node fails at once', async () => {
    const story = world({ nodeSelector: { matchLabels: { no: 'where' } } });
    await story.run();
    expect(story.op().status).toMatchObject({ phase: 'Failed', progress: '0/0' });
    expect(story.op().metadata.finalizers ?? []).toEqual([]);
  });
});

describe('When something goes wrong', () => {
  const deleteJob = async (story: World) => {
    const name = story.jobsMade().find(each => each.startsWith('op-n1-')) ?? '';
    await story.kube.delete(JOBS, { name, namespace: 'default' });
  };

  test('a Job that somebody deleted is never made again', async () => {
    const story = world({});
    story.jobs.n2 = 'Complete';
    await story.run({ until: () => story.op().status?.nodeStatuses?.n1?.reason === 'JobRunning' });
    await deleteJob(story);
    await story.run();
    expect(story.op().status).toMatchObject({
      phase: 'Failed',
      nodeStatuses: { n1: { phase: 'Failed', reason: 'JobDeleted' }, n2: { phase: 'Completed' } },
    });
    expect(story.jobsMade()).toHaveLength(2);
  });

  test('one that was deleted before it could run is made again', async () => {
    const story = world({});
    await story.run({ until: () => story.jobsMade().length === 2 });
    await deleteJob(story);
    story.jobs.n1 = 'Complete';
    story.jobs.n2 = 'Complete';
    await story.run();
    expect(story.op().status?.phase).toBe('Completed');
    expect(story.jobsMade()).toHaveLength(3);
  });

  test('a node whose Job failed stays cordoned, with the mark, and is let go', async () => {
    const story = world(CORDON);
    story.jobs.n1 = 'Failed';
    story.jobs.n2 = 'Complete';
    await story.run();
    expect(story.op().status).toMatchObject({ phase: 'Failed', nodes: { failed: 1, completed: 1 } });
    expect(marked(story, 'n1')).toEqual({ cordoned: true, marked: true });
    expect(marked(story, 'n2')).toEqual({ cordoned: false, marked: false });
    expect(story.agents().every(agent => agent.spec.operation === undefined)).toBe(true);
  });

  test('it is uncordoned where that is wished', async () => {
    const story = world({ ...CORDON, uncordonOnFailure: true });
    story.jobs.n1 = 'Failed';
    story.jobs.n2 = 'Complete';
    await story.run();
    expect(marked(story, 'n1')).toEqual({ cordoned: false, marked: false });
  });

  test('a node that somebody else cordoned is used and stays cordoned', async () => {
    const story = world(CORDON);
    await story.kube.patch(NODES, { name: 'n1' }, { spec: { unschedulable: true } });
    story.jobs.n1 = 'Complete';
    story.jobs.n2 = 'Complete';
    await story.run();
    expect(story.op().status?.phase).toBe('Completed');
    expect(marked(story, 'n1')).toEqual({ cordoned: true, marked: false });
  });

  test('after the first failure nobody starts, with stopOnFailure', async () => {
    const story = world({ concurrency: 1, stopOnFailure: true });
    story.jobs.n1 = 'Failed';
    await story.run();
    expect(story.op().status).toMatchObject({
      phase: 'Failed',
      nodeStatuses: { n1: { reason: 'JobFailed' }, n2: { phase: 'Pending', reason: 'Stopped' } },
    });
    expect(story.jobsMade()).toHaveLength(1);
  });

  test('deleting ends what runs and lets everything go', async () => {
    const story = world(CORDON);
    await story.run({ until: () => story.op().status?.nodes?.active === 2 });
    await story.kube.delete(NODE_OP, { name: 'op', namespace: 'default' });
    story.jobs.n1 = 'Complete';
    story.jobs.n2 = 'Complete';
    await story.run();
    expect(story.kube.all(NODE_OP)).toEqual([]);
    expect(story.agents().every(agent => agent.spec.operation === undefined)).toBe(true);
    expect(marked(story, 'n1')).toEqual({ cordoned: false, marked: false });
  });
});

describe('Killed after every single write', () => {
  test.each<[string, object, World['jobs'], string, number]>([
    ['a plain command', {}, { n1: 'Complete', n2: 'Complete' }, 'Completed', 2],
    ['one with cordon', CORDON, { n1: 'Complete', n2: 'Complete' }, 'Completed', 2],
    ['one that fails on a node', CORDON, { n1: 'Failed', n2: 'Complete' }, 'Failed', 2],
    ['one that stops', { concurrency: 1, stopOnFailure: true }, { n1: 'Failed' }, 'Failed', 1],
  ])('%s ends as if nothing had been', async (...row) => {
    const [, spec, jobs, phase, made] = row;
    const calm = world(spec);
    Object.assign(calm.jobs, jobs);
    await calm.run();

    const story = world(spec);
    Object.assign(story.jobs, jobs);
    killAfterEachWrite(story);
    const passes = await story.run({ reborn: true });

    expect(passes).toBeGreaterThan(10);
    expect(story.op().status?.phase).toBe(phase);
    expect(story.jobsMade()).toHaveLength(made);
    expect(story.jobsMade().toSorted()).toEqual(calm.jobsMade().toSorted());
    const reasons = (seen: World) =>
      Object.entries(seen.op().status?.nodeStatuses ?? {}).map(
        ([name, entry]) => `${name} ${entry.phase} ${entry.reason}`,
      );
    expect(reasons(story)).toEqual(reasons(calm));
    expect(marked(story, 'n1')).toEqual(marked(calm, 'n1'));
    expect(story.agents().map(({ spec: { operation } }) => operation)).toEqual([undefined, undefined]);
  });
});

describe('Somebody takes the ledger away', () => {
  const takeLedger = ({ kube }: World) =>
    kube.patch(NODE_AGENT, { name: 'n1' }, { metadata: { finalizers: [] }, spec: { operation: null } });
  const ends: [string, object, World['jobs']][] = [
    ['a plain command', {}, { n1: 'Complete', n2: 'Complete' }],
    ['one with cordon', CORDON, { n1: 'Complete', n2: 'Complete' }],
    ['one that fails', CORDON, { n1: 'Failed', n2: 'Complete' }],
  ];
  const moments = Array.from({ length: 14 }, (_, after) => after + 1);

  test.each(ends)('after any pass over %s: the same end, and no second Job', async (_sentence, spec, jobs) => {
    const calm = world(spec);
    Object.assign(calm.jobs, jobs);
    await calm.run();
    let taken = 0;
    for (const moment of moments) {
      const story = world(spec);
      Object.assign(story.jobs, jobs);
      let passes = 0;
      await story.run({ until: () => ++passes === moment });
      taken += Number(story.agents().some(agent => agent.metadata.name === 'n1' && agent.spec.operation !== undefined));
      await takeLedger(story);
      await story.run({ reborn: true });
      expect([moment, story.op().status?.phase]).toEqual([moment, calm.op().status?.phase]);
      expect([moment, ...story.jobsMade().toSorted()]).toEqual([moment, ...calm.jobsMade().toSorted()]);
      expect([moment, marked(story, 'n1')]).toEqual([moment, marked(calm, 'n1')]);
      expect(story.agents().map(agent => agent.spec.operation)).toEqual([undefined, undefined]);
    }
    expect(taken).toBeGreaterThan(5);
  });
});
