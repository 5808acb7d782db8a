import { beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Json } from '../kubectl.js';
import { waitUntilFinished, nodeStatuses, jobsOf, nodeOpOf, type Operator, setUpOperator } from './operator.js';
import { commandLog, resetCommandLogs, letContinue, WAIT_TO_CONTINUE, appendToLog } from './command-log.js';
import { expectClean, waitForNodeStatus } from './node-state.js';

jest.setTimeout(600_000);

let operator: Operator;
const NODES = ['n1', 'n2', 'n3'];
beforeAll(async () => {
  operator = await setUpOperator(3);
});
beforeEach(() => resetCommandLogs(operator));

const opOf = (name: string, command: string, spec: object = {}) =>
  nodeOpOf(name, { command: ['sh', '-c', command], cordon: true, ...spec });

const nodeEntries = async (name: string) => nodeStatuses(await operator.kubectl.getJson('nodeop', name));

/** A command that logs its start and end, so that the log shows whether two operations ran on a node at the same time. */
const logStartAndEnd = (name: string) =>
  `${appendToLog(`${name} starts`)}; ${WAIT_TO_CONTINUE}; sleep 1; ${appendToLog(`${name} ends`)}`;

test('of two operations on the same nodes one waits and names the other, and no node runs both at the same time', async () => {
  await operator.kubectl.apply([opOf('early', logStartAndEnd('early')), opOf('late', logStartAndEnd('late'))]);
  const isWaiting = ({ reason }: { reason?: string }) => reason === 'WaitingForOperation';
  const waiting = (list: Json) =>
    (list.items ?? []).flatMap(op =>
      Object.values(nodeStatuses(op))
        .filter(isWaiting)
        .map(({ phase, message }) => [op.metadata?.name, phase, message]),
    );
  const [first] = waiting(await operator.kubectl.waitForObject(['nodeops'], list => waiting(list).length > 0, 30));
  letContinue(...operator.machines);
  const [late, early] = first?.[0] === 'late' ? ['late', 'early'] : ['early', 'late'];
  expect(first).toEqual([late, 'Pending', `waiting for operation default/${early}`]);
  const ends = await Promise.all([
    waitUntilFinished(operator, 'nodeop', 'early'),
    waitUntilFinished(operator, 'nodeop', 'late'),
  ]);
  expect(ends.map(op => op.status?.['phase'])).toEqual(['Completed', 'Completed']);
  for (const machine of operator.machines) {
    const lines = commandLog(machine);
    expect(lines).toHaveLength(4);
    const [one, other] = [lines[0]?.split(' ')[0], lines[2]?.split(' ')[0]];
    expect(lines).toEqual([`${one} starts`, `${one} ends`, `${other} starts`, `${other} ends`]);
    expect([one, other].sort((a = '', b = '') => a.localeCompare(b))).toEqual(['early', 'late']);
  }
  await expectClean(operator, ...NODES);
});

test('a failure with stopOnFailure keeps the other nodes from starting, with the reason in the status', async () => {
  const command = `${appendToLog('ran')}; exit 4`;
  await operator.kubectl.apply(opOf('stops', command, { concurrency: 1, stopOnFailure: true, backoffLimit: 0 }));
  const op = await waitUntilFinished(operator, 'nodeop', 'stops', 60);
  expect(op.status).toMatchObject({
    phase: 'Failed',
    progress: '1/3',
    nodes: { total: 3, pending: 2, active: 0, completed: 0, failed: 1 },
  });
  expect(nodeStatuses(op).n1).toMatchObject({ phase: 'Failed', reason: 'JobFailed', exitCode: 4 });
  for (const name of ['n2', 'n3'])
    expect(nodeStatuses(op)[name]).toMatchObject({ phase: 'Pending', reason: 'Stopped' });
  expect(operator.machines.map(commandLog)).toEqual([['ran'], [], []]);
  expect(await jobsOf(operator, 'stops')).toHaveLength(1);
  expect(await operator.kubectl.do(['get', 'nodeop', 'stops'])).toMatch(
    /Failed\s+1\/3\s+1\s+1 of 3 nodes failed; n1: Job failed/,
  );
  await expectClean(operator, 'n2', 'n3');
  await operator.kubectl.do(['uncordon', 'n1']);
});

describe('a paused operation', () => {
  const setPaused = (paused: boolean) =>
    operator.kubectl.do(['patch', 'nodeop', 'pausable', '--type=merge', '-p', JSON.stringify({ spec: { paused } })]);

  test('finishes the node in progress and starts no other', async () => {
    await operator.kubectl.apply(opOf('pausable', logStartAndEnd('pausable'), { concurrency: 1 }));
    await waitForNodeStatus(operator, ['nodeop', 'pausable', 'n1'], entry => entry.step === 'Run');
    await setPaused(true);
    letContinue(...operator.machines);
    const seen = await waitForNodeStatus(operator, ['nodeop', 'pausable', 'n1'], entry => entry.phase === 'Completed');
    expect(seen.status).toMatchObject({ phase: 'Running', progress: '1/3' });
    for (const name of ['n2', 'n3']) {
      await waitForNodeStatus(
        operator,
        ['nodeop', 'pausable', name],
        entry => entry.phase === 'Pending' && entry.reason === 'Paused',
      );
    }
    await expectClean(operator, ...NODES);
    expect(operator.machines.map(machine => commandLog(machine).length)).toEqual([2, 0, 0]);
  });

  test('continues to its end after paused is set to false', async () => {
    letContinue(...operator.machines);
    await setPaused(false);
    const op = await waitUntilFinished(operator, 'nodeop', 'pausable', 90);
    expect(op.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
    expect(operator.machines.map(machine => commandLog(machine).length)).toEqual([0, 2, 2]);
  });
});

test('kubectl wait for phase Completed returns only after the last node is completed', async () => {
  letContinue(...operator.machines);
  await operator.kubectl.apply(opOf('long', logStartAndEnd('long'), { concurrency: 1 }));
  await operator.kubectl.do(['wait', '--for=jsonpath={.status.phase}=Completed', 'nodeop/long', '--timeout=120s'], {
    seconds: 130,
  });
  expect(operator.machines.map(commandLog)).toEqual(NODES.map(() => ['long starts', 'long ends']));
  const phases = Object.values(await nodeEntries('long')).map(entry => entry.phase);
  expect(phases).toEqual(['Completed', 'Completed', 'Completed']);
});
