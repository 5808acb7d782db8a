import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Registry } from '../registry.js';
import {
  countBoots,
  installVersions,
  pushRelease,
  PULL_SECRET,
  SOFTWARE,
  versionTriple,
  versionIn,
} from './kairos-releases.js';
import {
  waitUntilFinished,
  nodeStatuses,
  expectNodesReleased,
  type Operator,
  setUpOperator,
  upgradeOf,
} from './operator.js';
import { eventMessages, onNode } from './node-state.js';

jest.setTimeout(600_000);

let operator: Operator;
let registry: Registry;
beforeAll(async () => {
  operator = await setUpOperator(3);
  registry = await Registry.start(operator.cluster);
  await operator.kubectl.apply(registry.secret(PULL_SECRET));
});
afterAll(async () => {
  await registry?.stop();
  await operator?.cluster.resetNodes({ version: 'v3.5.0', softwareVersion: SOFTWARE });
});

const upgrade = (name: string, image: string, spec: object = {}) =>
  operator.kubectl.apply(
    upgradeOf(name, registry.ref(image), { imagePullSecrets: [{ name: PULL_SECRET }], nodeSelector: {}, ...spec }),
  );

const cordonedNodes = async () => {
  const nodes = (await operator.kubectl.getJson('nodes'))?.items ?? [];
  return nodes.filter(node => node.spec?.unschedulable === true).map(node => node.metadata?.name);
};

describe('an upgrade of three nodes with three versions', () => {
  test('reports one node as upgraded, one as skipped, and one as fallen back, which stays cordoned', async () => {
    await installVersions(operator, { n1: 'v3.4.0', n2: 'v3.6.0' });
    await pushRelease(registry, 'kairos:v3.6.0', { base: operator.nextImage, version: 'v3.6.0' });
    operator.cluster.machine('n3').nextSlot('passive');
    const boots = countBoots(operator);
    // Both workers at once, because their order would depend on the node of the controller.
    await upgrade('mixed', 'kairos:v3.6.0', { concurrency: 2 });
    const result = await waitUntilFinished(operator, 'nodeopupgrade', 'mixed', 150);
    expect(result.status).toMatchObject({ phase: 'Failed', nodes: { total: 3, completed: 2, skipped: 1, failed: 1 } });
    const { n1, n2, n3 } = nodeStatuses(result);
    expect(n1).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
    expect(n2).toMatchObject({ phase: 'Completed', reason: 'Skipped' });
    expect(n2?.message).toContain(`node is already at ${versionTriple('v3.6.0')}`);
    expect(n3).toMatchObject({ phase: 'Failed', reason: 'FellBack' });
    expect(n3?.message).toContain(`the node came back from its passive system on ${versionTriple('v3.5.0')}`);
    expect(boots()).toEqual([1, 0, 1]);
    expect(await cordonedNodes()).toEqual(['n3']);
    await expectNodesReleased(operator);
  });

  test('fails the preflight of the node that fell back from the same image before, without disrupting it', async () => {
    await operator.kubectl.do(['uncordon', 'n3']);
    const boots = countBoots(operator);
    await upgrade('once-more', 'kairos:v3.6.0');
    const result = await waitUntilFinished(operator, 'nodeopupgrade', 'once-more', 60);
    const { n1, n2, n3 } = nodeStatuses(result);
    expect([n1?.reason, n2?.reason, n3?.reason]).toEqual(['Skipped', 'Skipped', 'PreflightFailed']);
    expect(n3?.message).toContain(`the node fell back from ${versionTriple('v3.6.0')} at `);
    expect(boots()).toEqual([0, 0, 0]);
    expect(await cordonedNodes()).toEqual([]);
    await expectNodesReleased(operator);
  });

  test('upgrades active and recovery system of the node that fell back if FallenBack is allowed', async () => {
    await upgrade('allowed', 'kairos:v3.6.0', { allow: ['FallenBack'], upgradeRecovery: true, ...onNode('n3') });
    const result = await waitUntilFinished(operator, 'nodeopupgrade', 'allowed', 90);
    expect(result.status?.phase).toBe('Completed');
    expect(await operator.cluster.machine('n3').readFile('/etc/kairos-release')).toContain('v3.6.0');
    expect(await versionIn(operator, 'n3', 'recovery')).toBe('v3.6.0');
    const recordedFallback = () => operator.kubectl.do(['get', 'nodeagent', 'n3', '-o', 'jsonpath={.status.fellBack}']);
    expect(await recordedFallback()).toBe('');
  });
});

