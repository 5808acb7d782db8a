import { beforeAll, expect, jest, test } from '@jest/globals';
import type { Image } from '../images.js';
import type { Json } from '../kubectl.js';
import { ended, entries, expectFree, jobsOf, nodes, type Operator, operator, standIn, upgradeOf } from './operator.js';

jest.setTimeout(600_000);

let it: Operator;
let broken: Image;
beforeAll(async () => {
  broken = await standIn('v3.6.1', { fail: 3 });
  it = await operator(3, [broken]);
});

/** Answers 404 to everything, on every node's own `localhost`: a registry that does not know the image. */
async function withEmptyRegistry(work: () => Promise<void>): Promise<void> {
  await Promise.all(it.machines.map(machine => machine.exec('busybox', 'httpd', '-p', '127.0.0.1:80', '-h', '/tmp')));
  try {
    await work();
  } finally {
    await Promise.all(it.machines.map(machine => machine.exec('pkill', '-f', 'busybox httpd')));
  }
}

const untouched = async (before: number[]) => {
  expect(it.machines.map(machine => machine.bootCount())).toEqual(before);
  for (const node of await nodes(it)) expect(node.spec?.unschedulable).toBeUndefined();
};

test.each([
  ['wrong', 'localhost/kairos:no-such-tag', /localhost\/kairos:no-such-tag: not found/],
  ['none', 'localhost/KAIROS:no', /[Ii]nvalid ?[Ii]mage ?[Nn]ame|couldn't parse image|invalid reference format/],
])('a %s image name fails in the words of the kubelet, and no node is touched', async (name, image, words) => {
  const before = it.machines.map(machine => machine.bootCount());
  await withEmptyRegistry(async () => {
    await it.kubectl.apply(upgradeOf(name, image));
    const upgrade = await ended(it, 'nodeopupgrade', name, 90);
    expect(upgrade.status?.phase).toBe('Failed');
    expect(upgrade.status?.message).toMatch(words);
    expect(await it.kubectl.getJson('nodeop', name)).toBeUndefined();
    await untouched(before);
  });
});

test('a namespace that is against privileged Pods ends the wish in its own words and in time, and no node is touched', async () => {
  const before = it.machines.map(machine => machine.bootCount());
  const labels = { 'pod-security.kubernetes.io/enforce': 'baseline' };
  await it.kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'strict', labels } });
  const metadata = { name: 'refused', namespace: 'strict' };
  const spec = { command: ['true'], cordon: true, concurrency: 1, startDeadlineSeconds: 25 };
  await it.kubectl.apply({ apiVersion: 'operator.kairos.io/v1alpha1', kind: 'NodeOp', metadata, spec });
  const isOver = ({ status }: Json) => status?.phase === 'Failed';
  const op = await it.kubectl.waitForObject(['nodeop', 'refused', '-n', 'strict'], isOver, 60);
  for (const entry of Object.values(entries(op))) {
    expect(entry).toMatchObject({ phase: 'Failed', reason: 'PodRefused' });
    expect(entry.message).toContain('violates PodSecurity "baseline:latest"');
  }
  await untouched(before);
});

test('a Job that fails leaves its node cordoned and not rebooted, with reason and log tail in the status', async () => {
  const before = it.machines.map(machine => machine.bootCount());
  await it.kubectl.apply(upgradeOf('broken', broken.ref, { backoffLimit: 0, stopOnFailure: true }));
  const upgrade = await ended(it, 'nodeopupgrade', 'broken');
  expect(upgrade.status?.phase).toBe('Failed');
  expect(entries(upgrade).n1).toMatchObject({ phase: 'Failed', reason: 'JobFailed', rebootStatus: 'cancelled' });
  expect(entries(upgrade).n1).toMatchObject({ message: 'Job failed', exitCode: 3 });
  expect(entries(upgrade).n1?.log).toBeTruthy();
  expect(entries(upgrade).n2).toMatchObject({ phase: 'Pending', reason: 'Stopped' });
  expect(it.machines.map(machine => machine.bootCount())).toEqual(before);
  const cordoned = (await nodes(it)).filter(node => node.spec?.unschedulable === true);
  expect(cordoned.map(node => node.metadata?.name)).toEqual(['n1']);
  expect(await jobsOf(it, 'broken')).toHaveLength(1);
  await expectFree(it);
});
