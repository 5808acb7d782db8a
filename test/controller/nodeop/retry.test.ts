import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { retryStatus } from '../../../controller/nodeop/status/initial-status.js';
import { node, NOW, nodeOp } from '../../builders.js';
import { world, type World } from './world.js';

const annotate = ({ kube }: World, annotations: Record<string, string>) =>
  kube.patch(NODE_OP, { name: 'op', namespace: 'default' }, { metadata: { annotations } });
const retry = (story: World, value: string) => annotate(story, { 'operator.kairos.io/retry': value });
const cordoned = (story: World, name: string) => story.node(name)?.spec?.unschedulable === true;
const attempts = (story: World) =>
  Object.values(story.op().status?.nodeStatuses ?? {}).map(({ attempt, phase }) => `${attempt} ${phase}`);

async function failedOnce(spec: object): Promise<World> {
  const story = world(spec);
  story.jobs.n1 = 'Failed';
  story.jobs.n2 = 'Complete';
  await story.run();
  return story;
}

describe('A retry', () => {
  test('runs the node that failed once more, and leaves the one that is done', async () => {
    const story = await failedOnce({ cordon: true });
    expect(attempts(story)).toEqual(['1 Failed', '1 Completed']);
    expect(cordoned(story, 'n1')).toBe(true);
    story.jobs.n1 = 'Complete';
    await retry(story, 'a');
    await story.run();
    expect(story.op().status).toMatchObject({ phase: 'Completed', progress: '2/2', retry: 'a' });
    expect(attempts(story)).toEqual(['2 Completed', '1 Completed']);
    expect(story.jobsMade()).toHaveLength(3);
    expect(new Set(story.jobsMade()).size).toBe(3);
    expect(cordoned(story, 'n1')).toBe(false);
    expect(story.op().metadata.finalizers).toEqual([]);
  });

  test('runs nodes that never started', async () => {
    const story = world({ concurrency: 1, stopOnFailure: true });
    story.jobs.n1 = 'Failed';
    await story.run();
    expect(attempts(story)).toEqual(['1 Failed', '1 Pending']);
    Object.assign(story.jobs, { n1: 'Complete', n2: 'Complete' });
    await retry(story, 'a');
    await story.run();
    expect(attempts(story)).toEqual(['2 Completed', '2 Completed']);
  });

  test('happens once for one value, and again for another', async () => {
    const story = await failedOnce({});
    for (const value of ['a', 'a', 'b']) {
      await retry(story, value);
      await story.run();
    }
    expect(attempts(story)[0]).toBe('3 Failed');
  });

  test('of what was asked before the start is none', async () => {
    const story = world({});
    await retry(story, 'old');
    Object.assign(story.jobs, { n1: 'Failed', n2: 'Complete' });
    await story.run();
    expect(story.op().status).toMatchObject({ phase: 'Failed', retry: 'old' });
    expect(attempts(story)[0]).toBe('1 Failed');
  });

  test('waits until the operation has ended', async () => {
    const story = world({});
    story.jobs.n2 = 'Complete';
    await story.run({ until: () => story.op().status?.nodes?.active === 1 });
    await retry(story, 'a');
    story.jobs.n1 = 'Failed';
    await story.run({ until: () => attempts(story)[0] === '2 Pending' });
    story.jobs.n1 = 'Complete';
    await story.run();
    expect(story.op().status?.phase).toBe('Completed');
  });

  test('of an operation that is done changes nothing', async () => {
    const story = world({});
    Object.assign(story.jobs, { n1: 'Complete', n2: 'Complete' });
    await story.run();
    await retry(story, 'a');
    await story.run();
    expect(story.op().status).toMatchObject({ phase: 'Completed', retry: 'a' });
    expect(story.jobsMade()).toHaveLength(2);
  });

  test('looks for targets anew where there was none', () => {
    const none = nodeOp({}, { status: { phase: 'Failed', nodeStatuses: {} } });
    expect(Object.keys(retryStatus(none, [node('late')], NOW).nodeStatuses ?? {})).toEqual(['late']);
  });

  test('runs a node, too, that was not there until the end', () => {
    const [phase, attempt] = ['Completed' as const, 1];
    const nodeStatuses = { back: { phase, attempt, reason: 'NodeRemoved' as const }, done: { phase, attempt } };
    const again = retryStatus(nodeOp({}, { status: { phase, nodeStatuses } }), [], NOW).nodeStatuses;
    expect(again).toMatchObject({ back: { phase: 'Pending', attempt: 2 }, done: { phase, attempt } });
  });

  test('leaves a node that the new attempt need not touch uncordoned', async () => {
    const story = await failedOnce({ cordon: true });
    await retry(story, 'a');
    await story.run({ until: () => story.agents().some(({ spec }) => spec.operation !== undefined) });
    await story.kube.delete(NODE_OP, { name: 'op', namespace: 'default' });
    await story.run();
    expect(cordoned(story, 'n1')).toBe(false);
  });
});

describe('An operation that is deleted and abandoned', () => {
  test.each<[string, object]>([
    ['with its Job under way', { cordon: true }],
    ['with a Job that would be let finish', { cordon: true, rebootOnSuccess: true }],
  ])('%s lets go at once', async (_sentence, spec) => {
    const story = world(spec, ['n1']);
    await story.run({ until: () => story.op().status?.nodeStatuses?.n1?.step === 'Run' });
    await annotate(story, { 'operator.kairos.io/abandon': 'true' });
    await story.kube.delete(NODE_OP, { name: 'op', namespace: 'default' });
    await story.run();
    expect(story.kube.all(NODE_OP)).toEqual([]);
    expect(story.agents().map(({ spec: { operation } }) => operation)).toEqual([undefined]);
    expect(cordoned(story, 'n1')).toBe(false);
  });

  test('takes a reboot back that was asked for, and waits for no answer', async () => {
    const story = world({ rebootOnSuccess: true }, ['n1']);
    story.jobs.n1 = 'Complete';
    await story.run({ until: () => story.agents()[0]?.spec.operation?.reboot !== undefined });
    await annotate(story, { 'operator.kairos.io/abandon': '' });
    await story.kube.delete(NODE_OP, { name: 'op', namespace: 'default' });
    await story.run();
    const withdrawn = story.kube.writes.filter(({ plural, body }) =>
      plural === NODE_AGENT.plural ? JSON.stringify(body).includes('"rebootWithdrawn":true') : false,
    );
    expect(withdrawn).toHaveLength(1);
    expect(story.kube.all(NODE_OP)).toEqual([]);
  });
});
