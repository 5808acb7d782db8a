import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Registry } from '../registry.js';
import { bootsFrom, release, SECRET, versionIn } from './kairos-releases.js';
import { ended, entries, jobsOf, nodeOpOf, type Operator, operator, upgradeOf } from './operator.js';
import { eventsOf, expectUntouched, onNode } from './world.js';

jest.setTimeout(600_000);

let it: Operator;
let registry: Registry;
let boots: () => number[];
beforeAll(async () => {
  it = await operator(3);
  registry = await Registry.start(it.cluster);
  await it.kubectl.apply(registry.secret(SECRET));
  boots = bootsFrom(it);
});
afterAll(async () => await registry?.stop());

const NODES = ['n1', 'n2', 'n3'];
const recovery = { upgradeActive: false, upgradeRecovery: true };
const upgrade = (name: string, image: string, spec: object = {}) =>
  upgradeOf(name, registry.ref(image), { imagePullSecrets: [{ name: SECRET }], ...recovery, ...spec });

/** Applies an upgrade that is to have no name of its own yet, and returns the one it got. */
async function generated(image: string, spec: object): Promise<string> {
  const nodeOp = { ...upgrade('', image, spec), metadata: { generateName: 'rescue-', namespace: 'default' } };
  const said = await it.kubectl.do(['create', '-f', '-', '-o', 'name'], { stdin: JSON.stringify(nodeOp) });
  return said.trim().split('/')[1] ?? '';
}

describe('the recovery system alone', () => {
  let name: string;

  test('is written without a reboot, though the active one is at that version already', async () => {
    await release(registry, 'kairos:v3.5.0', { base: it.next, version: 'v3.5.0', says: { RELEASE: 'rebuilt' } });
    const paths = ['/opt/two words', "/opt/it's", '/opt/$(reboot)'];
    name = await generated('kairos:v3.5.0', { concurrency: 0, debug: true, excludePaths: paths });
    const seen = await ended(it, 'nodeopupgrade', name, 90);
    expect(seen.status).toMatchObject({ phase: 'Completed', nodes: { completed: 3, skipped: 0 } });
    for (const node of NODES) {
      expect(entries(seen)[node]).toMatchObject({ phase: 'Completed', rebootStatus: 'not-requested' });
      const slot = await it.cluster.machine(node).readFile('/run/initramfs/cos-state/recovery/etc/kairos-release');
      expect(slot).toContain('rebuilt');
    }
    await expectUntouched(it, ...NODES);
  });

  test('in detail, without the paths that are left out, however they are spelled', async () => {
    const [job] = await jobsOf(it, name);
    const log = await it.kubectl.do(['logs', `job/${job?.metadata?.name}`]);
    expect(log).toContain(
      "recovery from dir:/, without /etc/hostname /etc/hosts /opt/two words /opt/it's /opt/$(reboot)\n",
    );
    expect(log).toContain('debug output on');
  });

  test('or at least one of the two: an upgrade of neither is not let in', async () => {
    const nodeOp = JSON.stringify(upgrade('nothing', 'kairos:v3.5.0', { upgradeRecovery: false }));
    const { code, stderr } = await it.kubectl.try(['apply', '-f', '-'], { stdin: nodeOp });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/must be true when upgradeActive is false: there would be nothing to do/);
    expect(await it.kubectl.getJson('nodeopupgrade', 'nothing')).toBeUndefined();
  });
});

