/** Nodes whose wall clock is two hours off: kubelet, container runtime and agent all have that time. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ClockShift } from '../clock-shift.js';
import type { Json } from '../kubectl.js';
import type { Machine } from '../machine.js';
import { waitFor } from '../wait.js';
import { appendToLog, commandLog, resetCommandLogs } from './command-log.js';
import { machinesWithoutController, countPowerEvents, eventMessages, expectClean, onNode } from './node-state.js';
import { jobsOf, nodeOpOf, nodeStatuses, type Operator, setUpOperator, waitUntilFinished } from './operator.js';

jest.setTimeout(600_000);

const TWO_HOURS = 7200;
let operator: Operator;
let shifts: ClockShift[] = [];
let behind: Machine;
let ahead: Machine;
beforeAll(async () => {
  operator = await setUpOperator(3);
  [behind, ahead] = (await machinesWithoutController(operator)) as [Machine, Machine];
  shifts = [behind.shiftClock(-TWO_HOURS), ahead.shiftClock(TWO_HOURS)];
  // The heartbeat of a Node is a time of its kubelet.
  await Promise.all([waitForHeartbeat(behind, -TWO_HOURS), waitForHeartbeat(ahead, TWO_HOURS)]);
  await replacePods();
  resetCommandLogs(operator);
});
afterAll(async () => {
  for (const shift of shifts) shift.stop();
  const restart = async (machine: Machine) => {
    const before = machine.bootId();
    await machine.softReboot();
    await operator.cluster.waitReady(machine.name, { not: before });
  };
  await Promise.all([restart(behind), restart(ahead)]);
  await replacePods();
});

/** A kubelet takes the sandbox that was created last for that of the Pod. Those from before a step of the clock would confuse it after a reboot. */
async function replacePods(): Promise<void> {
  const namespace = ['-n', 'operator-system'];
  for (const { name } of [behind, ahead])
    await operator.kubectl.do(['delete', 'pods', ...namespace, `--field-selector=spec.nodeName=${name}`]);
  // Not by the rollout: it counts minReadySeconds from a time of the kubelet, which may be two hours ahead.
  const isReady = async () => {
    const pods = (await operator.kubectl.getJson('pods', ...namespace))?.items ?? [];
    return pods.filter(isAgent).length === operator.machines.length && pods.every(isPodReady);
  };
  await waitFor(isReady, {
    what: 'the Pods of the operator to be replaced',
    seconds: 120,
    everyMs: 500,
    diagnose: () => operator.kubectl.do(['get', 'pods', ...namespace, '-o', 'wide']),
  });
}

const isPodReady = ({ status }: Json) =>
  (status?.['conditions'] as { type: string; status: string }[] | undefined)?.some(
    condition => condition.type === 'Ready' && condition.status === 'True',
  ) === true;
const isAgent = ({ metadata }: Json) => metadata?.labels?.['app.kubernetes.io/component'] === 'agent';

const waitForHeartbeat = (machine: Machine, seconds: number) =>
  operator.kubectl.waitForObject(['node', machine.name], ({ status }) => {
    const conditions = status?.['conditions'] as { type: string; status: string; lastHeartbeatTime: string }[];
    const ready = conditions.find(({ type }) => type === 'Ready');
    const shift = (Date.parse(ready?.lastHeartbeatTime ?? '') - Date.now()) / 1000;
    return ready?.status === 'True' && Math.abs(shift - seconds) < 300;
  });

describe.each([
  ['behind', () => behind, /^n\d: the clock of the node is 7[12]\d\d s behind the controller's$/],
  ['ahead', () => ahead, /^n\d: the clock of the node is 7[12]\d\d s ahead of the controller's$/],
] as const)('a node whose clock is two hours %s', (name, machineOf, warning) => {
  test('runs preflight, command and reboot once, and its clock is reported by an Event', async () => {
    const machine = machineOf();
    const power = countPowerEvents(machine);
    const preflight = { command: ['sh', '-c', 'sleep 4'], activeDeadlineSeconds: 60 };
    const spec = { ...onNode(machine.name), command: ['sh', '-c', appendToLog('ran')], preflight, cordon: true };
    const deadlines = { rebootOnSuccess: true, rebootTimeoutSeconds: 300, startDeadlineSeconds: 120 };
    await operator.kubectl.apply(nodeOpOf(name, { ...spec, ...deadlines }));
    const op = await waitUntilFinished(operator, 'nodeop', name, 150);
    expect(nodeStatuses(op)[machine.name]).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
    expect([commandLog(machine), power()]).toEqual([['ran'], { boots: 1, requests: 1 }]);
    expect(await jobsOf(operator, name)).toHaveLength(1);
    expect(await eventMessages(operator, name, 'ClockSkew')).toEqual([expect.stringMatching(warning)]);
    await expectClean(operator, machine.name);
  });

  test('ends a preflight that hangs at its deadline, and is not cordoned', async () => {
    const machine = machineOf();
    await waitForHeartbeat(machine, name === 'ahead' ? TWO_HOURS : -TWO_HOURS);
    const startedAt = Date.now();
    const preflight = { command: ['sh', '-c', 'trap exit TERM; while :; do sleep 1; done'], activeDeadlineSeconds: 12 };
    const spec = { ...onNode(machine.name), command: ['true'], cordon: true, preflight };
    await operator.kubectl.apply(nodeOpOf(`${name}-hangs`, spec));
    const op = await waitUntilFinished(operator, 'nodeop', `${name}-hangs`, 60);
    expect(nodeStatuses(op)[machine.name]).toMatchObject({ phase: 'Failed', reason: 'PreflightTimeout' });
    expect((Date.now() - startedAt) / 1000).toBeGreaterThan(12);
    expect(await operator.kubectl.do(['get', 'nodeop', `${name}-hangs`])).toContain('activeDeadlineSeconds');
    expect(await eventMessages(operator, `${name}-hangs`, 'Cordoned')).toEqual([]);
    await expectClean(operator, machine.name);
  });
});
