import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { waitFor } from '../wait.js';
import { ended, entries, jobsOf, nodeOpOf, type Operator, operator } from './operator.js';
import {
  controllerNode,
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
beforeAll(async () => {
  it = await operator(3);
});

const annotate = (name: string, word: string, value: string) =>
  it.kubectl.do(['annotate', '--overwrite', 'nodeop', name, `operator.kairos.io/${word}=${value}`]);

/** Waits until the retry of that value has been acted on and is over. */
const retried = (name: string, value: string) =>
  it.kubectl.waitForObject(
    ['nodeop', name],
    ({ status }) => status?.['retry'] === value && ['Completed', 'Failed'].includes(String(status['phase'])),
    120,
  );

describe('a finished operation that is asked to try again', () => {
  const NAME = 'stumbles';
  const nodeEntries = async () => entries(await it.kubectl.getJson('nodeop', NAME));
  /** Nodes in the order in which they go: the control plane first, the one with the controller last. */
  let order: Machine[];
  let power: ReturnType<typeof powerCount>;
  const diaries = () => order.map(machine => diary(machine));

  test('has failed on its second node and never started on the third', async () => {
    forget(it);
    const controller = await controllerNode(it);
    const workers = it.machines.slice(1).sort((a, b) => Number(a.name === controller) - Number(b.name === controller));
    order = [...it.machines.slice(0, 1), ...workers];
    const [, second] = order as [Machine, Machine, Machine];
    await second.exec('rm', '-f', '/var/lib/story/mended');
    power = powerCount(second);
    const command = `${write('ran')}; [ $(cat $HOST_DIR/etc/hostname) != ${second.name} ] || [ -e $HOST_DIR/var/lib/story/mended ]`;
    const spec = { concurrency: 1, stopOnFailure: true, backoffLimit: 0, cordon: true, rebootOnSuccess: true };
    await it.kubectl.apply(nodeOpOf(NAME, { command: ['sh', '-c', command], ...spec }));
    expect((await ended(it, 'nodeop', NAME, 120)).status?.['phase']).toBe('Failed');
    expect(diaries()).toEqual([['ran'], ['ran'], []]);
    expect(power()).toEqual({ boots: 0, told: 0 });
  });

  test('runs on those two once more, and not on the one that is done', async () => {
    const [done, second, third] = order as [Machine, Machine, Machine];
    await second.writeFile('/var/lib/story/mended', '');
    await annotate(NAME, 'retry', 'one');
    const op = await retried(NAME, 'one');
    expect(op.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
    expect(await nodeEntries()).toMatchObject({
      [done.name]: { phase: 'Completed', attempt: 1 },
      [second.name]: { phase: 'Completed', attempt: 2 },
      [third.name]: { phase: 'Completed', attempt: 2 },
    });
    expect(diaries()).toEqual([['ran'], ['ran', 'ran'], ['ran']]);
    expect(await jobsOf(it, NAME)).toHaveLength(4);
    expect(power()).toEqual({ boots: 1, told: 1 });
    await expectUntouched(it, 'n1', 'n2', 'n3');
  });

  test('changes nothing where every node is done', async () => {
    await annotate(NAME, 'retry', 'two');
    const op = await retried(NAME, 'two');
    expect(op.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
    expect(diaries()).toEqual([['ran'], ['ran', 'ran'], ['ran']]);
    await expectUntouched(it, 'n1', 'n2', 'n3');
  });
});

describe('an operation that is deleted and abandoned', () => {
  const opOn = (node: string, name: string, command: string) =>
    nodeOpOf(name, { ...onNode(node), command: ['sh', '-c', command], cordon: true, rebootOnSuccess: true });
  const remove = (name: string) => it.kubectl.do(['delete', 'nodeop', name, '--wait=false']);

  test('does not wait for a command that would have been let finish', async () => {
    forget(it);
    const n3 = it.cluster.machine('n3');
    const power = powerCount(n3);
    await it.kubectl.apply(opOn('n3', 'endless', `${write('begun')}; trap exit TERM; while :; do sleep 1; done`));
    await waitFor(() => diary(n3).includes('begun'), { what: 'the command to run', seconds: 60 });
    await remove('endless');
    const wait = await it.kubectl.try(['wait', '--for=delete', 'nodeop/endless', '--timeout=3s']);
    expect(wait.stderr).toContain('timed out');
    await annotate('endless', 'abandon', 'true');
    await expectGone(it, 'endless', 30);
    await expectUntouched(it, 'n3');
    expect(power()).toEqual({ boots: 0, told: 0 });
  });

  test('does not wait for an agent that is silent, and that agent does not reboot the machine when it speaks again', async () => {
    forget(it);
    const n2 = it.cluster.machine('n2');
    const power = powerCount(n2);
    await it.kubectl.apply(opOn('n2', 'silent', UNTIL_GO));
    await whenEntry(it, ['nodeop', 'silent', 'n2'], entry => entry.step === 'Run');
    const thaw = freezeAgent(n2);
    try {
      go(n2);
      await whenEntry(it, ['nodeop', 'silent', 'n2'], entry => entry.step === 'Reboot');
      await remove('silent');
      await annotate('silent', 'abandon', 'true');
      await expectGone(it, 'silent', 30);
      await expectUntouched(it, 'n2');
    } finally {
      thaw();
    }
    const next = nodeOpOf('next', { ...onNode('n2'), command: ['true'], preflight: { command: ['sleep', '5'] } });
    await it.kubectl.apply(next);
    expect((await ended(it, 'nodeop', 'next')).status?.['phase']).toBe('Completed');
    expect(power()).toEqual({ boots: 0, told: 0 });
  });
});
