import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Json } from '../kubectl.js';
import { Registry } from '../registry.js';
import { bootsFrom, podsDuring, release, SECRET, SOFTWARE, triple } from './kairos-releases.js';
import { ended, entries, expectFree, jobsOf, type Operator, operator, upgradeOf } from './operator.js';
import { eventsOf, expectUntouched, onNode, whenEntry } from './world.js';

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

const NODES = ['n1', 'n2', 'n3'];
const known = { imagePullSecrets: [{ name: SECRET }] };
const controlPlanes = {
  nodeSelector: { matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }] },
};
const recovery = { upgradeActive: false, upgradeRecovery: true };

const running = (node: string) => it.cluster.machine(node).readFile('/etc/kairos-release');

describe('control planes first, then all nodes', () => {
  let digest: string;

  test('a selector reaches the control plane alone', async () => {
    digest = await release(registry, 'kairos:stable', { base: it.next, version: 'v3.6.0' });
    const boots = bootsFrom(it);
    await it.kubectl.apply(upgradeOf('planes', registry.ref('kairos:stable'), { ...known, ...controlPlanes }));
    const seen = await ended(it, 'nodeopupgrade', 'planes', 90);
    expect(seen.status).toMatchObject({ phase: 'Completed', target: { version: triple('v3.6.0'), digest } });
    expect(Object.keys(entries(seen))).toEqual(['n1']);
    expect(boots()).toEqual([1, 0, 0]);
    await expectFree(it);
  });

  test('which is left alone by the cluster-wide upgrade; a tag that moves meanwhile changes nothing for the last node', async () => {
    const boots = bootsFrom(it);
    await it.kubectl.apply(upgradeOf('all', registry.ref('kairos:stable'), known));
    const begunWorkers = (seen: Json | undefined) =>
      ['n2', 'n3'].filter(node => entries(seen)[node]?.startedAt !== undefined);
    await it.kubectl.waitForObject(['nodeopupgrade', 'all'], seen => begunWorkers(seen).length > 0);
    const moved = await release(registry, 'kairos:stable', { base: it.next, version: 'v3.6.9' });
    expect(moved).not.toBe(digest);
    expect(begunWorkers(await it.kubectl.getJson('nodeopupgrade', 'all'))).toHaveLength(1);
    const seen = await ended(it, 'nodeopupgrade', 'all', 120);
    expect(seen.status?.phase).toBe('Completed');
    expect(entries(seen)['n1']).toMatchObject({ phase: 'Completed', reason: 'Skipped' });
    expect(boots()).toEqual([0, 1, 1]);
    for (const node of NODES) expect(await running(node)).toContain('KAIROS_VERSION="v3.6.0"');
    expect(imagesOf(await jobsOf(it, 'all'))).toEqual(new Set([`${registry.ref('kairos')}@${digest}`]));
    await expectFree(it);
  });

  const imagesOf = (jobs: readonly object[]) =>
    new Set([...JSON.stringify(jobs).matchAll(/"image":"([^"]*)"/g)].map(([, image]) => image).filter(isKairos));
  const isKairos = (image: string | undefined) => image?.includes('/kairos@') || image?.includes('/kairos:');
});

/** The first bytes of a program for another CPU: enough for a kernel to refuse it. */
const foreignProgram = () => {
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16); // a program
  header.writeUInt16LE(0xb7, 18); // for arm64
  return header;
};

