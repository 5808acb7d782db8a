import { beforeAll, expect, jest, test } from '@jest/globals';
import { ended, entries, jobsOf, nodeOpOf, nodes, type Operator, operator } from './operator.js';

jest.setTimeout(600_000);

let it: Operator;
beforeAll(async () => {
  it = await operator(3);
});

test('a plain command runs on all nodes at once, sees the host at HOST_DIR, and its output is in the logs of the Jobs', async () => {
  const before = it.machines.map(machine => machine.bootCount());
  const command = ['sh', '-c', 'echo "host $(cat $HOST_DIR/etc/hostname) at $HOST_DIR"; sleep 5'];
  await it.kubectl.apply(nodeOpOf('plain', { command, hostMountPath: '/the-host', concurrency: 0 }));
  await it.kubectl.waitForObject(
    ['nodeop', 'plain'],
    object => Object.values(entries(object)).filter(entry => entry.step === 'Run').length === 3,
    30,
  );
  const op = await ended(it, 'nodeop', 'plain');
  expect(op.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
  expect(Object.values(entries(op)).map(entry => entry.rebootStatus)).toEqual(Array(3).fill('not-requested'));
  const jobs = await jobsOf(it, 'plain');
  const logs = await Promise.all(jobs.map(job => it.kubectl.do(['logs', `job/${job.metadata?.name}`])));
  expect(logs.map(log => log.trim()).sort()).toEqual(['n1', 'n2', 'n3'].map(name => `host ${name} at /the-host`));
  expect(it.machines.map(machine => machine.bootCount())).toEqual(before);
  for (const node of await nodes(it)) expect(node.spec?.unschedulable).toBeUndefined();
});

test('a NodeOp with three mistakes is refused with three field paths', async () => {
  const wrong = nodeOpOf('wrong', {
    command: [],
    concurrency: -1,
    hostMountPath: 'host',
    drainOptions: { timeoutSeconds: 'soon' },
  });
  const refused = await it.kubectl.try(['apply', '--validate=false', '-f', '-'], { stdin: JSON.stringify(wrong) });
  expect(refused.code).not.toBe(0);
  for (const path of ['spec.command', 'spec.concurrency', 'spec.hostMountPath']) expect(refused.stderr).toContain(path);
  expect(await it.kubectl.getJson('nodeop', 'wrong')).toBeUndefined();
});

test('explain speaks of every field', async () => {
  const text = await it.kubectl.do(['explain', 'nodeop.spec.drainOptions.onTimeout']);
  expect(text).toContain('fail the node');
});
