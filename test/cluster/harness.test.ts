import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { kairosImage } from './images.js';
import { clusterKey, leakedResources } from './cleanup.js';
import { repository, runFolder, stateFolder } from './paths.js';
import { RealCluster } from './real-cluster.js';
import { nodePlans } from './shared-cluster.js';
import { upgradeJob } from './upgrade-job.js';
import { waitFor } from './wait.js';

jest.setTimeout(300_000);

const INDEX = 8; // not the index of a shared cluster
const folder = runFolder(clusterKey(INDEX));
let cluster: RealCluster;

afterAll(async () => {
  await RealCluster.clear(INDEX);
});

async function killHarnessDuringStart() {
  const tsx = join(repository, 'node_modules/.bin/tsx');
  const script = join(repository, 'test/cluster/cli.ts');
  const harness = spawn(process.execPath, [tsx, script, 'up', '--nodes', '1', '--index', String(INDEX)], {
    detached: true, // a process group of its own, so that its children are killed as well
    stdio: 'ignore',
  });
  const record = join(stateFolder(clusterKey(INDEX)), 'supervisors', 'machine-n1.pid');
  await waitFor(() => existsSync(record), { what: 'the supervisor of n1 to start', seconds: 60 });
  const end = once(harness, 'exit');
  process.kill(-(harness.pid ?? 0), 'SIGKILL');
  await end;
}

describe('a real cluster of three nodes', () => {
  test('starts with all nodes Ready although a killed harness left its daemons running', async () => {
    await RealCluster.clear(INDEX);
    await killHarnessDuringStart();
    expect(await leakedResources(INDEX, folder)).not.toEqual([]);
    cluster = await RealCluster.start({ index: INDEX, nodes: nodePlans(3) });
    const table = (await cluster.kubectl.do(['get', 'nodes', '--no-headers'])).trim().split('\n');
    expect(table.map(line => line.split(/\s+/).slice(0, 3))).toEqual([
      ['n1', 'Ready', 'control-plane'],
      ['n2', 'Ready', '<none>'],
      ['n3', 'Ready', '<none>'],
    ]);
  });

  test('can be attached to by index', () => {
    expect(RealCluster.attach(INDEX)?.kubeconfig).toBe(cluster.kubeconfig);
  });

  test.each([
    ['a soft reboot', 'n2', 'softReboot', 'reboot'],
    ['a hard reboot', 'n3', 'hardReboot', 'reboot -f'],
    ['a power cut', 'n2', 'powerCut', undefined],
  ] as const)('%s of a node starts one boot with a new boot id', async (_, name, action, logged) => {
    const machine = cluster.machine(name);
    const [boots, before, log] = [machine.bootCount(), machine.bootId(), machine.powerLog()];
    await machine[action]();
    const after = await cluster.waitReady(name, { not: before });
    expect(after).toBe(machine.bootId());
    expect((await machine.readFile('/proc/sys/kernel/random/boot_id')).trim()).toBe(after);
    expect(machine.bootCount()).toBe(boots + 1);
    expect(
      machine
        .powerLog()
        .slice(log.length)
        .map(line => line.replace(/^\S+ /, '')),
    ).toEqual(logged ? [logged] : []);
  });

  test('a machine that is powered off stays off until it is powered on, and then boots the requested slot', async () => {
    const machine = cluster.machine('n3');
    const before = machine.bootId();
    await machine.powerOff();
    expect(machine.state().power).toBe('off');
    machine.nextSlot('passive');
    await machine.powerOn();
    await cluster.waitReady('n3', { not: before });
    expect(await machine.readFile('/proc/cmdline')).toContain('COS_PASSIVE');
  });

  test('a partitioned node becomes NotReady and is Ready in the same boot after the partition heals', async () => {
    const before = cluster.machine('n2').bootId();
    await cluster.machine('n2').partition();
    await cluster.waitNotReady('n2');
    await cluster.machine('n2').heal();
    expect(await cluster.waitReady('n2')).toBe(before);
    expect(cluster.machine('n2').bootId()).toBe(before);
  });

  test('a node that ran an upgrade image boots the new version and keeps the old one in its passive slot', async () => {
    const machine = cluster.machine('n2');
    const image = await kairosImage({ version: 'v3.6.0', ref: 'localhost/kairos:v3.6.0' });
    await machine.importImage(image.tar);
    await cluster.kubectl.apply(upgradeJob('upgrade', 'n2', image.ref));
    await cluster.kubectl.waitForObject(['job', 'upgrade'], job => job.status?.['succeeded'] === 1);
    expect(await machine.readFile('/etc/kairos-release')).toContain('KAIROS_VERSION="v3.5.0"');
    const before = machine.bootId();
    await machine.hardReboot();
    await cluster.waitReady('n2', { not: before });
    expect(await machine.readFile('/etc/kairos-release')).toContain('KAIROS_VERSION="v3.6.0"');
    expect(await machine.readFile('/run/initramfs/cos-state/passive/etc/kairos-release')).toContain('"v3.5.0"');
    await cluster.resetNodes({ version: 'v3.5.0' }, ['n2']);
    expect(await machine.readFile('/etc/os-release')).toContain('VERSION="v3.5.0"');
  });

  test('the Job of an upgrade image that is built to fail exits with the configured code', async () => {
    const image = await kairosImage({ version: 'v9.9.9', ref: 'localhost/kairos:broken', fail: 7 });
    await cluster.machine('n1').importImage(image.tar);
    await cluster.kubectl.apply(upgradeJob('broken', 'n1', image.ref));
    await cluster.kubectl.waitForObject(['job', 'broken'], job => job.status?.['failed'] === 1);
    const logs = await cluster.kubectl.do(['logs', 'job/broken']);
    expect(logs).toContain('failing with code 7');
  });

  test('stopping the cluster leaves no process, link, mount or folder behind', async () => {
    await cluster.stop();
    expect(await cluster.leakCheck()).toEqual([]);
    expect(RealCluster.attach(INDEX)).toBeUndefined();
  });
});
