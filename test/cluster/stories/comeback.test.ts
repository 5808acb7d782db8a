/** Objects that come back from a backup without their status, and a Node that is deleted while its machine reboots. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Json } from '../kubectl.js';
import type { Machine } from '../machine.js';
import { waitFor } from '../wait.js';
import { appendToLog, commandLog, resetCommandLogs } from './command-log.js';
import {
  machinesWithoutController,
  countPowerEvents,
  eventMessages,
  expectClean,
  onNode,
  waitForNodeStatus,
} from './node-state.js';
import {
  jobsOf,
  nodeOpOf,
  nodeStatuses,
  type Operator,
  setUpOperator,
  upgradeOf,
  waitUntilFinished,
} from './operator.js';

jest.setTimeout(600_000);

let operator: Operator;
/** A worker without the controller. */
let machine: Machine;
beforeAll(async () => {
  operator = await setUpOperator(3);
  [machine] = (await machinesWithoutController(operator)).filter(({ name }) => name !== 'n1') as [Machine];
});

/** Deletes the object and creates it again as a backup tool does: with labels and annotations, without status, and with another uid. */
async function restore(kind: string, name: string): Promise<void> {
  const saved = await operator.kubectl.getJson(kind, name);
  const { labels, annotations, namespace } = saved?.metadata ?? {};
  const { apiVersion, kind: kindOfObject, spec } = saved as Json;
  await operator.kubectl.do(['delete', kind, name, '--timeout=60s']);
  const object = { apiVersion, kind: kindOfObject, metadata: { name, namespace, labels, annotations }, spec };
  await operator.kubectl.do(['create', '-f', '-'], { stdin: JSON.stringify(object) });
}

const retry = (kind: string, name: string) =>
  operator.kubectl.do(['annotate', kind, name, `operator.kairos.io/retry=${Date.now()}`]);

describe('an object that is restored from a backup without its status', () => {
  test('as a NodeOp neither runs its command nor reboots again, reports that, and runs when a retry is requested', async () => {
    resetCommandLogs(operator);
    const power = countPowerEvents(machine);
    const spec = { command: ['sh', '-c', appendToLog('ran')], cordon: true, rebootOnSuccess: true };
    await operator.kubectl.apply(nodeOpOf('nightly', { ...onNode(machine.name), ...spec }));
    expect((await waitUntilFinished(operator, 'nodeop', 'nightly', 120)).status?.['phase']).toBe('Completed');
    await restore('nodeop', 'nightly');
    const restored = await waitUntilFinished(operator, 'nodeop', 'nightly', 60);
    expect(restored.status?.['phase']).toBe('Failed');
    expect(await operator.kubectl.do(['get', 'nodeop', 'nightly'])).toMatch(/Failed .*restored from a backup/);
    expect(JSON.stringify(restored.status?.['conditions'])).toContain('"reason":"Restored"');
    expect([commandLog(machine), power()]).toEqual([['ran'], { boots: 1, requests: 1 }]);
    expect(await jobsOf(operator, 'nightly')).toEqual([]);
    await expectClean(operator, machine.name);

    await retry('nodeop', 'nightly');
    const completed = ({ status }: Json) => status?.['phase'] === 'Completed';
    await operator.kubectl.waitForObject(['nodeop', 'nightly'], completed, 120);
    expect([commandLog(machine), power()]).toEqual([['ran', 'ran'], { boots: 2, requests: 2 }]);
    await expectClean(operator, machine.name);
  });

  test('as a NodeOpUpgrade reads no image, creates no NodeOp and touches no node', async () => {
    const power = countPowerEvents(machine);
    const upgrade = upgradeOf('saved', operator.nextImage.ref, { ...onNode(machine.name), paused: true });
    await operator.kubectl.apply(upgrade);
    const isPaused = ({ reason }: { reason?: string }) => reason === 'Paused';
    await waitForNodeStatus(operator, ['nodeopupgrade', 'saved', machine.name], isPaused);
    await restore('nodeopupgrade', 'saved');
    const restored = await waitUntilFinished(operator, 'nodeopupgrade', 'saved', 60);
    expect(restored.status?.['phase']).toBe('Failed');
    expect(await operator.kubectl.do(['get', 'nodeopupgrade', 'saved'])).toMatch(/Failed .*restored from a backup/);
    await waitFor(async () => (await operator.kubectl.getJson('nodeop', 'saved')) === undefined, {
      what: 'the NodeOp of the former upgrade to be deleted',
      seconds: 30,
    });
    expect(power()).toEqual({ boots: 0, requests: 0 });
    expect(await jobsOf(operator, 'saved')).toEqual([]);
    await expectClean(operator, machine.name);
  });
});

test('a Node that is deleted while its machine reboots comes back as another Node, and the operation completes with one reboot', async () => {
  resetCommandLogs(operator);
  const power = countPowerEvents(machine);
  const uid = async () => (await operator.kubectl.getJson('node', machine.name))?.metadata?.['uid'];
  const before = await uid();
  // The machine is down for longer than the controller needs to see the deletion.
  machine.setFirmwareDelay(5);
  try {
    const spec = { command: ['sh', '-c', appendToLog('ran')], cordon: true, rebootOnSuccess: true };
    await operator.kubectl.apply(nodeOpOf('anew', { ...onNode(machine.name), ...spec }));
    await waitFor(() => power().requests === 1, { what: 'the reboot to be requested', seconds: 90, everyMs: 20 });
    await waitFor(() => machine.processes('/opt/kubernetes/kubelet').length === 0, {
      what: 'the kubelet to end',
      seconds: 30,
      everyMs: 50,
    });
    await operator.kubectl.do(['delete', 'node', machine.name]);
    const op = await waitUntilFinished(operator, 'nodeop', 'anew', 150);
    expect(nodeStatuses(op)[machine.name]).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
  } finally {
    machine.setFirmwareDelay(0);
  }
  expect(await uid()).not.toBe(before);
  expect([commandLog(machine), power()]).toEqual([['ran'], { boots: 1, requests: 1 }]);
  expect(await eventMessages(operator, 'anew', 'RegisteredAnew')).toHaveLength(1);
  await expectClean(operator, machine.name);
});
