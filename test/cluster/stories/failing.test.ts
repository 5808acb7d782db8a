import { beforeAll, expect, jest, test } from '@jest/globals';
import type { Image } from '../images.js';
import type { Json } from '../kubectl.js';
import {
  waitUntilFinished,
  nodeStatuses,
  expectNodesReleased,
  jobsOf,
  listNodes,
  type Operator,
  setUpOperator,
  standInImage,
  upgradeOf,
} from './operator.js';

jest.setTimeout(600_000);

let operator: Operator;
let broken: Image;
beforeAll(async () => {
  broken = await standInImage('v3.6.1', { fail: 3 });
  operator = await setUpOperator(3, [broken]);
});

/** Runs `work` while a server on every node's localhost responds to every request with 404, like a registry without the image. */
async function withEmptyRegistry(work: () => Promise<void>): Promise<void> {
  await Promise.all(
    operator.machines.map(machine => machine.exec('busybox', 'httpd', '-p', '127.0.0.1:80', '-h', '/tmp')),
  );
  try {
    await work();
  } finally {
    await Promise.all(operator.machines.map(machine => machine.exec('pkill', '-f', 'busybox httpd')));
  }
}

const expectNoDisruption = async (before: number[]) => {
  expect(operator.machines.map(machine => machine.bootCount())).toEqual(before);
  for (const node of await listNodes(operator)) expect(node.spec?.unschedulable).toBeUndefined();
};

test.each([
  ['a missing tag', 'missing-tag', 'localhost/kairos:no-such-tag', /localhost\/kairos:no-such-tag: not found/],
  [
    'an invalid image name',
    'invalid-name',
    'localhost/KAIROS:no',
    /[Ii]nvalid ?[Ii]mage ?[Nn]ame|couldn't parse image|invalid reference format/,
  ],
])(
  'an upgrade with %s fails with the message of the kubelet and disrupts no node',
  async (_what, name, image, message) => {
    const before = operator.machines.map(machine => machine.bootCount());
    await withEmptyRegistry(async () => {
      await operator.kubectl.apply(upgradeOf(name, image));
      const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', name, 90);
      expect(upgrade.status?.phase).toBe('Failed');
      expect(upgrade.status?.message).toMatch(message);
      expect(await operator.kubectl.getJson('nodeop', name)).toBeUndefined();
      await expectNoDisruption(before);
    });
  },
);

test('an operation in a namespace that forbids privileged Pods fails with the message of the admission before the start deadline and disrupts no node', async () => {
  const before = operator.machines.map(machine => machine.bootCount());
  const labels = { 'pod-security.kubernetes.io/enforce': 'baseline' };
  await operator.kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'strict', labels } });
  const metadata = { name: 'refused', namespace: 'strict' };
  const spec = { command: ['true'], cordon: true, concurrency: 1, startDeadlineSeconds: 25 };
  await operator.kubectl.apply({ apiVersion: 'operator.kairos.io/v1alpha1', kind: 'NodeOp', metadata, spec });
  const hasFailed = ({ status }: Json) => status?.phase === 'Failed';
  const op = await operator.kubectl.waitForObject(['nodeop', 'refused', '-n', 'strict'], hasFailed, 60);
  for (const entry of Object.values(nodeStatuses(op))) {
    expect(entry).toMatchObject({ phase: 'Failed', reason: 'PodRefused' });
    expect(entry.message).toContain('violates PodSecurity "baseline:latest"');
  }
  await expectNoDisruption(before);
});

test('an upgrade whose Job fails leaves the node cordoned without a reboot, with reason and log in the status', async () => {
  const before = operator.machines.map(machine => machine.bootCount());
  await operator.kubectl.apply(upgradeOf('broken', broken.ref, { backoffLimit: 0, stopOnFailure: true }));
  const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', 'broken');
  expect(upgrade.status?.phase).toBe('Failed');
  expect(nodeStatuses(upgrade).n1).toMatchObject({ phase: 'Failed', reason: 'JobFailed', rebootStatus: 'cancelled' });
  expect(nodeStatuses(upgrade).n1).toMatchObject({ message: 'Job failed', exitCode: 3 });
  expect(nodeStatuses(upgrade).n1?.log).toBeTruthy();
  expect(nodeStatuses(upgrade).n2).toMatchObject({ phase: 'Pending', reason: 'Stopped' });
  expect(operator.machines.map(machine => machine.bootCount())).toEqual(before);
  const cordoned = (await listNodes(operator)).filter(node => node.spec?.unschedulable === true);
  expect(cordoned.map(node => node.metadata?.name)).toEqual(['n1']);
  expect(await jobsOf(operator, 'broken')).toHaveLength(1);
  await expectNodesReleased(operator);
});
