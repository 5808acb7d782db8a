import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { waitFor } from '../wait.js';
import { ended, entries, jobsOf, nodeOpOf, type Operator, operator } from './operator.js';
import { deployment, strictBudget } from './pods.js';
import {
  diary,
  expectGone,
  expectUntouched,
  forget,
  freezeAgent,
  go,
  onNode,
  powerCount,
  UNTIL_GO,
  whenEntry,
  write,
} from './world.js';

jest.setTimeout(600_000);

let it: Operator;
let n2: Machine;
let n3: Machine;
beforeAll(async () => {
  it = await operator(3);
  forget(it);
  [n2, n3] = [it.cluster.machine('n2'), it.cluster.machine('n3')];
});

const opOn = (node: string, name: string, { command = 'true', ...spec }: Record<string, unknown> = {}) =>
  nodeOpOf(name, { ...onNode(node), command: ['sh', '-c', command], cordon: true, ...spec });

/** As somebody does who does not stay to see the end. */
const remove = (name: string) => it.kubectl.do(['delete', 'nodeop', name, '--wait=false']);

const atStep = (name: string, node: string, step: string) =>
  whenEntry(it, ['nodeop', name, node], entry => entry.step === step);

test('deleted while it drains: the node is as before, and its command never runs', async () => {
  await it.kubectl.apply([deployment({ name: 'guarded', node: 'n2' }), strictBudget('guarded')]);
  await it.kubectl.do(['rollout', 'status', 'deployment/guarded', '--timeout=60s']);
  await it.kubectl.apply(opOn('n2', 'draining', { command: write('ran'), drainOptions: { enabled: true } }));
  await whenEntry(it, ['nodeop', 'draining', 'n2'], entry => /budget/.test(entry.message ?? ''));
  await remove('draining');
  await expectGone(it, 'draining', 30);
  await expectUntouched(it, 'n2');
  expect(diary(n2)).toEqual([]);
  const pods = (await it.kubectl.getJson('pods', '-l', 'app=guarded'))?.items ?? [];
  expect(pods.map(pod => pod.status?.['phase'])).toEqual(['Running']);
});

test('deleted while its Job runs: the command is asked to end, and nothing is left', async () => {
  const command = `trap '${write('asked to end')}; exit 1' TERM; ${write('begun')}; while :; do sleep 1; done`;
  await it.kubectl.apply(opOn('n3', 'running', { command }));
  await waitFor(() => diary(n3).includes('begun'), { what: 'the command to run', seconds: 60 });
  await remove('running');
  await expectGone(it, 'running', 60);
  await expectUntouched(it, 'n3');
  expect(diary(n3)).toEqual(['begun', 'asked to end']);
});

describe('an operation that reboots', () => {
  test('is let finish when deleted while its Job runs, with its one reboot', async () => {
    forget(it);
    const power = powerCount(n2);
    const command = `${write('begun')}; ${UNTIL_GO}; ${write('done')}`;
    await it.kubectl.apply(opOn('n2', 'upgrading', { command, rebootOnSuccess: true }));
    await waitFor(() => diary(n2).includes('begun'), { what: 'the command to run', seconds: 60 });
    await remove('upgrading');
    const early = await it.kubectl.try(['wait', '--for=delete', 'nodeop/upgrading', '--timeout=3s']);
    expect(early.stderr).toContain('timed out');
    expect(await jobsOf(it, 'upgrading')).toHaveLength(1);
    go(n2);
    await expectGone(it, 'upgrading', 120);
    expect(diary(n2)).toEqual(['begun', 'done']);
    expect(power()).toEqual({ boots: 1, told: 1 });
    await it.cluster.waitReady('n2');
    await expectUntouched(it, 'n2');
  });

  test('is waited for when deleted while the machine reboots', async () => {
    const power = powerCount(n3);
    n3.setFirmwareDelay(5);
    await it.kubectl.apply(opOn('n3', 'rebooting', { rebootOnSuccess: true }));
    await waitFor(() => power().told === 1, { what: 'the machine to be told to reboot', seconds: 60 });
    await remove('rebooting');
    await expectGone(it, 'rebooting', 120);
    n3.setFirmwareDelay(0);
    expect(power()).toEqual({ boots: 1, told: 1 });
    await it.cluster.waitReady('n3');
    await expectUntouched(it, 'n3');
  });

  test('holds its node until the agent has said that the reboot is off; then the machine stays up', async () => {
    forget(it);
    const power = powerCount(n2);
    await it.kubectl.apply(
      opOn('n2', 'withdrawn', { command: UNTIL_GO, rebootOnSuccess: true, rebootTimeoutSeconds: 6 }),
    );
    await atStep('withdrawn', 'n2', 'Run');
    const thaw = freezeAgent(n2);
    try {
      go(n2);
      const seen = await atStep('withdrawn', 'n2', 'Withdraw');
      expect(entries(seen).n2).toMatchObject({ ending: 'Failed', reason: 'Unreachable' });
      await remove('withdrawn');
      const gone = it.kubectl.try(['wait', '--for=delete', 'nodeop/withdrawn', '--timeout=5s']);
      expect((await gone).stderr).toContain('timed out');
      const held = await it.kubectl.getJson('nodeagent', 'n2');
      expect(held?.spec?.['operation']).toMatchObject({ nodeOp: { name: 'withdrawn' }, rebootWithdrawn: true });
    } finally {
      thaw();
    }
    await expectGone(it, 'withdrawn', 60);
    await expectUntouched(it, 'n2');
    await it.kubectl.apply(opOn('n2', 'after'));
    expect((await ended(it, 'nodeop', 'after')).status?.['phase']).toBe('Completed');
    expect(power()).toEqual({ boots: 0, told: 0 });
  });
});
