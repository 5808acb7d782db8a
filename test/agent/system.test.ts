import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runAgent } from '../../agent/agent.js';
import { realHost } from '../../agent/host.js';
import { readSystem } from '../../agent/system.js';
import type { System } from '../../api/node-agent.js';
import { silentLog } from '../../program/log.js';
import { fakeClock } from '../fakes/clock.js';
import { fakeHost } from '../fakes/host.js';
import { nodeAgent } from './builders.js';
import { kubeOf, SingleNodeCluster } from './simulation.js';

let dir: string;
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'system-'))));
afterAll(() => rmSync(dir, { recursive: true }));

/** Writes a library module that returns these values. */
function library(values: { cpu?: unknown; mem?: unknown; networkInterfaces?: unknown }): string {
  const file = join(dir, `${Math.random()}.mjs`);
  const functions = ['cpu', 'mem', 'networkInterfaces'].map(
    name => `${name}: async () => (${JSON.stringify({ ...values }[name] ?? null)})`,
  );
  writeFileSync(file, `export default { ${functions.join(', ')} };`);
  return file;
}

const VALUES = {
  cpu: { manufacturer: 'AMD', brand: 'EPYC', cores: 2 },
  mem: { total: 25_276_514_304 },
  networkInterfaces: [
    { iface: 'lo', mac: '00:00:00:00:00:00', speed: null },
    { iface: 'eth0', mac: '02:fc:00:00:00:01', speed: 1000 },
    { iface: 'eth1', mac: '02:fc:00:00:00:02', speed: -1 },
    { iface: 'cni0', mac: '02:fc:00:00:00:03', speed: 10_000 },
  ],
};

const HARDWARE = {
  '/sys/class/dmi/id/sys_vendor': 'Example Corp.\n',
  '/sys/class/dmi/id/product_name': 'To Be Filled By O.E.M.\n',
  '/sys/class/dmi/id/product_serial': 'ABC-123\n',
  '/sys/block/sda/size': '2097152\n',
  '/sys/block/sda/device/model': 'Fast Disk   \n',
  '/sys/block/loop0/size': '8\n',
  '/sys/block/sr0/size': '0\n',
};
const DEVICES = [
  '/sys/block/sda/device',
  '/sys/block/sr0/device',
  '/sys/class/net/eth0/device',
  '/sys/class/net/eth1/device',
];

const machine = (files: Record<string, string> = HARDWARE) => ({
  ...fakeHost(files),
  list: async () => ['sr0', 'sda', 'loop0'],
  hasDir: async (path: string) => DEVICES.includes(path),
});

describe('the system facts', () => {
  test('contain vendor, processor, memory, disks and interfaces, without virtual devices', async () => {
    expect(await readSystem(machine(), library(VALUES))).toEqual({
      vendor: 'Example Corp.',
      product: undefined,
      serial: 'ABC-123',
      cpu: { model: 'AMD EPYC', cores: expect.any(Number) },
      memoryBytes: 25_276_514_304,
      disks: [{ name: 'sda', sizeBytes: 2 ** 30, model: 'Fast Disk' }],
      networks: [
        { name: 'eth0', mac: '02:fc:00:00:00:01', speedMbps: 1000 },
        { name: 'eth1', mac: '02:fc:00:00:00:02', speedMbps: undefined },
      ],
    });
  });

  test('agree with the kernel when the real library is used', async () => {
    const system = await readSystem(realHost('/', { now: () => new Date() }), 'systeminformation');
    const [, kilobytes] = /^MemTotal:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
    expect(system.memoryBytes).toBe(Number(kilobytes) * 1024);
    expect(system.cpu?.cores).toBeGreaterThan(0);
  });

  test.each([
    ['nothing', {}],
    ['invalid values', { cpu: 'x', mem: { total: 'much' }, networkInterfaces: { iface: 'eth0' } }],
  ])('are incomplete but valid when the library returns %s', async (_what, values) => {
    const system = await readSystem(machine(), library(values));
    expect(system).toMatchObject({ vendor: 'Example Corp.', networks: [] });
    expect(system.memoryBytes).toBeUndefined();
    expect(system.cpu?.model).toBeUndefined();
  });

  test('omit files that cannot be read', async () => {
    const host = machine();
    host.set({ unreadable: Object.keys(HARDWARE) });
    expect(await readSystem(host, library(VALUES))).toMatchObject({ serial: undefined, disks: [] });
  });

  test.each([
    ['does not exist', () => join(dir, 'nothing.cjs')],
    [
      'is another module',
      () => {
        writeFileSync(join(dir, 'other.mjs'), 'export default 1;');
        return join(dir, 'other.mjs');
      },
    ],
  ])('fail when the library %s', async (_what, file) => {
    await expect(readSystem(machine(), file())).rejects.toThrow(/nothing.cjs|not systeminformation/);
  });
});

describe('the system facts in the status', () => {
  const statusWith = async (system?: () => Promise<System>) => {
    const cluster = new SingleNodeCluster(nodeAgent());
    const stop = new AbortController();
    const onReconciled = () => stop.abort();
    const deps = { kube: kubeOf(cluster), host: fakeHost(), clock: fakeClock(), log: silentLog };
    await runAgent({ ...deps, nodeName: 'n1', agentVersion: '1', onReconciled, system }, stop.signal);
    return cluster.agent.status;
  };

  test('are those read at the start when they are enabled', async () => {
    expect((await statusWith(async () => ({ serial: 'ABC-123' })))?.system).toEqual({ serial: 'ABC-123' });
  });
  test('are absent when they are disabled', async () => {
    expect(await statusWith()).not.toHaveProperty('system');
  });
  test('are absent while the rest of the status is written when they cannot be read', async () => {
    const status = await statusWith(() => Promise.reject(new Error('no library')));
    expect(status).not.toHaveProperty('system');
    expect(status?.release?.version).toBe('v3.5.0');
  });
});
