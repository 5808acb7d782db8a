import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runAgent } from '../../agent/agent.js';
import { realHost } from '../../agent/host.js';
import { lookAtSystem } from '../../agent/system.js';
import type { System } from '../../api/node-agent.js';
import { silentLog } from '../../program/log.js';
import { fakeClock } from '../fakes/clock.js';
import { fakeHost } from '../fakes/host.js';
import { nodeAgent } from './builders.js';
import { kubeOf, SmallCluster } from './story.js';

let dir: string;
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'system-'))));
afterAll(() => rmSync(dir, { recursive: true }));

/** A library in a file, with these answers. */
function library(answers: { cpu?: unknown; mem?: unknown; networkInterfaces?: unknown }): string {
  const file = join(dir, `${Math.random()}.mjs`);
  const functions = ['cpu', 'mem', 'networkInterfaces'].map(
    name => `${name}: async () => (${JSON.stringify({ ...answers }[name] ?? null)})`,
  );
  writeFileSync(file, `export default { ${functions.join(', ')} };`);
  return file;
}

const ANSWERS = {
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

describe('the machine itself', () => {
  test('maker, processor, memory, disks and cards, and nothing that the kernel or the cluster made up', async () => {
    expect(await lookAtSystem(machine(), library(ANSWERS))).toEqual({
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

  test('the real library tells what the kernel tells', async () => {
    const seen = await lookAtSystem(realHost('/', { now: () => new Date() }), 'systeminformation');
    const [, kilobytes] = /^MemTotal:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
    expect(seen.memoryBytes).toBe(Number(kilobytes) * 1024);
    expect(seen.cpu?.cores).toBeGreaterThan(0);
  });

  test.each([
    ['nothing', {}],
    ['nonsense', { cpu: 'x', mem: { total: 'much' }, networkInterfaces: { iface: 'eth0' } }],
  ])('a library that says %s costs no more than that', async (_what, answers) => {
    const seen = await lookAtSystem(machine(), library(answers));
    expect(seen).toMatchObject({ vendor: 'Example Corp.', networks: [] });
    expect(seen.memoryBytes).toBeUndefined();
    expect(seen.cpu?.model).toBeUndefined();
  });

  test('files that cannot be read are done without', async () => {
    const host = machine();
    host.set({ unreadable: Object.keys(HARDWARE) });
    expect(await lookAtSystem(host, library(ANSWERS))).toMatchObject({ serial: undefined, disks: [] });
  });

  test.each([
    ['is not there', () => join(dir, 'nothing.cjs')],
    [
      'is something else',
      () => {
        writeFileSync(join(dir, 'other.mjs'), 'export default 1;');
        return join(dir, 'other.mjs');
      },
    ],
  ])('a library that %s is an error', async (_what, file) => {
    await expect(lookAtSystem(machine(), file())).rejects.toThrow(/nothing.cjs|not systeminformation/);
  });
});

describe('in the status', () => {
  const statusWith = async (system?: () => Promise<System>) => {
    const cluster = new SmallCluster(nodeAgent());
    const stop = new AbortController();
    const onPass = () => stop.abort();
    const around = { kube: kubeOf(cluster), host: fakeHost(), clock: fakeClock(), log: silentLog };
    await runAgent({ ...around, nodeName: 'n1', agentVersion: '1', onPass, system }, stop.signal);
    return cluster.agent.status;
  };

  test('is what was seen at the start, where somebody wants to know', async () => {
    expect((await statusWith(async () => ({ serial: 'ABC-123' })))?.system).toEqual({ serial: 'ABC-123' });
  });
  test('is nothing where nobody does', async () => {
    expect(await statusWith()).not.toHaveProperty('system');
  });
  test('is nothing, and all the rest, where the machine cannot be looked at', async () => {
    const status = await statusWith(() => Promise.reject(new Error('no library')));
    expect(status).not.toHaveProperty('system');
    expect(status?.release?.version).toBe('v3.5.0');
  });
});
