import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { waitFor } from '../wait.js';
import { waitUntilFinished, nodeStatuses, jobsOf, nodeOpOf, type Operator, setUpOperator } from './operator.js';
import { deployment } from './pods.js';
import {
  machinesWithoutController,
  expectClean,
  freezeAgent,
  onNode,
  countPowerEvents,
  waitForNodeStatus,
} from './node-state.js';
import { commandLog, resetCommandLogs, letContinue, WAIT_TO_CONTINUE, appendToLog } from './command-log.js';

jest.setTimeout(600_000);

let operator: Operator;
/** Two machines without the controller, so that the controller observes what happens to them. */
let first: Machine;
let second: Machine;
beforeAll(async () => {
  operator = await setUpOperator(3);
  [first, second] = (await machinesWithoutController(operator)) as [Machine, Machine];
});

const opOn = (machine: Machine, name: string, { command = 'true', ...spec }: Record<string, unknown> = {}) =>
  nodeOpOf(name, { ...onNode(machine.name), command: ['sh', '-c', command], cordon: true, ...spec });

const nodeStatusOf = async (name: string, machine: Machine) =>
  nodeStatuses(await operator.kubectl.getJson('nodeop', name))[machine.name];

test('a node that is powered off fails at the start deadline, and the other nodes complete', async () => {
  resetCommandLogs(operator);
  await first.powerOff();
  await operator.cluster.waitNotReady(first.name);
  const command = ['sh', '-c', appendToLog('ran')];
  await operator.kubectl.apply(nodeOpOf('one-is-off', { command, concurrency: 1, startDeadlineSeconds: 10 }));
  const seen = await waitForNodeStatus(
    operator,
    ['nodeop', 'one-is-off', first.name],
    entry => entry.reason === 'NodeNotReady',
  );
  expect(nodeStatuses(seen)[first.name]).toMatchObject({
    phase: 'Pending',
    message: 'waiting for the node to be Ready',
  });
  const op = await waitUntilFinished(operator, 'nodeop', 'one-is-off', 90);
  expect(op.status).toMatchObject({ phase: 'Failed', nodes: { total: 3, completed: 2, failed: 1 } });
  expect(nodeStatuses(op)[first.name]).toMatchObject({
    phase: 'Failed',
    reason: 'NodeNotReady',
    message: 'the node was not Ready within 10 s',
  });
  await first.powerOn();
  await operator.cluster.waitReady(first.name);
  await expectClean(operator, ...operator.machines.map(({ name }) => name));
  expect(await jobsOf(operator, 'one-is-off')).toHaveLength(2);
  for (const machine of operator.machines) expect(commandLog(machine)).toEqual(machine === first ? [] : ['ran']);
});

test('a command interrupted by a power cut runs again, followed by one reboot', async () => {
  resetCommandLogs(operator);
  const power = countPowerEvents(second);
  const command = `${appendToLog('started')}; ${WAIT_TO_CONTINUE}; ${appendToLog('done')}`;
  await operator.kubectl.apply(opOn(second, 'cut', { command, rebootOnSuccess: true }));
  // If the power is cut before the kubelet has reported the Pod, the Pod neither runs again nor fails.
  await waitForNodeStatus(operator, ['nodeop', 'cut', second.name], entry => entry.message === 'Job is running');
  await second.powerCut();
  letContinue(second);
  const op = await waitUntilFinished(operator, 'nodeop', 'cut', 180);
  expect(op.status?.phase).toBe('Completed');
  expect(nodeStatuses(op)[second.name]).toMatchObject({ rebootStatus: 'completed' });
  expect(commandLog(second)).toEqual(['started', 'started', 'done']);
  expect(await jobsOf(operator, 'cut')).toHaveLength(1);
  expect(power()).toEqual({ boots: 2, requests: 1 });
  await expectClean(operator, second.name);
});

test('a machine that was rebooted by a third party between Job and reboot is not rebooted again', async () => {
  resetCommandLogs(operator);
  const power = countPowerEvents(first);
  await operator.kubectl.apply(
    opOn(first, 'rebooted-by-others', { command: `${WAIT_TO_CONTINUE}; ${appendToLog('ran')}`, rebootOnSuccess: true }),
  );
  await waitForNodeStatus(operator, ['nodeop', 'rebooted-by-others', first.name], entry => entry.step === 'Run');
  const resumeAgent = freezeAgent(first);
  try {
    letContinue(first);
    await waitForNodeStatus(operator, ['nodeop', 'rebooted-by-others', first.name], entry => entry.step === 'Reboot');
    expect(power()).toEqual({ boots: 0, requests: 0 });
    await first.hardReboot();
  } finally {
    resumeAgent(); // The agent ended with the boot, unless the test failed before.
  }
  const op = await waitUntilFinished(operator, 'nodeop', 'rebooted-by-others', 120);
  expect(op.status?.phase).toBe('Completed');
  expect(nodeStatuses(op)[first.name]).toMatchObject({ rebootStatus: 'completed' });
  expect(commandLog(first)).toEqual(['ran']);
  expect(power()).toEqual({ boots: 1, requests: 1 }); // The request of the third party.
  await expectClean(operator, first.name);
});

describe('an operation whose machine stays off during its reboot', () => {
  const TOLERATION_SECONDS = 3;
  let power: ReturnType<typeof countPowerEvents>;

  test('waits for the machine while its pods are evicted', async () => {
    resetCommandLogs(operator);
    power = countPowerEvents(second);
    await operator.kubectl.apply(
      deployment({ name: 'moving', node: second.name, tolerationSeconds: TOLERATION_SECONDS }),
    );
    await operator.kubectl.do(['rollout', 'status', 'deployment/moving', '--timeout=60s']);
    await operator.kubectl.apply(opOn(second, 'long', { command: appendToLog('ran'), rebootOnSuccess: true }));
    await waitFor(() => power().requests === 1, { what: 'the reboot to be requested', seconds: 60, everyMs: 20 });
    await second.powerCut({ stayOff: true });
    await operator.cluster.waitNotReady(second.name);
    const evicted = (object: object) => JSON.stringify(object).includes('DeletionByTaintManager');
    await operator.kubectl.waitForObject(['pods', '-l', 'app=moving'], evicted);
    expect(await nodeStatusOf('long', second)).toMatchObject({
      phase: 'Running',
      step: 'Reboot',
      message: 'rebooting',
    });
  });

  test('completes with one Job and one reboot after the machine is powered on', async () => {
    await second.powerOn();
    const op = await waitUntilFinished(operator, 'nodeop', 'long', 120);
    expect(op.status?.phase).toBe('Completed');
    expect(nodeStatuses(op)[second.name]).toMatchObject({ rebootStatus: 'completed' });
    expect(power()).toEqual({ boots: 1, requests: 1 });
    expect(commandLog(second)).toEqual(['ran']);
    expect(await jobsOf(operator, 'long')).toHaveLength(1);
    await expectClean(operator, second.name);
    await operator.kubectl.do(['rollout', 'status', 'deployment/moving', '--timeout=60s']);
  });
});
