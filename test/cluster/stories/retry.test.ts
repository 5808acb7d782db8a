import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { waitFor } from '../wait.js';
import { waitUntilFinished, nodeStatuses, jobsOf, nodeOpOf, type Operator, setUpOperator } from './operator.js';
import {
  controllerNode,
  expectDeleted,
  expectClean,
  freezeAgent,
  onNode,
  countPowerEvents,
  waitForNodeStatus,
} from './node-state.js';
import { commandLog, resetCommandLogs, letContinue, WAIT_TO_CONTINUE, appendToLog } from './command-log.js';

jest.setTimeout(600_000);

let operator: Operator;
beforeAll(async () => {
  operator = await setUpOperator(3);
});

const annotate = (name: string, annotation: string, value: string) =>
  operator.kubectl.do(['annotate', '--overwrite', 'nodeop', name, `operator.kairos.io/${annotation}=${value}`]);

/** Waits until the retry with that value has finished. */
const waitForRetry = (name: string, value: string) =>
  operator.kubectl.waitForObject(
    ['nodeop', name],
    ({ status }) => status?.['retry'] === value && ['Completed', 'Failed'].includes(String(status['phase'])),
    120,
  );

describe('a retry of a finished operation', () => {
  const NAME = 'fails-once';
  const nodeEntries = async () => nodeStatuses(await operator.kubectl.getJson('nodeop', NAME));
  /** Nodes in the order of the rollout: the control plane first, the node with the controller last. */
  let order: Machine[];
  let power: ReturnType<typeof countPowerEvents>;
  const commandLogs = () => order.map(machine => commandLog(machine));

  test('follows a failure on the second node that kept the third from starting', async () => {
    resetCommandLogs(operator);
    const controller = await controllerNode(operator);
    const workers = operator.machines
      .slice(1)
      .sort((a, b) => Number(a.name === controller) - Number(b.name === controller));
    order = [...operator.machines.slice(0, 1), ...workers];
    const [, second] = order as [Machine, Machine, Machine];
    await second.exec('rm', '-f', '/var/lib/story/repaired');
    power = countPowerEvents(second);
    const command = `${appendToLog('ran')}; [ $(cat $HOST_DIR/etc/hostname) != ${second.name} ] || [ -e $HOST_DIR/var/lib/story/repaired ]`;
    const spec = { concurrency: 1, stopOnFailure: true, backoffLimit: 0, cordon: true, rebootOnSuccess: true };
    await operator.kubectl.apply(nodeOpOf(NAME, { command: ['sh', '-c', command], ...spec }));
    expect((await waitUntilFinished(operator, 'nodeop', NAME, 120)).status?.['phase']).toBe('Failed');
    expect(commandLogs()).toEqual([['ran'], ['ran'], []]);
    expect(power()).toEqual({ boots: 0, requests: 0 });
  });

  test('runs on the failed and the unstarted node, and not on the completed one', async () => {
    const [done, second, third] = order as [Machine, Machine, Machine];
    await second.writeFile('/var/lib/story/repaired', '');
    await annotate(NAME, 'retry', 'one');
    const op = await waitForRetry(NAME, 'one');
    expect(op.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
    expect(await nodeEntries()).toMatchObject({
      [done.name]: { phase: 'Completed', attempt: 1 },
      [second.name]: { phase: 'Completed', attempt: 2 },
      [third.name]: { phase: 'Completed', attempt: 2 },
    });
    expect(commandLogs()).toEqual([['ran'], ['ran', 'ran'], ['ran']]);
    expect(await jobsOf(operator, NAME)).toHaveLength(4);
    expect(power()).toEqual({ boots: 1, requests: 1 });
    await expectClean(operator, 'n1', 'n2', 'n3');
  });

  test('changes nothing if all nodes are completed', async () => {
    await annotate(NAME, 'retry', 'two');
    const op = await waitForRetry(NAME, 'two');
    expect(op.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
    expect(commandLogs()).toEqual([['ran'], ['ran', 'ran'], ['ran']]);
    await expectClean(operator, 'n1', 'n2', 'n3');
  });
});

describe('a deleted operation with the abandon annotation', () => {
  const opOn = (node: string, name: string, command: string) =>
    nodeOpOf(name, { ...onNode(node), command: ['sh', '-c', command], cordon: true, rebootOnSuccess: true });
  const remove = (name: string) => operator.kubectl.do(['delete', 'nodeop', name, '--wait=false']);

  test('is deleted without waiting for its running command', async () => {
    resetCommandLogs(operator);
    const n3 = operator.cluster.machine('n3');
    const power = countPowerEvents(n3);
    await operator.kubectl.apply(
      opOn('n3', 'endless', `${appendToLog('started')}; trap exit TERM; while :; do sleep 1; done`),
    );
    await waitFor(() => commandLog(n3).includes('started'), { what: 'the command to run', seconds: 60 });
    await remove('endless');
    const wait = await operator.kubectl.try(['wait', '--for=delete', 'nodeop/endless', '--timeout=3s']);
    expect(wait.stderr).toContain('timed out');
    await annotate('endless', 'abandon', 'true');
    await expectDeleted(operator, 'endless', 30);
    await expectClean(operator, 'n3');
    expect(power()).toEqual({ boots: 0, requests: 0 });
  });

  test('is deleted without waiting for a suspended agent, which does not reboot the machine after it resumes', async () => {
    resetCommandLogs(operator);
    const n2 = operator.cluster.machine('n2');
    const power = countPowerEvents(n2);
    await operator.kubectl.apply(opOn('n2', 'silent', WAIT_TO_CONTINUE));
    await waitForNodeStatus(operator, ['nodeop', 'silent', 'n2'], entry => entry.step === 'Run');
    const resumeAgent = freezeAgent(n2);
    try {
      letContinue(n2);
      await waitForNodeStatus(operator, ['nodeop', 'silent', 'n2'], entry => entry.step === 'Reboot');
      await remove('silent');
      await annotate('silent', 'abandon', 'true');
      await expectDeleted(operator, 'silent', 30);
      await expectClean(operator, 'n2');
    } finally {
      resumeAgent();
    }
    const next = nodeOpOf('next', { ...onNode('n2'), command: ['true'], preflight: { command: ['sleep', '5'] } });
    await operator.kubectl.apply(next);
    expect((await waitUntilFinished(operator, 'nodeop', 'next')).status?.['phase']).toBe('Completed');
    expect(power()).toEqual({ boots: 0, requests: 0 });
  });
});
