import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Registry } from '../registry.js';
import { bootsFrom, delivered, release, SECRET, SOFTWARE, triple, versionIn } from './kairos-releases.js';
import { ended, entries, expectFree, type Operator, operator, upgradeOf } from './operator.js';
import { eventsOf, onNode } from './world.js';

jest.setTimeout(600_000);

let it: Operator;
let registry: Registry;
beforeAll(async () => {
  it = await operator(3);
  registry = await Registry.start(it.cluster);
  await it.kubectl.apply(registry.secret(SECRET));
});
afterAll(async () => {
  await registry?.stop();
  await it?.cluster.resetNodes({ version: 'v3.5.0', softwareVersion: SOFTWARE });
});

const upgrade = (name: string, image: string, spec: object = {}) =>
  it.kubectl.apply(
    upgradeOf(name, registry.ref(image), { imagePullSecrets: [{ name: SECRET }], nodeSelector: {}, ...spec }),
  );

const cordoned = async () => {
  const nodes = (await it.kubectl.getJson('nodes'))?.items ?? [];
  return nodes.filter(node => node.spec?.unschedulable === true).map(node => node.metadata?.name);
};

describe('three nodes with three versions', () => {
  test('one is upgraded, one skipped, one falls back and stays cordoned: each is told as what it is', async () => {
    await delivered(it, { n1: 'v3.4.0', n2: 'v3.6.0' });
    await release(registry, 'kairos:v3.6.0', { base: it.next, version: 'v3.6.0' });
    it.cluster.machine('n3').nextSlot('passive');
    const boots = bootsFrom(it);
    // both workers at once: in which order they would go depends on where the controller runs
    await upgrade('mixed', 'kairos:v3.6.0', { concurrency: 2 });
    const seen = await ended(it, 'nodeopupgrade', 'mixed', 150);
    expect(seen.status).toMatchObject({ phase: 'Failed', nodes: { total: 3, completed: 2, skipped: 1, failed: 1 } });
    const { n1, n2, n3 } = entries(seen);
    expect(n1).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
    expect(n2).toMatchObject({ phase: 'Completed', reason: 'Skipped' });
    expect(n2?.message).toContain(`node is already at ${triple('v3.6.0')}`);
    expect(n3).toMatchObject({ phase: 'Failed', reason: 'FellBack' });
    expect(n3?.message).toContain(`the node came back from its passive system on ${triple('v3.5.0')}`);
    expect(boots()).toEqual([1, 0, 1]);
    expect(await cordoned()).toEqual(['n3']);
    await expectFree(it);
  });

  test('another upgrade to the same image is refused by the node that fell, before it is disturbed', async () => {
    await it.kubectl.do(['uncordon', 'n3']);
    const boots = bootsFrom(it);
    await upgrade('once-more', 'kairos:v3.6.0');
    const seen = await ended(it, 'nodeopupgrade', 'once-more', 60);
    const { n1, n2, n3 } = entries(seen);
    expect([n1?.reason, n2?.reason, n3?.reason]).toEqual(['Skipped', 'Skipped', 'PreflightFailed']);
    expect(n3?.message).toContain(`the node fell back from ${triple('v3.6.0')} at `);
    expect(boots()).toEqual([0, 0, 0]);
    expect(await cordoned()).toEqual([]);
    await expectFree(it);
  });

  test('and goes through where that is allowed; recovery and active system are both written', async () => {
    await upgrade('allowed', 'kairos:v3.6.0', { allow: ['FallenBack'], upgradeRecovery: true, ...onNode('n3') });
    const seen = await ended(it, 'nodeopupgrade', 'allowed', 90);
    expect(seen.status?.phase).toBe('Completed');
    expect(await it.cluster.machine('n3').readFile('/etc/kairos-release')).toContain('v3.6.0');
    expect(await versionIn(it, 'n3', 'recovery')).toBe('v3.6.0');
    const remembered = () => it.kubectl.do(['get', 'nodeagent', 'n3', '-o', 'jsonpath={.status.fellBack}']);
    expect(await remembered()).toBe('');
  });
});

test('a fall ends the rollout: no other node is begun, and the status names the boot state', async () => {
  await release(registry, 'kairos:v3.7.0', { base: it.next, version: 'v3.7.0', mishap: 'CANNOT_BOOT' });
  const boots = bootsFrom(it);
  await upgrade('halts', 'kairos:v3.7.0');
  const seen = await ended(it, 'nodeopupgrade', 'halts', 120);
  expect(seen.status).toMatchObject({ phase: 'Failed', nodes: { total: 3, pending: 2, failed: 1 } });
  const { n1, n2, n3 } = entries(seen);
  expect(n1).toMatchObject({ phase: 'Failed', reason: 'FellBack' });
  expect(n1?.message).toContain('passive');
  expect([n2, n3].map(entry => [entry?.phase, entry?.reason])).toEqual([
    ['Pending', 'Stopped'],
    ['Pending', 'Stopped'],
  ]);
  expect(boots()).toEqual([1, 0, 0]);
  expect(await versionIn(it, 'n1', 'active')).toBe('v3.7.0');
  expect(await cordoned()).toEqual(['n1']);
  expect(JSON.stringify(seen.status?.['conditions'])).toContain('passive');
  expect((await eventsOf(it, 'halts', 'FellBack')).join()).toContain('passive');
  await expectFree(it);
});

describe('an upgrade that goes wrong on the node', () => {
  let boots: () => number[];
  // side by side, each on a node of its own
  beforeAll(async () => {
    await release(registry, 'kairos:v3.8.0', { base: it.next, version: 'v3.8.0', mishap: 'HALF' });
    await release(registry, 'kairos:v3.9.0', { base: it.next, version: 'v3.9.0', mishap: 'HANG' });
    boots = bootsFrom(it);
    await upgrade('half', 'kairos:v3.8.0', { backoffLimit: 0, ...onNode('n2') });
    await upgrade('hung', 'kairos:v3.9.0', { activeDeadlineSeconds: 4, uncordonOnFailure: true, ...onNode('n3') });
  });

  test('dies half-way: its slots are as before', async () => {
    const seen = await ended(it, 'nodeopupgrade', 'half', 90);
    expect(entries(seen)['n2']).toMatchObject({ phase: 'Failed', reason: 'JobFailed', rebootStatus: 'cancelled' });
    expect(await versionIn(it, 'n2', 'active')).toBe('v3.6.0');
  });

  test('hangs: it is ended at activeDeadlineSeconds, and said to have been', async () => {
    // a write in progress has ten minutes of grace; the hanging one is put out of its misery from outside
    await it.kubectl.waitForObject(
      ['jobs', '-l', 'kairos.io/nodeop=hung'],
      ({ items = [] }) => JSON.stringify(items[0]?.status?.['conditions'] ?? '').includes('DeadlineExceeded'),
      60,
    );
    await it.cluster.machine('n3').exec('pkill', '-KILL', '-f', 'sleep 100000');
    const seen = await ended(it, 'nodeopupgrade', 'hung', 60);
    expect(entries(seen)['n3']).toMatchObject({ phase: 'Failed', reason: 'JobTimeout', rebootStatus: 'cancelled' });
    expect(entries(seen)['n3']?.message).toContain('activeDeadlineSeconds');
  });

  test('is not rebooted; it stays cordoned unless uncordonOnFailure says otherwise', async () => {
    await expectFree(it);
    expect(boots()).toEqual([0, 0, 0]);
    expect(await cordoned()).toEqual(['n1', 'n2']);
  });
});