test('an upgrade stops at the first node that falls back and names its boot state in the status', async () => {
  await pushRelease(registry, 'kairos:v3.7.0', {
    base: operator.nextImage,
    version: 'v3.7.0',
    failureMode: 'CANNOT_BOOT',
  });
  const boots = countBoots(operator);
  await upgrade('halts', 'kairos:v3.7.0');
  const result = await waitUntilFinished(operator, 'nodeopupgrade', 'halts', 120);
  expect(result.status).toMatchObject({ phase: 'Failed', nodes: { total: 3, pending: 2, failed: 1 } });
  const { n1, n2, n3 } = nodeStatuses(result);
  expect(n1).toMatchObject({ phase: 'Failed', reason: 'FellBack' });
  expect(n1?.message).toContain('passive');
  expect([n2, n3].map(entry => [entry?.phase, entry?.reason])).toEqual([
    ['Pending', 'Stopped'],
    ['Pending', 'Stopped'],
  ]);
  expect(boots()).toEqual([1, 0, 0]);
  expect(await versionIn(operator, 'n1', 'active')).toBe('v3.7.0');
  expect(await cordonedNodes()).toEqual(['n1']);
  expect(JSON.stringify(result.status?.['conditions'])).toContain('passive');
  expect((await eventMessages(operator, 'halts', 'FellBack')).join()).toContain('passive');
  await expectNodesReleased(operator);
});

describe('an upgrade that fails on a node', () => {
  let boots: () => number[];
  // Both at the same time, each on a node of its own.
  beforeAll(async () => {
    await pushRelease(registry, 'kairos:v3.8.0', { base: operator.nextImage, version: 'v3.8.0', failureMode: 'HALF' });
    await pushRelease(registry, 'kairos:v3.9.0', { base: operator.nextImage, version: 'v3.9.0', failureMode: 'HANG' });
    boots = countBoots(operator);
    await upgrade('half', 'kairos:v3.8.0', { backoffLimit: 0, ...onNode('n2') });
    await upgrade('hung', 'kairos:v3.9.0', { activeDeadlineSeconds: 4, uncordonOnFailure: true, ...onNode('n3') });
  });

  test('leaves the slots unchanged if kairos-agent dies half-way', async () => {
    const result = await waitUntilFinished(operator, 'nodeopupgrade', 'half', 90);
    expect(nodeStatuses(result)['n2']).toMatchObject({
      phase: 'Failed',
      reason: 'JobFailed',
      rebootStatus: 'cancelled',
    });
    expect(await versionIn(operator, 'n2', 'active')).toBe('v3.6.0');
  });

  test('fails with JobTimeout at activeDeadlineSeconds if kairos-agent hangs', async () => {
    // The Pod has a grace period of ten minutes, because it may be writing. The test kills the hanging process to avoid the wait.
    await operator.kubectl.waitForObject(
      ['jobs', '-l', 'kairos.io/nodeop=hung'],
      ({ items = [] }) => JSON.stringify(items[0]?.status?.['conditions'] ?? '').includes('DeadlineExceeded'),
      60,
    );
    await operator.cluster.machine('n3').exec('pkill', '-KILL', '-f', 'sleep 100000');
    const result = await waitUntilFinished(operator, 'nodeopupgrade', 'hung', 60);
    expect(nodeStatuses(result)['n3']).toMatchObject({
      phase: 'Failed',
      reason: 'JobTimeout',
      rebootStatus: 'cancelled',
    });
    expect(nodeStatuses(result)['n3']?.message).toContain('activeDeadlineSeconds');
  });

  test('does not reboot the node, and leaves it cordoned unless uncordonOnFailure is set', async () => {
    await expectNodesReleased(operator);
    expect(boots()).toEqual([0, 0, 0]);
    expect(await cordonedNodes()).toEqual(['n1', 'n2']);
  });
});
