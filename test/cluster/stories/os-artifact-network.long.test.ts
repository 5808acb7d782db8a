/** Files for booting over the network: uploaded to the published server, and booted from there by a machine without a disk. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { bootInEmulator } from '../emulator.js';
import { DnsServer } from '../dns-server.js';
import { artifact, secret } from './artifact-fixtures.js';
import {
  type ArtifactSetup,
  artifactSetup,
  finalStatus,
  LOGIN,
  openUploads,
  serveArtifacts,
  serverUrl,
} from './artifact-setup.js';
import { uploader } from './documented-artifacts.js';

jest.setTimeout(900_000);

let setup: ArtifactSetup;
let names: DnsServer;

beforeAll(async () => {
  setup = await artifactSetup(['net']);
  names = await DnsServer.start(setup.cluster);
  await serveArtifacts(setup, 'default');
});

afterAll(async () => {
  await names?.stop();
  await setup?.stop();
});

test('a machine without a disk boots from what an exporter uploaded', async () => {
  const plain = setup.registry.ref('system:1');
  await setup.kubectl.apply([
    secret('definition', { Dockerfile: 'FROM {{ .BaseImage }}\nRUN echo "{{ .Mark }}" > /etc/mark\n' }),
    artifact('net', {
      imagePullSecrets: [{ name: LOGIN }],
      baseImageDockerfile: { name: 'definition' },
      dockerfileTemplateValues: { BaseImage: plain, Mark: 'came over the network' },
      netboot: true,
      netbootURL: 'http://kairos-operator-nginx',
      exporters: [uploader(setup.tools)],
    }),
  ]);
  expect((await finalStatus(setup, 'net')).phase).toBe('Ready');
  const url = await serverUrl(setup);
  const script = [
    'dhcp',
    `kernel ${url}/net-kernel root=live: console=ttyS0,115200 panic=5`,
    `initrd ${url}/net-initrd`,
    `initrd ${url}/net.squashfs /rootfs.squashfs`,
    'boot',
  ];
  const serial = await bootInEmulator({ network: script.join('\n') });
  expect(serial).toMatch(/SYSTEM-IS-UP .*came over the network/);
});

test('an interrupted upload is not served and does not change the existing file', async () => {
  const read = `${await serverUrl(setup)}/once.txt`;
  expect((await fetch(read, { method: 'PUT', body: 'whole' })).status).toBe(405);
  const url = `${await openUploads(setup)}/once.txt`;
  expect((await fetch(url, { method: 'PUT', body: 'whole' })).ok).toBe(true);
  const breaking = new ReadableStream<Uint8Array>({
    start: controller => controller.enqueue(new TextEncoder().encode('only half of it')),
    pull: controller => controller.error(new Error('connection lost')),
  });
  const half = fetch(url, { method: 'PUT', body: breaking, duplex: 'half' });
  await expect(half).rejects.toThrow('fetch failed');
  expect(await (await fetch(url)).text()).toBe('whole');
  expect((await fetch(url.replace('once.txt', '.incoming/'))).status).toBe(404);
});

test('unfinished uploads are removed before a restarted server is ready', async () => {
  const leftover = '/var/built/kairos-operator-nginx/.incoming/0000000001';
  const node = setup.cluster.machine('n1');
  await node.exec('touch', leftover);
  expect((await node.exec('test', '-e', leftover)).code).toBe(0);
  const server = 'deployment/kairos-operator-nginx';
  await setup.kubectl.do(['rollout', 'restart', server]);
  await setup.kubectl.do(['rollout', 'status', server, '--timeout=90s'], { seconds: 100 });
  expect((await node.exec('test', '-e', leftover)).code).toBe(1);
  expect(await (await fetch(`${await serverUrl(setup)}/once.txt`)).text()).toBe('whole');
});
