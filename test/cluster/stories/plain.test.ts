import { beforeAll, expect, jest, test } from '@jest/globals';
import {
  waitUntilFinished,
  nodeStatuses,
  jobsOf,
  nodeOpOf,
  listNodes,
  type Operator,
  setUpOperator,
} from './operator.js';

jest.setTimeout(600_000);

let operator: Operator;
beforeAll(async () => {
  operator = await setUpOperator(3);
});

test('a command runs on all nodes at once, finds the host at HOST_DIR, and writes its output to the logs of the Jobs', async () => {
  const before = operator.machines.map(machine => machine.bootCount());
  const command = ['sh', '-c', 'echo "host $(cat $HOST_DIR/etc/hostname) at $HOST_DIR"; sleep 5'];
  await operator.kubectl.apply(nodeOpOf('plain', { command, hostMountPath: '/the-host', concurrency: 0 }));
  await operator.kubectl.waitForObject(
    ['nodeop', 'plain'],
    object => Object.values(nodeStatuses(object)).filter(entry => entry.step === 'Run').length === 3,
    30,
  );
  const op = await waitUntilFinished(operator, 'nodeop', 'plain');
  expect(op.status).toMatchObject({ phase: 'Completed', progress: '3/3' });
  expect(Object.values(nodeStatuses(op)).map(entry => entry.rebootStatus)).toEqual(Array(3).fill('not-requested'));
  const jobs = await jobsOf(operator, 'plain');
  const logs = await Promise.all(jobs.map(job => operator.kubectl.do(['logs', `job/${job.metadata?.name}`])));
  expect(logs.map(log => log.trim()).sort()).toEqual(['n1', 'n2', 'n3'].map(name => `host ${name} at /the-host`));
  expect(operator.machines.map(machine => machine.bootCount())).toEqual(before);
  for (const node of await listNodes(operator)) expect(node.spec?.unschedulable).toBeUndefined();
});

test('a NodeOp with three faults is denied with three field paths', async () => {
  const invalid = nodeOpOf('wrong', {
    command: [],
    concurrency: -1,
    hostMountPath: 'host',
    drainOptions: { timeoutSeconds: 'soon' },
  });
  const refused = await operator.kubectl.try(['apply', '--validate=false', '-f', '-'], {
    stdin: JSON.stringify(invalid),
  });
  expect(refused.code).not.toBe(0);
  for (const path of ['spec.command', 'spec.concurrency', 'spec.hostMountPath']) expect(refused.stderr).toContain(path);
  expect(await operator.kubectl.getJson('nodeop', 'wrong')).toBeUndefined();
});

test('kubectl explain describes the fields of a NodeOp', async () => {
  const text = await operator.kubectl.do(['explain', 'nodeop.spec.drainOptions.onTimeout']);
  expect(text).toContain('fail the node');
});
