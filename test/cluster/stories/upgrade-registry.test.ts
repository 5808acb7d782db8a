import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Registry } from '../registry.js';
import { bootsFrom, podsDuring, release, SECRET, SOFTWARE, triple, versionIn } from './kairos-releases.js';
import { ended, entries, expectFree, jobsOf, type Operator, operator, upgradeOf } from './operator.js';
import { expectUntouched, onNode, whenEntry } from './world.js';

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
    await whenEntry(it, ['nodeopupgrade', 'all', 'n2'], entry => entry.startedAt !== undefined);
    const moved = await release(registry, 'kairos:stable', { base: it.next, version: 'v3.6.9' });
    expect(moved).not.toBe(digest);
    const before = entries(await it.kubectl.getJson('nodeopupgrade', 'all'));
    expect(before['n3']?.startedAt).toBeUndefined();
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

describe('the recovery system alone', () => {
  test('is written without a reboot, though the active one is at that version already', async () => {
    await release(registry, 'kairos:v3.6.0', { base: it.next, version: 'v3.6.0' });
    const boots = bootsFrom(it);
    const image = registry.ref('kairos:v3.6.0');
    const wish = { ...known, ...recovery, concurrency: 0, debug: true, excludePaths: ['/opt/two words', "/opt/it's"] };
    const asked = { ...upgradeOf('', image, wish), metadata: { generateName: 'rescue-', namespace: 'default' } };
    const said = await it.kubectl.do(['create', '-f', '-', '-o', 'name'], { stdin: JSON.stringify(asked) });
    const name = said.trim().split('/')[1] ?? '';
    const seen = await ended(it, 'nodeopupgrade', name, 90);
    expect(seen.status).toMatchObject({ phase: 'Completed', nodes: { completed: 3 } });
    for (const node of NODES) {
      expect(entries(seen)[node]).toMatchObject({ phase: 'Completed', rebootStatus: 'not-requested' });
      expect(entries(seen)[node]?.reason).not.toBe('Skipped');
      expect(await versionIn(it, node, 'recovery')).toBe('v3.6.0');
    }
    expect(boots()).toEqual([0, 0, 0]);
    const [job] = await jobsOf(it, name);
    const log = await it.kubectl.do(['logs', `job/${job?.metadata?.name}`]);
    expect(log).toContain("recovery from dir:/, without /etc/hostname /etc/hosts /opt/two words /opt/it's\n");
    expect(log).toContain('debug output on');
    await expectUntouched(it, ...NODES);
  });

  test('or at least one of the two: an upgrade of neither is not let in', async () => {
    const wish = JSON.stringify(upgradeOf('nothing', 'kairos:1', { upgradeActive: false, upgradeRecovery: false }));
    const { code, stderr } = await it.kubectl.try(['apply', '-f', '-'], { stdin: wish });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/upgradeActive/);
    expect(await it.kubectl.getJson('nodeopupgrade', 'nothing')).toBeUndefined();
  });
});

describe('a registry that asks who is there', () => {
  test('without a secret the upgrade fails in the words of the kubelet, before any node is touched', async () => {
    await release(registry, 'private/kairos:v3.6.0', { base: it.next, version: 'v3.6.0' });
    const boots = bootsFrom(it);
    await it.kubectl.apply(upgradeOf('stranger', registry.ref('private/kairos:v3.6.0')));
    const seen = await ended(it, 'nodeopupgrade', 'stranger', 90);
    expect(seen.status?.phase).toBe('Failed');
    expect(seen.status?.['message']).toMatch(/no basic auth credentials|401 Unauthorized|authorization failed/);
    expect(await it.kubectl.getJson('nodeop', 'stranger')).toBeUndefined();
    expect(boots()).toEqual([0, 0, 0]);
    await expectUntouched(it, ...NODES);
  });

  test('with it the upgrade goes through, though pulls take longer than any start may, and its nodes work on meanwhile', async () => {
    await release(registry, 'slow/kairos:v3.6.0', { base: it.next, version: 'v3.6.0' });
    registry.delaySeconds = 12;
    const limits = { ...recovery, startDeadlineSeconds: 5, ...onNode('n2', 'n3') };
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
    const { value: seen, pods } = await podsDuring(it, story());
    expect(seen.status).toMatchObject({ phase: 'Completed', nodes: { completed: 2 } });
    const kinds = [...pods.keys()].map(name => /probe|pull/.exec(name)?.[0] ?? 'job');
    expect(new Set(kinds)).toEqual(new Set(['probe', 'pull', 'job']));
    for (const spec of pods.values()) expect(spec['imagePullSecrets']).toEqual([{ name: SECRET }]);
    for (const node of ['n2', 'n3']) expect(entries(seen)[node]?.phase).toBe('Completed');
    await expectFree(it);
  });
});
