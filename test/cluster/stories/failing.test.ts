import { beforeAll, expect, jest, test } from '@jest/globals';
import type { Image } from '../images.js';
import { ended, entries, expectFree, jobsOf, nodes, type Operator, operator, standIn, upgradeOf } from './operator.js';

jest.setTimeout(600_000);

let it: Operator;
let broken: Image;
beforeAll(async () => {
  broken = await standIn('v3.6.1', { fail: 3 });
  it = await operator(3, [broken]);
});

test('a wrong image name fails in the words of the kubelet, and no node is touched', async () => {
  const before = it.machines.map(machine => machine.bootCount());
  await it.kubectl.apply(upgradeOf('wrong', 'localhost/kairos:no-such-tag'));
  const upgrade = await ended(it, 'nodeopupgrade', 'wrong', 90);
  expect(upgrade.status?.phase).toBe('Failed');
  expect(upgrade.status?.message).toMatch(/localhost\/kairos:no-such-tag/);
  expect(upgrade.status?.message).toMatch(/failed to (pull|resolve)|not found|connection refused/);
  expect(await it.kubectl.getJson('nodeop', 'wrong')).toBeUndefined();
  expect(it.machines.map(machine => machine.bootCount())).toEqual(before);
  for (const node of await nodes(it)) expect(node.spec?.unschedulable).toBeUndefined();
});

test('a Job that fails leaves its node cordoned and not rebooted, with reason and log tail in the status', async () => {
  const before = it.machines.map(machine => machine.bootCount());
  await it.kubectl.apply(upgradeOf('broken', broken.ref, { backoffLimit: 0, stopOnFailure: true }));
  const upgrade = await ended(it, 'nodeopupgrade', 'broken');
  expect(upgrade.status?.phase).toBe('Failed');
  expect(entries(upgrade).n1).toMatchObject({ phase: 'Failed', reason: 'JobFailed', rebootStatus: 'cancelled' });
  expect(entries(upgrade).n1?.message).toMatch(/Job failed: .*exit code 3|Job failed: exit code 3/);
  expect(entries(upgrade).n1?.log).toBeTruthy();
  expect(entries(upgrade).n2).toMatchObject({ phase: 'Pending', reason: 'Stopped' });
  expect(it.machines.map(machine => machine.bootCount())).toEqual(before);
  const cordoned = (await nodes(it)).filter(node => node.spec?.unschedulable === true);
  expect(cordoned.map(node => node.metadata?.name)).toEqual(['n1']);
  expect(await jobsOf(it, 'broken')).toHaveLength(1);
  await expectFree(it);
});