describe('the image is read before any node is touched', () => {
  const hidden = { imagePullSecrets: [{ name: 'no-such-secret' }] };
  const readOn = { ...onNode('n1'), paused: true };
  const byHand = (name: string, spec: object) =>
    it.kubectl.apply(upgradeOf(name, registry.ref(`${name}:v3.6.0`), { ...readOn, ...spec }));

  let boots: () => number[];
  // all at once: three tries of a kubelet take half a minute
  beforeAll(async () => {
    boots = bootsFrom(it);
    const base = it.next;
    const files = (text: string) => ({ 'etc/kairos-release': '', 'etc/os-release': text });
    await release(registry, 'stranger:v3.6.0', { base, version: 'v3.6.0' });
    await release(registry, 'wrong-secret:v3.6.0', { base, version: 'v3.6.0' });
    await registry.push('other-cpu:v3.6.0', base, { onlyFor: 'arm64' });
    await registry.push('other-program:v3.6.0', base, { programs: { 'bin/sh': foreignProgram() } });
    await registry.push('no-shell:v3.6.0', base, { bare: true, files: files('KAIROS_VERSION="v9"\n') });
    await registry.push('os-release:v3.6.0', base, { files: files('ID=kairos\nKAIROS_VERSION="v3.6.0"\n') });
    await registry.push('no-release:v3.6.0', base, { files: files('ID=debian\n') });
    await byHand('stranger', {});
    await byHand('wrong-secret', hidden);
    for (const name of ['other-cpu', 'other-program', 'no-shell', 'os-release', 'no-release'])
      await byHand(name, known);
  });

  test('with a secret, however long that takes, and pulled where it is not before the cordon', async () => {
    await release(registry, 'slow/kairos:v3.6.0', { base: it.next, version: 'v3.6.0' });
    registry.delaySeconds = 14;
    const limits = { ...recovery, startDeadlineSeconds: 10, ...onNode('n2', 'n3') };
    await it.kubectl.apply(upgradeOf('slow', registry.slowRef('slow/kairos:v3.6.0'), { ...known, ...limits }));
    const story = async () => {
      await it.kubectl.waitForObject(
        ['nodeopupgrade', 'slow'],
        ({ status }) => String(status?.['message']).includes('is being pulled on node n2'),
        30,
      );
      await expectUntouched(it, ...NODES);
      const pulling = await whenEntry(it, ['nodeopupgrade', 'slow', 'n3'], entry => entry.step === 'Pull');
      expect(entries(pulling)['n3']?.message).toContain('pulling image');
      const n3 = await it.kubectl.getJson('node', 'n3');
      expect(n3?.spec?.unschedulable).toBeUndefined();
      return await ended(it, 'nodeopupgrade', 'slow', 120);
    };
    const { value: seen, pods } = await podsDuring(it, 'slow-', story());
    expect(seen.status).toMatchObject({ phase: 'Completed', nodes: { completed: 2 } });
    const kinds = [...pods.keys()].map(name => /probe|pull/.exec(name)?.[0] ?? 'job');
    expect(new Set(kinds)).toEqual(new Set(['probe', 'pull', 'job']));
    for (const spec of pods.values()) expect(spec['imagePullSecrets']).toEqual([{ name: SECRET }]);
    await expectFree(it);
  });

  test.each([
    ['no secret', 'stranger', /no basic auth credentials|401 Unauthorized|authorization failed/],
    ['a secret that does not exist', 'wrong-secret', /no basic auth credentials|401 Unauthorized|authorization failed/],
    ['no image for the CPU of the node', 'other-cpu', /no match for platform in manifest/],
    [
      'an image with programs of another CPU',
      'other-program',
      /is for another CPU than node n1 has.*exec format error/,
    ],
  ])('with %s the upgrade fails in the words of whoever knows', async (_what, name, words) => {
    const seen = await ended(it, 'nodeopupgrade', name, 90);
    expect(seen.status?.phase).toBe('Failed');
    expect(seen.status?.['message']).toMatch(words);
    expect(await it.kubectl.getJson('nodeop', name)).toBeUndefined();
  });

  test.each([
    ['no shell', 'no-shell', undefined],
    ['an os-release alone', 'os-release', 'v3.6.0'],
    ['no release file of Kairos', 'no-release', undefined],
  ])('an image with %s is gone on with', async (_what, name, version) => {
    const seen = await it.kubectl.waitForObject(
      ['nodeopupgrade', name],
      ({ status }) => status?.['nodeOpName'] === name,
    );
    const target = seen.status?.['target'] as { version?: string; digest?: string };
    expect(target.version).toBe(version);
    expect(target.digest).toMatch(/^sha256:/);
    const warned = (await eventsOf(it, name, 'Probing')).join();
    expect(warned.includes('does not state its Kairos version')).toBe(version === undefined);
  });

  test('and all this time no node is touched', async () => {
    await expectUntouched(it, ...NODES);
    expect(boots()).toEqual([0, 0, 0]);
  });
});
