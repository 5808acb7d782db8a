import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Json } from '../kubectl.js';
import { ended, entries, jobsOf, nodeOpOf, type Operator, operator } from './operator.js';
import { barePod, deployment, strictBudget } from './pods.js';
import { diary, eventsOf, expectUntouched, forget, onNode, podWrites, whenEntry, write } from './world.js';

jest.setTimeout(600_000);

let it: Operator;
beforeAll(async () => {
  it = await operator(3);
  forget(it);
});

const drainOf = (name: string, node: string, { command = 'true', ...options }: Record<string, unknown> = {}) =>
  nodeOpOf(name, {
    ...onNode(node),
    command: ['sh', '-c', command],
    cordon: true,
    drainOptions: { enabled: true, ...options },
  });

const running = (name: string) => it.kubectl.do(['rollout', 'status', `deployment/${name}`, '--timeout=60s']);

async function podsOf(app: string): Promise<Json[]> {
  return (await it.kubectl.getJson('pods', '-l', `app=${app}`))?.items ?? [];
}
const uidOf = (pod: Json | undefined) => pod?.metadata?.['uid'];

describe('a budget that allows no disruption', () => {
  test('is waited for, with pod, budget and begin in the status', async () => {
    await it.kubectl.apply([deployment({ name: 'guarded', node: 'n2' }), strictBudget('guarded')]);
    await running('guarded');
    await it.kubectl.apply(drainOf('blocked', 'n2', { timeoutSeconds: 15 }));
    const seen = await whenEntry(it, ['nodeop', 'blocked', 'n2'], entry => /budget/.test(entry.message ?? ''));
    const { message, step, stepTimes } = entries(seen).n2 ?? {};
    expect(step).toBe('Drain');
    expect(message).toMatch(
      /waiting for default\/guarded-\S+ to terminate; .*disruption budget guarded.*draining since 20/,
    );
    expect(Date.parse(stepTimes?.Drain ?? '')).toBeGreaterThan(0);
    expect(await it.kubectl.do(['get', 'nodeop', 'blocked'])).toMatch(/blocked\s+Running\s+0\/1\s+0\s+n2: .*guarded/);
    expect(await eventsOf(it, 'blocked', 'DrainBlocked')).toEqual([expect.stringContaining('budget guarded')]);
  });

  test('fails the node after the time for draining; the node is as before, and its command never ran', async () => {
    const op = await ended(it, 'nodeop', 'blocked', 60);
    expect(op.status?.phase).toBe('Failed');
    expect(entries(op).n2).toMatchObject({ phase: 'Failed', reason: 'DrainTimeout' });
    expect(entries(op).n2?.message).toMatch(/not drained within 15 s: .*default\/guarded-.*budget guarded/);
    expect(await jobsOf(it, 'blocked')).toEqual([]);
    await expectUntouched(it, 'n2');
    expect((await podsOf('guarded')).map(pod => pod.status?.['phase'])).toEqual(['Running']);
  });
});

test('a pod that needs its time to end is given it, and the command runs only afterwards', async () => {
  const lastWords = `${podWrites('asked')}; sleep 8; ${podWrites('done')}; exit 0`;
  const script = `trap '${lastWords}' TERM; while :; do sleep 1; done`;
  await it.kubectl.apply(deployment({ name: 'database', node: 'n3', graceSeconds: 20, script }));
  await running('database');
  await it.kubectl.apply(drainOf('patient', 'n3', { command: write('command') }));
  const op = await ended(it, 'nodeop', 'patient', 90);
  expect(op.status?.phase).toBe('Completed');
  const n3 = it.cluster.machine('n3');
  expect(diary(n3)).toEqual(['asked', 'done', 'command']);
  await expectUntouched(it, 'n3');
});

describe('pods that would be lost', () => {
  const here = async () => [...(await podsOf('bare')), ...(await podsOf('scratch'))];

  test('stay by default and are named', async () => {
    const plans = { bare: { name: 'bare', node: 'n1' }, scratch: { name: 'scratch', node: 'n1', emptyDir: true } };
    await it.kubectl.apply([barePod(plans.bare), deployment(plans.scratch)]);
    await it.kubectl.do(['wait', '--for=condition=Ready', 'pods', '-l', 'app in (bare, scratch)', '--timeout=60s']);
    await running('scratch');
    const before = (await here()).map(uidOf);
    await it.kubectl.apply(drainOf('careful', 'n1'));
    const op = await ended(it, 'nodeop', 'careful', 60);
    expect(op.status?.phase).toBe('Completed');
    expect((await here()).map(uidOf)).toEqual(before);
    const [told, ...more] = await eventsOf(it, 'careful', 'PodsStay');
    expect(told).toMatch(/default\/bare .*it has no controller and force is false/);
    expect(told).toMatch(/default\/scratch-\S+ .*it has an emptyDir volume and deleteEmptyDirData is false/);
    expect(more).toEqual([]);
  });

  test('leave when force and deleteEmptyDirData say so', async () => {
    const [, scratch] = await here();
    await it.kubectl.apply(drainOf('forceful', 'n1', { force: true, deleteEmptyDirData: true }));
    const op = await ended(it, 'nodeop', 'forceful', 60);
    expect(op.status?.phase).toBe('Completed');
    const left = await here();
    expect(left.map(pod => pod.metadata?.labels?.['app'])).toEqual(['scratch']);
    expect(left.map(uidOf)).not.toContain(uidOf(scratch));
    await expectUntouched(it, 'n1');
  });
});
