/** The agent as it is shipped: one small bundle. */
import { once } from 'node:events';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build, type Metafile } from 'esbuild';
import { SYSTEM_LIBRARY } from '../../agent/system.js';
import type { System } from '../../api/node-agent.js';
import { HttpsApiServer } from '../fakes/https-api-server.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { until } from '../kube/samples.js';

let dir: string;
let agent: string;
let metafile: Metafile;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'agent-'));
  agent = join(dir, 'agent.cjs');
  const result = await build({
    entryPoints: ['agent/main.ts'],
    outfile: agent,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    metafile: true,
    logLevel: 'error',
  });
  metafile = result.metafile;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.each(['zod', '@kubernetes/client-node', 'express', 'node-forge', 'prom-client', 'undici', 'systeminformation'])(
  'the bundle does not contain %s',
  name => {
    const inside = Object.keys(metafile.inputs).filter(file => file.includes(`node_modules/${name}/`));
    expect(inside).toEqual([]);
  },
);

test('the bundle is smaller than 200 kB', () => {
  expect(readFileSync(agent).length).toBeLessThan(200_000);
});

test('the agent reads the system facts from the separate library, without JIT and without any program in PATH', async () => {
  const [library, reader] = [join(dir, 'systeminformation.cjs'), join(dir, 'reader.cjs')];
  const options = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'error' } as const;
  await build({ ...options, entryPoints: ['systeminformation'], outfile: library, minify: true });
  const contents = `
    import { realHost } from './agent/host.js';
    import { readSystem } from './agent/system.js';
    readSystem(realHost('/', { now: () => new Date() }), process.argv[2]).then(facts => console.log(JSON.stringify(facts)));`;
  await build({ ...options, stdin: { contents, resolveDir: '.' }, outfile: reader });
  const { status, stdout } = spawnSync(process.execPath, ['--jitless', reader, library], {
    env: { PATH: '/nowhere' },
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const [, kilobytes] = /^MemTotal:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  const [, model = ''] = /^model name\s*:\s*(\S+)/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
  const system = JSON.parse(stdout) as System;
  expect(system.memoryBytes).toBe(Number(kilobytes) * 1024);
  expect(system.cpu?.model ?? '').toContain(model.replace(/\(.*/, ''));
  expect(system.cpu?.cores).toBeGreaterThan(0);
});

test('the image has the library where the agent expects it', () => {
  const copyLines = /^COPY (.*) (\S+)$/gm;
  const places = [...readFileSync('Dockerfile.agent', 'utf8').matchAll(copyLines)].flatMap(([, files = '', to = '']) =>
    files.split(' ').map(file => join(to, basename(file))),
  );
  expect(places).toContain(SYSTEM_LIBRARY);
});

const run = (args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, ['--jitless', agent, ...args], { env, encoding: 'utf8' });

test('the agent prints its version without JIT', () => {
  expect(run(['--version'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/\S/) });
});

test('the agent prints its settings with --help', () => expect(run(['--help']).stdout).toContain('NODE_NAME'));

test('the agent reports every fault of its settings and exits with 2', () => {
  const { status, stderr } = run([], { HEALTH_PORT: 'x' });
  expect(status).toBe(2);
  expect(stderr).toContain('NODE_NAME: required');
  expect(stderr).toContain('HEALTH_PORT: x');
});

test('agent sentinel writes the boot id to a file named after the Job', () => {
  expect(run(['sentinel'], { SENTINEL_DIR: dir, JOB_NAME: 'upgrade-n1-abc' }).status).toBe(0);
  const [file = ''] = readdirSync(dir).filter(name => name.startsWith('upgrade'));
  expect(file).toMatch(/^upgrade-n1-abc-\d{10}$/);
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  expect(readFileSync(join(dir, file), 'utf8').trim()).toBe(bootId);
});

test('agent sentinel fails without JOB_NAME and writes nothing', () => {
  const { status, stderr } = run(['sentinel'], { SENTINEL_DIR: dir });
  expect(status).toBe(1);
  expect(stderr).toContain('JOB_NAME: required');
});

/** Outside of its image, the library of the system facts is missing: an agent with SYSTEM_FACTS has to log that. */
test.each([
  ['', false],
  ['true', true],
])(
  'the agent labels its node, writes its status and exits with 0 on SIGTERM, with SYSTEM_FACTS "%s"',
  async (facts, isEnabled) => {
    const server = await HttpsApiServer.start();
    const agents = { collection: 'operator.kairos.io/v1alpha1/nodeagents' };
    server.store.create({ collection: 'v1/nodes' }, { metadata: { name: 'n1' } });
    server.store.create(agents, { metadata: { name: 'n1' }, spec: { labels: true } });
    const account = join(dir, 'account');
    const root = join(dir, 'root');
    for (const folder of [account, join(root, 'etc'), join(root, 'usr/local')]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(account, 'token'), 'secret\n');
    writeFileSync(join(account, 'ca.crt'), server.ca);
    writeFileSync(join(root, 'etc/kairos-release'), KAIROS_RELEASE);
    const env = {
      NODE_NAME: 'n1',
      HOST_ROOT: root,
      SERVICE_ACCOUNT_DIR: account,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(server.port),
      SYSTEM_FACTS: facts,
    };
    const child = spawn(process.execPath, ['--jitless', agent], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    let log = '';
    child.stdout.on('data', piece => (log += String(piece)));
    try {
      const node = () => server.store.get({ collection: 'v1/nodes', name: 'n1' });
      await until(() => node()?.metadata.labels?.['kairos.io/managed'] === 'true');
      expect(server.store.get({ ...agents, name: 'n1' })?.status).toMatchObject({ contract: 1 });
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      expect(log.includes('cannot read the system facts')).toBe(isEnabled);
    } finally {
      child.kill('SIGKILL');
      await server.stop();
    }
  },
);
