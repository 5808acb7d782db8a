import { beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Json } from '../kubectl.js';
import { ended, entries, jobsOf, nodeOpOf, type Operator, operator } from './operator.js';
import { diary, expectUntouched, forget, go, UNTIL_GO, whenEntry, write } from './world.js';

jest.setTimeout(600_000);

let it: Operator;
const NODES = ['n1', 'n2', 'n3'];
beforeAll(async () => {
  it = await operator(3);
});
beforeEach(() => forget(it));

const opOf = (name: string, command: string, spec: object = {}) =>
  nodeOpOf(name, { command: ['sh', '-c', command], cordon: true, ...spec });

const nodeEntries = async (name: string) => entries(await it.kubectl.getJson('nodeop', name));

/** Tells of its begin and its end: two at work on one node would be seen in its diary. */
const spells = (name: string) => `${write(`${name} begins`)}; ${UNTIL_GO}; sleep 1; ${write(`${name} ends`)}`;

test('of two operations over the same nodes one waits and names the other; no node ever serves both', async () => {
  await it.kubectl.apply([opOf('early', spells('early')), opOf('late', spells('late'))]);
  const isWaiting = ({ reason }: { reason?: string }) => reason === 'WaitingForOperation';
  const waiting = (list: Json) =>
    (list.items ?? []).flatMap(op =>
      Object.values(entries(op))
        .filter(isWaiting)
        .map(({ phase, message }) => [op.metadata?.name, phase, message]),
    );
  const [first] = waiting(await it.kubectl.waitForObject(['nodeops'], list => waiting(list).length > 0, 30));
  go(...it.machines);
  const [late, early] = first?.[0] === 'late' ? ['late', 'early'] : ['early', 'late'];
  expect(first).toEqual([late, 'Pending', `waiting for operation default/${early}`]);
  const ends = await Promise.all([ended(it, 'nodeop', 'early'), ended(it, 'nodeop', 'late')]);
  expect(ends.map(op => op.status?.['phase'])).toEqual(['Completed', 'Completed']);
  for (const machine of it.machines) {
    const lines = diary(machine);
    expect(lines).toHaveLength(4);
    const [one, other] = [lines[0]?.split(' ')[0], lines[2]?.split(' ')[0]];
    expect(lines).toEqual([`${one} begins`, `${one} ends`, `${other} begins`, `${other} ends`]);
    expect([one, other].sort((a = '', b = '') => a.localeCompare(b))).toEqual(['early', 'late']);
  }
  await expectUntouched(it, ...NODES);
});

test('after a failure with stopOnFailure no other node is started, and the status says why', async () => {
  const command = `${write('ran')}; exit 4`;
  await it.kubectl.apply(opOf('stops', command, { concurrency: 1, stopOnFailure: true, backoffLimit: 0 }));
  const op = await ended(it, 'nodeop', 'stops', 60);
  expect(op.status).toMatchObject({
    phase: 'Failed',
    progress: '1/3',
    nodes: { total: 3, pending: 2, active: 0, completed: 0, failed: 1 },
  });
  expect(entries(op).n1).toMatchObject({ phase: 'Failed', reason: 'JobFailed', exitCode: 4 });
  for (const name of ['n2', 'n3']) expect(entries(op)[name]).toMatchObject({ phase: 'Pending', reason: 'Stopped' });
  expect(it.machines.map(diary)).toEqual([['ran'], [], []]);
  expect(await jobsOf(it, 'stops')).toHaveLength(1);
  expect(await it.kubectl.do(['get', 'nodeop', 'stops'])).toMatch(
    /Failed\s+1\/3\s+1\s+1 of 3 nodes failed; n1: Job failed/,
  );
  await expectUntouched(it, 'n2', 'n3');
  await it.kubectl.do(['uncordon', 'n1']);
});

describe('paused', () => {
  const patch = (paused: boolean) =>
    it.kubectl.do(['patch', 'nodeop', 'halted', '--type=merge', '-p', JSON.stringify({ spec: { paused } })]);

  test('while a node is under way: that one is finished, no other is begun', async () => {
    await it.kubectl.apply(opOf('halted', spells('halted'), { concurrency: 1 }));
    await whenEntry(it, ['nodeop', 'halted', 'n1'], entry => entry.step === 'Run');
    await patch(true);
    go(...it.machines);
    const seen = await whenEntry(it, ['nodeop', 'halted', 'n1'], entry => entry.phase === 'Completed');
    expect(seen.status).toMatchObject({ phase: 'Running', progress: '1/3' });
    for (const name of ['n2', 'n3']) {
      await whenEntry(it, ['nodeop', 'halted', name], entry => entry.phase === 'Pending' && entry.reason === 'Paused');
    }
    await expectUntouched(it, ...NODES);
    expect(it.machines.map(machine => diary(machine).length)).toEqual([2, 0, 0]);
  });

  test('and unpaused, it goes on to its end', async () => {
    go(...it.machines);
    await patch(false);
    const op = await ended(it, 'nodeop', 'halted', 90);
    expect(op.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
    expect(it.machines.map(machine => diary(machine).length)).toEqual([0, 2, 2]);
  });
});

test('kubectl wait for Completed returns when the last node is done and not before', async () => {
  go(...it.machines);
  await it.kubectl.apply(opOf('long', spells('long'), { concurrency: 1 }));
  await it.kubectl.do(['wait', '--for=jsonpath={.status.phase}=Completed', 'nodeop/long', '--timeout=120s'], {
    seconds: 130,
  });
  expect(it.machines.map(diary)).toEqual(NODES.map(() => ['long begins', 'long ends']));
  const phases = Object.values(await nodeEntries('long')).map(entry => entry.phase);
  expect(phases).toEqual(['Completed', 'Completed', 'Completed']);
});
