import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Json } from '../kubectl.js';
import { Registry } from '../registry.js';
import { countBoots, podsDuring, pushRelease, PULL_SECRET, SOFTWARE, versionTriple } from './kairos-releases.js';
import {
  waitUntilFinished,
  nodeStatuses,
  expectNodesReleased,
  jobsOf,
  type Operator,
  setUpOperator,
  upgradeOf,
} from './operator.js';
import { eventMessages, expectClean, onNode, waitForNodeStatus } from './node-state.js';

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

const NODES = ['n1', 'n2', 'n3'];
const withSecret = { imagePullSecrets: [{ name: PULL_SECRET }] };
const controlPlanes = {
  nodeSelector: { matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }] },
};
const recovery = { upgradeActive: false, upgradeRecovery: true };

const releaseFileOf = (node: string) => operator.cluster.machine(node).readFile('/etc/kairos-release');

describe('an upgrade of the control plane followed by one of all nodes', () => {
  let digest: string;

  test('upgrades only the control plane when nodeSelector selects it', async () => {
    digest = await pushRelease(registry, 'kairos:stable', { base: operator.nextImage, version: 'v3.6.0' });
    const boots = countBoots(operator);
    await operator.kubectl.apply(
      upgradeOf('planes', registry.ref('kairos:stable'), { ...withSecret, ...controlPlanes }),
    );
    const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', 'planes', 90);
    expect(upgrade.status).toMatchObject({ phase: 'Completed', target: { version: versionTriple('v3.6.0'), digest } });
    expect(Object.keys(nodeStatuses(upgrade))).toEqual(['n1']);
    expect(boots()).toEqual([1, 0, 0]);
    await expectNodesReleased(operator);
  });

  test('skips the upgraded control plane, and upgrades the last node to the same digest although the tag moved in the meantime', async () => {
    const boots = countBoots(operator);
    await operator.kubectl.apply(upgradeOf('all', registry.ref('kairos:stable'), withSecret));
    const startedWorkers = (upgrade: Json | undefined) =>
      ['n2', 'n3'].filter(node => nodeStatuses(upgrade)[node]?.startedAt !== undefined);
    await operator.kubectl.waitForObject(['nodeopupgrade', 'all'], upgrade => startedWorkers(upgrade).length > 0);
    const moved = await pushRelease(registry, 'kairos:stable', { base: operator.nextImage, version: 'v3.6.9' });
    expect(moved).not.toBe(digest);
    expect(startedWorkers(await operator.kubectl.getJson('nodeopupgrade', 'all'))).toHaveLength(1);
    const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', 'all', 120);
    expect(upgrade.status?.phase).toBe('Completed');
    expect(nodeStatuses(upgrade)['n1']).toMatchObject({ phase: 'Completed', reason: 'Skipped' });
    expect(boots()).toEqual([0, 1, 1]);
    for (const node of NODES) expect(await releaseFileOf(node)).toContain('KAIROS_VERSION="v3.6.0"');
    expect(imagesOf(await jobsOf(operator, 'all'))).toEqual(new Set([`${registry.ref('kairos')}@${digest}`]));
    await expectNodesReleased(operator);
  });

  const imagesOf = (jobs: readonly object[]) =>
    new Set([...JSON.stringify(jobs).matchAll(/"image":"([^"]*)"/g)].map(([, image]) => image).filter(isKairos));
  const isKairos = (image: string | undefined) => image?.includes('/kairos@') || image?.includes('/kairos:');
});

/** The ELF header of a program for another CPU, which the kernel refuses to execute. */
const foreignProgram = () => {
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(0xb7, 18); // EM_AARCH64
  return header;
};

describe('the image of an upgrade, before any node is disrupted', () => {
  const missingSecret = { imagePullSecrets: [{ name: 'no-such-secret' }] };
  const pausedOnN1 = { ...onNode('n1'), paused: true };
  const applyUpgrade = (name: string, spec: object) =>
    operator.kubectl.apply(upgradeOf(name, registry.ref(`${name}:v3.6.0`), { ...pausedOnN1, ...spec }));

  let boots: () => number[];
  // All at once, because three attempts of a kubelet take half a minute.
  beforeAll(async () => {
    boots = countBoots(operator);
    const base = operator.nextImage;
    const files = (text: string) => ({ 'etc/kairos-release': '', 'etc/os-release': text });
    await pushRelease(registry, 'no-secret:v3.6.0', { base, version: 'v3.6.0' });
    await pushRelease(registry, 'wrong-secret:v3.6.0', { base, version: 'v3.6.0' });
    await registry.push('other-cpu:v3.6.0', base, { onlyFor: 'arm64' });
    await registry.push('other-program:v3.6.0', base, { programs: { 'bin/sh': foreignProgram() } });
    await registry.push('no-shell:v3.6.0', base, { bare: true, files: files('KAIROS_VERSION="v9"\n') });
    await registry.push('os-release:v3.6.0', base, { files: files('ID=kairos\nKAIROS_VERSION="v3.6.0"\n') });
    await registry.push('no-release:v3.6.0', base, { files: files('ID=debian\n') });
    await applyUpgrade('no-secret', {});
    await applyUpgrade('wrong-secret', missingSecret);
    for (const name of ['other-cpu', 'other-program', 'no-shell', 'os-release', 'no-release'])
      await applyUpgrade(name, withSecret);
  });

  test('is read with the pull secret despite a slow registry, and pulled before the cordon on nodes that do not have it', async () => {
    await pushRelease(registry, 'slow/kairos:v3.6.0', { base: operator.nextImage, version: 'v3.6.0' });
    registry.delaySeconds = 14;
    const limits = { ...recovery, startDeadlineSeconds: 10, ...onNode('n2', 'n3') };
    await operator.kubectl.apply(
      upgradeOf('slow', registry.slowRef('slow/kairos:v3.6.0'), { ...withSecret, ...limits }),
    );
    const runUpgrade = async () => {
      await operator.kubectl.waitForObject(
        ['nodeopupgrade', 'slow'],
        ({ status }) => String(status?.['message']).includes('is being pulled on node n2'),
        30,
      );
      await expectClean(operator, ...NODES);
      const pulling = await waitForNodeStatus(
        operator,
        ['nodeopupgrade', 'slow', 'n3'],
        entry => entry.step === 'Pull',
      );
      expect(nodeStatuses(pulling)['n3']?.message).toContain('pulling image');
      const n3 = await operator.kubectl.getJson('node', 'n3');
      expect(n3?.spec?.unschedulable).toBeUndefined();
      return await waitUntilFinished(operator, 'nodeopupgrade', 'slow', 120);
    };
    const { value: upgrade, pods } = await podsDuring(operator, 'slow-', runUpgrade());
    expect(upgrade.status).toMatchObject({ phase: 'Completed', nodes: { completed: 2 } });
    const kinds = [...pods.keys()].map(name => /probe|pull/.exec(name)?.[0] ?? 'job');
    expect(new Set(kinds)).toEqual(new Set(['probe', 'pull', 'job']));
    for (const spec of pods.values()) expect(spec['imagePullSecrets']).toEqual([{ name: PULL_SECRET }]);
    await expectNodesReleased(operator);
  });

  test.each([
    ['no pull secret', 'no-secret', /no basic auth credentials|401 Unauthorized|authorization failed/],
    [
      'a pull secret that does not exist',
      'wrong-secret',
      /no basic auth credentials|401 Unauthorized|authorization failed/,
    ],
    ['no manifest for the CPU of the node', 'other-cpu', /no match for platform in manifest/],
    ['programs for another CPU', 'other-program', /is for another CPU than node n1 has.*exec format error/],
  ])(
    'fails the upgrade with the message of the registry, kubelet or kernel if it has %s',
    async (_what, name, message) => {
      const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', name, 90);
      expect(upgrade.status?.phase).toBe('Failed');
      expect(upgrade.status?.['message']).toMatch(message);
      expect(await operator.kubectl.getJson('nodeop', name)).toBeUndefined();
    },
  );

  test.each([
    ['no shell', 'no-shell', undefined],
    ['only an os-release file', 'os-release', 'v3.6.0'],
    ['no Kairos release file', 'no-release', undefined],
  ])('is accepted for an upgrade although it has %s', async (_what, name, version) => {
    const upgrade = await operator.kubectl.waitForObject(
      ['nodeopupgrade', name],
      ({ status }) => status?.['nodeOpName'] === name,
    );
    const target = upgrade.status?.['target'] as { version?: string; digest?: string };
    expect(target.version).toBe(version);
    expect(target.digest).toMatch(/^sha256:/);
    const warnings = (await eventMessages(operator, name, 'Probing')).join();
    expect(warnings.includes('does not state its Kairos version')).toBe(version === undefined);
  });

  test('causes no claim, cordon or reboot on any node while it is read', async () => {
    await expectClean(operator, ...NODES);
    expect(boots()).toEqual([0, 0, 0]);
  });
});
