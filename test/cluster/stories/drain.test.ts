import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Json } from '../kubectl.js';
import { waitUntilFinished, nodeStatuses, jobsOf, nodeOpOf, type Operator, setUpOperator } from './operator.js';
import { barePod, deployment, strictBudget } from './pods.js';
import { commandLog, resetCommandLogs, appendToLogFromPod, appendToLog } from './command-log.js';
import { eventMessages, expectClean, onNode, waitForNodeStatus } from './node-state.js';

jest.setTimeout(600_000);

let operator: Operator;
beforeAll(async () => {
  operator = await setUpOperator(3);
  resetCommandLogs(operator);
});

const drainOf = (name: string, node: string, { command = 'true', ...options }: Record<string, unknown> = {}) =>
  nodeOpOf(name, {
    ...onNode(node),
    command: ['sh', '-c', command],
    cordon: true,
    drainOptions: { enabled: true, ...options },
  });

const waitForRollout = (name: string) =>
  operator.kubectl.do(['rollout', 'status', `deployment/${name}`, '--timeout=60s']);

async function podsOf(app: string): Promise<Json[]> {
  return (await operator.kubectl.getJson('pods', '-l', `app=${app}`))?.items ?? [];
}
const uidOf = (pod: Json | undefined) => pod?.metadata?.['uid'];

describe('a disruption budget that allows no disruption', () => {
  test('blocks the drain, with pod, budget and start time in the status', async () => {
    await operator.kubectl.apply([deployment({ name: 'guarded', node: 'n2' }), strictBudget('guarded')]);
    await waitForRollout('guarded');
    await operator.kubectl.apply(drainOf('blocked', 'n2', { timeoutSeconds: 15 }));
    const seen = await waitForNodeStatus(operator, ['nodeop', 'blocked', 'n2'], entry =>
      /budget/.test(entry.message ?? ''),
    );
    const { message, step, stepTimes } = nodeStatuses(seen).n2 ?? {};
    expect(step).toBe('Drain');
    expect(message).toMatch(
      /waiting for default\/guarded-\S+ to terminate; .*disruption budget guarded.*draining since 20/,
    );
    expect(Date.parse(stepTimes?.Drain ?? '')).toBeGreaterThan(0);
    expect(await operator.kubectl.do(['get', 'nodeop', 'blocked'])).toMatch(
      /blocked\s+Running\s+0\/1\s+0\s+n2: .*guarded/,
    );
    expect(await eventMessages(operator, 'blocked', 'DrainBlocked')).toEqual([
      expect.stringContaining('budget guarded'),
    ]);
  });

  test('fails the node at the drain timeout, which uncordons it and does not run its command', async () => {
    const op = await waitUntilFinished(operator, 'nodeop', 'blocked', 60);
    expect(op.status?.phase).toBe('Failed');
    expect(nodeStatuses(op).n2).toMatchObject({ phase: 'Failed', reason: 'DrainTimeout' });
    expect(nodeStatuses(op).n2?.message).toMatch(/not drained within 15 s: .*default\/guarded-.*budget guarded/);
    expect(await jobsOf(operator, 'blocked')).toEqual([]);
    await expectClean(operator, 'n2');
    expect((await podsOf('guarded')).map(pod => pod.status?.['phase'])).toEqual(['Running']);
  });
});

test('a pod is given its grace period, and the command runs only after it has ended', async () => {
  const onTerm = `${appendToLogFromPod('SIGTERM')}; sleep 8; ${appendToLogFromPod('done')}; exit 0`;
  const script = `trap '${onTerm}' TERM; while :; do sleep 1; done`;
  await operator.kubectl.apply(deployment({ name: 'database', node: 'n3', graceSeconds: 20, script }));
  await waitForRollout('database');
  await operator.kubectl.apply(drainOf('patient', 'n3', { command: appendToLog('command') }));
  const op = await waitUntilFinished(operator, 'nodeop', 'patient', 90);
  expect(op.status?.phase).toBe('Completed');
  const n3 = operator.cluster.machine('n3');
  expect(commandLog(n3)).toEqual(['SIGTERM', 'done', 'command']);
  await expectClean(operator, 'n3');
});

describe('pods whose eviction would lose data', () => {
  const listPods = async () => [...(await podsOf('bare')), ...(await podsOf('scratch'))];

  test('are not evicted by default, and are named in an Event', async () => {
    const plans = { bare: { name: 'bare', node: 'n1' }, scratch: { name: 'scratch', node: 'n1', emptyDir: true } };
    await operator.kubectl.apply([barePod(plans.bare), deployment(plans.scratch)]);
    await operator.kubectl.do([
      'wait',
      '--for=condition=Ready',
      'pods',
      '-l',
      'app in (bare, scratch)',
      '--timeout=60s',
    ]);
    await waitForRollout('scratch');
    const before = (await listPods()).map(uidOf);
    await operator.kubectl.apply(drainOf('careful', 'n1'));
    const op = await waitUntilFinished(operator, 'nodeop', 'careful', 60);
    expect(op.status?.phase).toBe('Completed');
    expect((await listPods()).map(uidOf)).toEqual(before);
    const [message, ...more] = await eventMessages(operator, 'careful', 'PodsStay');
    expect(message).toMatch(/default\/bare .*it has no controller and force is false/);
    expect(message).toMatch(/default\/scratch-\S+ .*it has an emptyDir volume and deleteEmptyDirData is false/);
    expect(more).toEqual([]);
  });

  test('are evicted with force and deleteEmptyDirData', async () => {
    const [, scratch] = await listPods();
    await operator.kubectl.apply(drainOf('forceful', 'n1', { force: true, deleteEmptyDirData: true }));
    const op = await waitUntilFinished(operator, 'nodeop', 'forceful', 60);
    expect(op.status?.phase).toBe('Completed');
    const left = await listPods();
    expect(left.map(pod => pod.metadata?.labels?.['app'])).toEqual(['scratch']);
    expect(left.map(uidOf)).not.toContain(uidOf(scratch));
    await expectClean(operator, 'n1');
  });
});
