import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Registry } from '../registry.js';
import { countBoots, pushRelease, PULL_SECRET, versionIn } from './kairos-releases.js';
import {
  waitUntilFinished,
  nodeStatuses,
  jobsOf,
  nodeOpOf,
  type Operator,
  setUpOperator,
  upgradeOf,
} from './operator.js';
import { eventMessages, expectClean, onNode } from './node-state.js';

jest.setTimeout(600_000);

let operator: Operator;
let registry: Registry;
let boots: () => number[];
beforeAll(async () => {
  operator = await setUpOperator(3);
  registry = await Registry.start(operator.cluster);
  await operator.kubectl.apply(registry.secret(PULL_SECRET));
  boots = countBoots(operator);
});
afterAll(async () => await registry?.stop());

const NODES = ['n1', 'n2', 'n3'];
const recovery = { upgradeActive: false, upgradeRecovery: true };
const upgrade = (name: string, image: string, spec: object = {}) =>
  upgradeOf(name, registry.ref(image), { imagePullSecrets: [{ name: PULL_SECRET }], ...recovery, ...spec });

/** Creates an upgrade with `generateName` and returns the generated name. */
async function createUpgrade(image: string, spec: object): Promise<string> {
  const nodeOp = { ...upgrade('', image, spec), metadata: { generateName: 'recovery-', namespace: 'default' } };
  const output = await operator.kubectl.do(['create', '-f', '-', '-o', 'name'], { stdin: JSON.stringify(nodeOp) });
  return output.trim().split('/')[1] ?? '';
}

describe('an upgrade of the recovery system', () => {
  let name: string;

  test('writes the recovery slot without a reboot even if the active system already has that version', async () => {
    await pushRelease(registry, 'kairos:v3.5.0', {
      base: operator.nextImage,
      version: 'v3.5.0',
      releaseFields: { RELEASE: 'rebuilt' },
    });
    const paths = ['/opt/two words', "/opt/it's", '/opt/$(reboot)'];
    name = await createUpgrade('kairos:v3.5.0', { concurrency: 0, debug: true, excludePaths: paths });
    const seen = await waitUntilFinished(operator, 'nodeopupgrade', name, 90);
    expect(seen.status).toMatchObject({ phase: 'Completed', nodes: { completed: 3, skipped: 0 } });
    for (const node of NODES) {
      expect(nodeStatuses(seen)[node]).toMatchObject({ phase: 'Completed', rebootStatus: 'not-requested' });
      const slot = await operator.cluster
        .machine(node)
        .readFile('/run/initramfs/cos-state/recovery/etc/kairos-release');
      expect(slot).toContain('rebuilt');
    }
    await expectClean(operator, ...NODES);
  });

  test('passes debug and excluded paths with special characters to kairos-agent', async () => {
    const [job] = await jobsOf(operator, name);
    const log = await operator.kubectl.do(['logs', `job/${job?.metadata?.name}`]);
    expect(log).toContain(
      "recovery from dir:/, without /etc/hostname /etc/hosts /opt/two words /opt/it's /opt/$(reboot)\n",
    );
    expect(log).toContain('debug output on');
  });

  test('is denied at admission if it upgrades neither the active nor the recovery system', async () => {
    const nodeOp = JSON.stringify(upgrade('nothing', 'kairos:v3.5.0', { upgradeRecovery: false }));
    const { code, stderr } = await operator.kubectl.try(['apply', '-f', '-'], { stdin: nodeOp });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/must be true when upgradeActive is false, otherwise there is nothing to upgrade/);
    expect(await operator.kubectl.getJson('nodeopupgrade', 'nothing')).toBeUndefined();
  });
});

