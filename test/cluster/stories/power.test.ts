import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { waitFor } from '../wait.js';
import { ended, entries, jobsOf, nodeOpOf, type Operator, operator } from './operator.js';
import { deployment } from './pods.js';
import {
  controllerNode,
  diary,
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
/** Two machines that the controller does not run on: it shall see what happens to them. */
let first: Machine;
let second: Machine;
beforeAll(async () => {
  it = await operator(3);
  const controller = await controllerNode(it);
  const others = it.machines.filter(({ name }) => name !== controller);
  [first, second] = [others[0], others[1]] as [Machine, Machine];
});

const opOn = (machine: Machine, name: string, { command = 'true', ...spec }: Record<string, unknown> = {}) =>
  nodeOpOf(name, { ...onNode(machine.name), command: ['sh', '-c', command], cordon: true, ...spec });

const entryOf = async (name: string, machine: Machine) =>
  entries(await it.kubectl.getJson('nodeop', name))[machine.name];

test('a node that is off when its turn comes is waited for and then failed; the others are done', async () => {
  forget(it);
  await first.powerOff();
  await it.cluster.waitNotReady(first.name);
  const command = ['sh', '-c', write('ran')];
  await it.kubectl.apply(nodeOpOf('one-is-off', { command, concurrency: 1, startDeadlineSeconds: 10 }));
  const seen = await whenEntry(it, ['nodeop', 'one-is-off', first.name], entry => entry.reason === 'NodeNotReady');
  expect(entries(seen)[first.name]).toMatchObject({
    phase: 'Pending',
    message: 'waiting for the node to be Ready',
  });
  const op = await ended(it, 'nodeop', 'one-is-off', 90);
  expect(op.status).toMatchObject({ phase: 'Failed', nodes: { total: 3, completed: 2, failed: 1 } });
  expect(entries(op)[first.name]).toMatchObject({
    phase: 'Failed',
    reason: 'NodeNotReady',
    message: 'the node was not Ready within 10 s',
  });
  await first.powerOn();
  await it.cluster.waitReady(first.name);
  await expectUntouched(it, ...it.machines.map(({ name }) => name));
  expect(await jobsOf(it, 'one-is-off')).toHaveLength(2);
  for (const machine of it.machines) expect(diary(machine)).toEqual(machine === first ? [] : ['ran']);
});

test('a power cut in the middle of the command: it runs again, and the reboot that was asked for still comes, once', async () => {
  forget(it);
  const power = powerCount(second);
  const command = `${write('begun')}; ${UNTIL_GO}; ${write('done')}`;
  await it.kubectl.apply(opOn(second, 'cut', { command, rebootOnSuccess: true }));
  /* A Pod that the kubelet has not told of yet when the power goes is neither run again nor failed by it. */
  await whenEntry(it, ['nodeop', 'cut', second.name], entry => entry.message === 'Job is running');
  await second.powerCut();
  go(second);
  const op = await ended(it, 'nodeop', 'cut', 180);
  expect(op.status?.phase).toBe('Completed');
  expect(entries(op)[second.name]).toMatchObject({ rebootStatus: 'completed' });
  expect(diary(second)).toEqual(['begun', 'begun', 'done']);
  expect(await jobsOf(it, 'cut')).toHaveLength(1);
  expect(power()).toEqual({ boots: 2, told: 1 });
  await expectUntouched(it, second.name);
});

test('a machine that somebody else rebooted between Job and reboot is not rebooted again', async () => {
  forget(it);
  const power = powerCount(first);
  await it.kubectl.apply(opOn(first, 'overtaken', { command: `${UNTIL_GO}; ${write('ran')}`, rebootOnSuccess: true }));
  await whenEntry(it, ['nodeop', 'overtaken', first.name], entry => entry.step === 'Run');
  const thaw = freezeAgent(first);
  try {
    go(first);
    await whenEntry(it, ['nodeop', 'overtaken', first.name], entry => entry.step === 'Reboot');
    expect(power()).toEqual({ boots: 0, told: 0 });
    await first.hardReboot();
  } finally {
    thaw(); // it ended with its boot, unless the story did before
  }
  const op = await ended(it, 'nodeop', 'overtaken', 120);
  expect(op.status?.phase).toBe('Completed');
  expect(entries(op)[first.name]).toMatchObject({ rebootStatus: 'completed' });
  expect(diary(first)).toEqual(['ran']);
  expect(power()).toEqual({ boots: 1, told: 1 }); // told by somebody else
  await expectUntouched(it, first.name);
});

describe('a machine that stays off in the middle of its reboot', () => {
  const PATIENCE_SECONDS = 3;
  let power: ReturnType<typeof powerCount>;

  test('is waited for, though its pods are taken away in the meantime', async () => {
    forget(it);
    power = powerCount(second);
    const plan = { name: 'moving', node: second.name, lostNodeSeconds: PATIENCE_SECONDS };
    await it.kubectl.apply(deployment(plan));
    await it.kubectl.do(['rollout', 'status', 'deployment/moving', '--timeout=60s']);
    await it.kubectl.apply(opOn(second, 'long', { command: write('ran'), rebootOnSuccess: true }));
    await waitFor(() => power().told === 1, { what: 'the machine to be told to reboot', seconds: 60, everyMs: 20 });
    await second.powerCut({ stayOff: true });
    await it.cluster.waitNotReady(second.name);
    const evicted = (object: object) => JSON.stringify(object).includes('DeletionByTaintManager');
    await it.kubectl.waitForObject(['pods', '-l', 'app=moving'], evicted, 60);
    expect(await entryOf('long', second)).toMatchObject({ phase: 'Running', step: 'Reboot', message: 'rebooting' });
  });

  test('and the operation completes when it is back, with one Job and one reboot', async () => {
    await second.powerOn();
    const op = await ended(it, 'nodeop', 'long', 120);
    expect(op.status?.phase).toBe('Completed');
    expect(entries(op)[second.name]).toMatchObject({ rebootStatus: 'completed' });
    expect(power()).toEqual({ boots: 1, told: 1 });
    expect(diary(second)).toEqual(['ran']);
    expect(await jobsOf(it, 'long')).toHaveLength(1);
    await expectUntouched(it, second.name);
    await it.kubectl.do(['rollout', 'status', 'deployment/moving', '--timeout=60s']);
  });
});