describe('a system that is not for this node', () => {
  test('is refused for another CPU, and taken where that is allowed, with a warning of what else is odd', async () => {
    const says = { FLAVOR: 'alpine', MODEL: 'rpi4' };
    await release(registry, 'odd:v3.4.0', { base: it.next, version: 'v3.4.0', arch: 'arm64', says });
    await it.kubectl.apply([
      upgrade('odd', 'odd:v3.4.0', onNode('n2')),
      upgrade('odd-allowed', 'odd:v3.4.0', { allow: ['Architecture'], ...onNode('n3') }),
    ]);
    const refused = entries(await ended(it, 'nodeopupgrade', 'odd', 60))['n2'];
    expect(refused).toMatchObject({ phase: 'Failed', reason: 'PreflightFailed' });
    expect(refused?.message).toContain('the image is for arm64, the node is amd64');
    expect((await ended(it, 'nodeopupgrade', 'odd-allowed', 60)).status?.phase).toBe('Completed');
    expect(await versionIn(it, 'n2', 'recovery')).toBe('v3.5.0');
    expect(await versionIn(it, 'n3', 'recovery')).toBe('v3.4.0');
    const warned = (await eventsOf(it, 'odd-allowed', 'PreflightWarning')).join();
    expect(warned).toMatch(/downgrade: the image has v3\.4\.0/);
    expect(warned).toMatch(/flavor alpine, the node debian/);
    expect(warned).toMatch(/model rpi4, the node generic/);
  });

  test('is refused for its Kubernetes where no control plane is that new, but not by the control plane', async () => {
    const softwareVersion = 'v1.99.1+k3s1';
    await release(registry, 'new:v3.9.0', { base: it.next, version: 'v3.9.0', softwareVersion });
    await it.kubectl.apply(upgrade('new', 'new:v3.9.0', onNode('n1', 'n3')));
    const { n1, n3 } = entries(await ended(it, 'nodeopupgrade', 'new', 60));
    expect(n1?.phase).toBe('Completed');
    expect(n3).toMatchObject({ phase: 'Failed', reason: 'PreflightFailed' });
    expect(n3?.message).toMatch(/the image has Kubernetes 1\.99, a control plane still runs 1\.\d+/);
    await expectUntouched(it, ...NODES);
  });
});

describe('the NodeOp of an upgrade', () => {
  const paused = (name: string) => upgradeOf(name, it.next.ref, { ...recovery, paused: true });
  const made = (name: string) =>
    it.kubectl.waitForObject(['nodeopupgrade', name], ({ status }) => status?.['nodeOpName'] === name, 60);
  const gone = (kind: string, name: string) =>
    it.kubectl.do(['wait', '--for=delete', `${kind}/${name}`, '--timeout=60s']);

  test('is not made where somebody else has that name, and his is left alone', async () => {
    await it.kubectl.apply(nodeOpOf('taken', { command: ['true'], paused: true }));
    await it.kubectl.apply(paused('taken'));
    const seen = await ended(it, 'nodeopupgrade', 'taken', 30);
    expect(JSON.stringify(seen.status?.['conditions'])).toContain('NameTaken');
    await it.kubectl.do(['delete', 'nodeopupgrade', 'taken']);
    const his = await it.kubectl.getJson('nodeop', 'taken');
    expect(his?.spec).toMatchObject({ command: ['true'], paused: true });
    expect(his?.metadata?.['ownerReferences']).toBeUndefined();
  });

  test('is not made again once somebody has deleted it', async () => {
    await it.kubectl.apply(paused('bereft'));
    await made('bereft');
    await it.kubectl.do(['delete', 'nodeop', 'bereft']);
    const seen = await ended(it, 'nodeopupgrade', 'bereft', 30);
    expect(JSON.stringify(seen.status?.['conditions'])).toContain('NodeOpDeleted');
    expect(await it.kubectl.getJson('nodeop', 'bereft')).toBeUndefined();
  });

  test('goes with its upgrade, and both may be deleted at once', async () => {
    await it.kubectl.apply([paused('alone'), paused('both')]);
    await Promise.all([made('alone'), made('both')]);
    await it.kubectl.do(['delete', 'nodeopupgrade/alone', 'nodeop/both', 'nodeopupgrade/both', '--timeout=30s']);
    for (const name of ['alone', 'both']) await gone('nodeop', name);
    await expectUntouched(it, ...NODES);
    expect(await it.kubectl.getJson('nodeopupgrade', 'both')).toBeUndefined();
  });

  test('cannot be led elsewhere: the spec is fixed once it has begun', async () => {
    await it.kubectl.apply(upgrade('fixed', 'kairos:v3.5.0', onNode('n2')));
    await ended(it, 'nodeopupgrade', 'fixed', 60);
    const change = JSON.stringify({ spec: { image: 'localhost/other:1' } });
    const { code, stderr } = await it.kubectl.try(['patch', 'nodeopupgrade', 'fixed', '--type=merge', '-p', change]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/spec\.image/);
  });
});

test('no machine was rebooted for any of this', () => expect(boots()).toEqual([0, 0, 0]));