describe('an image that does not fit the node', () => {
  test('fails the preflight for another CPU, and is installed with warnings if that is allowed', async () => {
    const releaseFields = { FLAVOR: 'alpine', MODEL: 'rpi4' };
    await pushRelease(registry, 'misfit:v3.4.0', {
      base: operator.nextImage,
      version: 'v3.4.0',
      arch: 'arm64',
      releaseFields,
    });
    await operator.kubectl.apply([
      upgrade('misfit', 'misfit:v3.4.0', onNode('n2')),
      upgrade('misfit-allowed', 'misfit:v3.4.0', { allow: ['Architecture'], ...onNode('n3') }),
    ]);
    const refused = nodeStatuses(await waitUntilFinished(operator, 'nodeopupgrade', 'misfit', 60))['n2'];
    expect(refused).toMatchObject({ phase: 'Failed', reason: 'PreflightFailed' });
    expect(refused?.message).toContain('the image is for arm64, the node is amd64');
    expect((await waitUntilFinished(operator, 'nodeopupgrade', 'misfit-allowed', 60)).status?.phase).toBe('Completed');
    expect(await versionIn(operator, 'n2', 'recovery')).toBe('v3.5.0');
    expect(await versionIn(operator, 'n3', 'recovery')).toBe('v3.4.0');
    const warned = (await eventMessages(operator, 'misfit-allowed', 'PreflightWarning')).join();
    expect(warned).toMatch(/downgrade: the image has v3\.4\.0/);
    expect(warned).toMatch(/flavor alpine, the node debian/);
    expect(warned).toMatch(/model rpi4, the node generic/);
  });

  test('fails the preflight on a worker if its Kubernetes is newer than the control plane, but not on the control plane itself', async () => {
    const softwareVersion = 'v1.99.1+k3s1';
    await pushRelease(registry, 'new:v3.9.0', { base: operator.nextImage, version: 'v3.9.0', softwareVersion });
    await operator.kubectl.apply(upgrade('new', 'new:v3.9.0', onNode('n1', 'n3')));
    const { n1, n3 } = nodeStatuses(await waitUntilFinished(operator, 'nodeopupgrade', 'new', 60));
    expect(n1?.phase).toBe('Completed');
    expect(n3).toMatchObject({ phase: 'Failed', reason: 'PreflightFailed' });
    expect(n3?.message).toMatch(/the image has Kubernetes 1\.99, a control plane still runs 1\.\d+/);
    await expectClean(operator, ...NODES);
  });
});

describe('the NodeOp of an upgrade', () => {
  const pausedUpgrade = (name: string) => upgradeOf(name, operator.nextImage.ref, { ...recovery, paused: true });
  const waitForNodeOp = (name: string) =>
    operator.kubectl.waitForObject(['nodeopupgrade', name], ({ status }) => status?.['nodeOpName'] === name, 60);
  const waitUntilDeleted = (kind: string, name: string) =>
    operator.kubectl.do(['wait', '--for=delete', `${kind}/${name}`, '--timeout=60s']);

  test('is not created if another NodeOp has the name, which stays unchanged', async () => {
    await operator.kubectl.apply(nodeOpOf('taken', { command: ['true'], paused: true }));
    await operator.kubectl.apply(pausedUpgrade('taken'));
    const seen = await waitUntilFinished(operator, 'nodeopupgrade', 'taken', 30);
    expect(JSON.stringify(seen.status?.['conditions'])).toContain('NameTaken');
    await operator.kubectl.do(['delete', 'nodeopupgrade', 'taken']);
    const unrelated = await operator.kubectl.getJson('nodeop', 'taken');
    expect(unrelated?.spec).toMatchObject({ command: ['true'], paused: true });
    expect(unrelated?.metadata?.['ownerReferences']).toBeUndefined();
  });

  test('is not recreated after it was deleted', async () => {
    await operator.kubectl.apply(pausedUpgrade('deleted'));
    await waitForNodeOp('deleted');
    await operator.kubectl.do(['delete', 'nodeop', 'deleted']);
    const seen = await waitUntilFinished(operator, 'nodeopupgrade', 'deleted', 30);
    expect(JSON.stringify(seen.status?.['conditions'])).toContain('NodeOpDeleted');
    expect(await operator.kubectl.getJson('nodeop', 'deleted')).toBeUndefined();
  });

  test('is deleted with its upgrade, also if both are deleted at the same time', async () => {
    await operator.kubectl.apply([pausedUpgrade('alone'), pausedUpgrade('both')]);
    await Promise.all([waitForNodeOp('alone'), waitForNodeOp('both')]);
    await operator.kubectl.do(['delete', 'nodeopupgrade/alone', 'nodeop/both', 'nodeopupgrade/both', '--timeout=30s']);
    for (const name of ['alone', 'both']) await waitUntilDeleted('nodeop', name);
    await expectClean(operator, ...NODES);
    expect(await operator.kubectl.getJson('nodeopupgrade', 'both')).toBeUndefined();
  });

  test('cannot be changed through its upgrade after it has started', async () => {
    await operator.kubectl.apply(upgrade('fixed', 'kairos:v3.5.0', onNode('n2')));
    await waitUntilFinished(operator, 'nodeopupgrade', 'fixed', 60);
    const change = JSON.stringify({ spec: { image: 'localhost/other:1' } });
    const { code, stderr } = await operator.kubectl.try([
      'patch',
      'nodeopupgrade',
      'fixed',
      '--type=merge',
      '-p',
      change,
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/spec\.image/);
  });
});

test('none of these upgrades rebooted a machine', () => expect(boots()).toEqual([0, 0, 0]));
