import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { waitFor } from '../wait.js';
import { waitUntilFinished, nodeStatuses, jobsOf, nodeOpOf, type Operator, setUpOperator } from './operator.js';
import { deployment, strictBudget } from './pods.js';
import { commandLog, resetCommandLogs, letContinue, WAIT_TO_CONTINUE, appendToLog } from './command-log.js';
import { expectDeleted, expectClean, freezeAgent, onNode, countPowerEvents, waitForNodeStatus } from './node-state.js';

jest.setTimeout(600_000);

let operator: Operator;
let n2: Machine;
let n3: Machine;
beforeAll(async () => {
  operator = await setUpOperator(3);
  resetCommandLogs(operator);
  [n2, n3] = [operator.cluster.machine('n2'), operator.cluster.machine('n3')];
});

const opOn = (node: string, name: string, { command = 'true', ...spec }: Record<string, unknown> = {}) =>
  nodeOpOf(name, { ...onNode(node), command: ['sh', '-c', command], cordon: true, ...spec });

/** Deletes without waiting for the end of the deletion. */
const remove = (name: string) => operator.kubectl.do(['delete', 'nodeop', name, '--wait=false']);

const waitForStep = (name: string, node: string, step: string) =>
  waitForNodeStatus(operator, ['nodeop', name, node], entry => entry.step === step);

test('an operation deleted during its drain uncordons the node and never runs its command', async () => {
  await operator.kubectl.apply([deployment({ name: 'guarded', node: 'n2' }), strictBudget('guarded')]);
  await operator.kubectl.do(['rollout', 'status', 'deployment/guarded', '--timeout=60s']);
  await operator.kubectl.apply(
    opOn('n2', 'draining', { command: appendToLog('ran'), drainOptions: { enabled: true } }),
  );
  await waitForNodeStatus(operator, ['nodeop', 'draining', 'n2'], entry => /budget/.test(entry.message ?? ''));
  await remove('draining');
  await expectDeleted(operator, 'draining', 30);
  await expectClean(operator, 'n2');
  expect(commandLog(n2)).toEqual([]);
  const pods = (await operator.kubectl.getJson('pods', '-l', 'app=guarded'))?.items ?? [];
  expect(pods.map(pod => pod.status?.['phase'])).toEqual(['Running']);
});

test('an operation deleted while its Job runs terminates the command and leaves nothing behind', async () => {
  const command = `trap '${appendToLog('terminated')}; exit 1' TERM; ${appendToLog('started')}; while :; do sleep 1; done`;
  await operator.kubectl.apply(opOn('n3', 'running', { command }));
  await waitFor(() => commandLog(n3).includes('started'), { what: 'the command to run', seconds: 60 });
  await remove('running');
  await expectDeleted(operator, 'running', 60);
  await expectClean(operator, 'n3');
  expect(commandLog(n3)).toEqual(['started', 'terminated']);
});

describe('a deleted operation with rebootOnSuccess', () => {
  test('finishes its running Job and reboots once', async () => {
    resetCommandLogs(operator);
    const power = countPowerEvents(n2);
    const command = `${appendToLog('started')}; ${WAIT_TO_CONTINUE}; ${appendToLog('done')}`;
    await operator.kubectl.apply(opOn('n2', 'upgrading', { command, rebootOnSuccess: true }));
    await waitFor(() => commandLog(n2).includes('started'), { what: 'the command to run', seconds: 60 });
    await remove('upgrading');
    const wait = await operator.kubectl.try(['wait', '--for=delete', 'nodeop/upgrading', '--timeout=3s']);
    expect(wait.stderr).toContain('timed out');
    expect(await jobsOf(operator, 'upgrading')).toHaveLength(1);
    letContinue(n2);
    await expectDeleted(operator, 'upgrading', 120);
    expect(commandLog(n2)).toEqual(['started', 'done']);
    expect(power()).toEqual({ boots: 1, requests: 1 });
    await operator.cluster.waitReady('n2');
    await expectClean(operator, 'n2');
  });

  test('waits for the end of a reboot in progress', async () => {
    const power = countPowerEvents(n3);
    n3.setFirmwareDelay(5);
    await operator.kubectl.apply(opOn('n3', 'rebooting', { rebootOnSuccess: true }));
    await waitFor(() => power().requests === 1, { what: 'the reboot to be requested', seconds: 60 });
    await remove('rebooting');
    await expectDeleted(operator, 'rebooting', 120);
    n3.setFirmwareDelay(0);
    expect(power()).toEqual({ boots: 1, requests: 1 });
    await operator.cluster.waitReady('n3');
    await expectClean(operator, 'n3');
  });

  test('keeps its claim until the agent has confirmed the withdrawal of the reboot, and then does not reboot the machine', async () => {
    resetCommandLogs(operator);
    const power = countPowerEvents(n2);
    await operator.kubectl.apply(
      opOn('n2', 'withdrawn', { command: WAIT_TO_CONTINUE, rebootOnSuccess: true, rebootTimeoutSeconds: 6 }),
    );
    await waitForStep('withdrawn', 'n2', 'Run');
    const resumeAgent = freezeAgent(n2);
    try {
      letContinue(n2);
      const seen = await waitForStep('withdrawn', 'n2', 'Withdraw');
      expect(nodeStatuses(seen).n2).toMatchObject({ ending: 'Failed', reason: 'Unreachable' });
      await remove('withdrawn');
      const wait = operator.kubectl.try(['wait', '--for=delete', 'nodeop/withdrawn', '--timeout=5s']);
      expect((await wait).stderr).toContain('timed out');
      const agent = await operator.kubectl.getJson('nodeagent', 'n2');
      expect(agent?.spec?.['operation']).toMatchObject({ nodeOp: { name: 'withdrawn' }, rebootWithdrawn: true });
    } finally {
      resumeAgent();
    }
    await expectDeleted(operator, 'withdrawn', 60);
    await expectClean(operator, 'n2');
    await operator.kubectl.apply(opOn('n2', 'after'));
    expect((await waitUntilFinished(operator, 'nodeop', 'after')).status?.['phase']).toBe('Completed');
    expect(power()).toEqual({ boots: 0, requests: 0 });
  });
});
