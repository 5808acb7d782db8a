/** The agent as it is shipped: one small file. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build, type Metafile } from 'esbuild';

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

test.each(['zod', '@kubernetes/client-node', 'express', 'node-forge', 'prom-client', 'undici'])(
  'it holds nothing of %s',
  name => {
    const inside = Object.keys(metafile.inputs).filter(file => file.includes(`node_modules/${name}/`));
    expect(inside).toEqual([]);
  },
);

test('it is small', () => {
  expect(readFileSync(agent).length).toBeLessThan(200_000);
});

const run = (args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, ['--jitless', agent, ...args], { env, encoding: 'utf8' });

test('it runs, without the JIT too, and says its version', () => {
  expect(run(['--version'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/\S/) });
});

test('it explains itself', () => expect(run(['--help']).stdout).toContain('NODE_NAME'));

test('it names every mistake in its settings and leaves with 2', () => {
  const { status, stderr } = run([], { HEALTH_PORT: 'x' });
  expect(status).toBe(2);
  expect(stderr).toContain('NODE_NAME: required');
  expect(stderr).toContain('HEALTH_PORT: x');
});

test('as sentinel-creator it leaves the boot id under the name of the Job', () => {
  expect(run(['sentinel'], { SENTINEL_DIR: dir, JOB_NAME: 'upgrade-n1-abc' }).status).toBe(0);
  const [file = ''] = readdirSync(dir).filter(name => name.startsWith('upgrade'));
  expect(file).toMatch(/^upgrade-n1-abc-\d{10}$/);
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  expect(readFileSync(join(dir, file), 'utf8').trim()).toBe(bootId);
});

test('without a Job it leaves nothing and fails', () => {
  const { status, stderr } = run(['sentinel'], { SENTINEL_DIR: dir });
  expect(status).toBe(1);
  expect(stderr).toContain('JOB_NAME: required');
});
