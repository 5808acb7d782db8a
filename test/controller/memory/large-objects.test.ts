/** The caches of the controller in a process of its own, with the flags and the memory limit of the shipped manifest. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { type LargeList, startLargeObjectsServer } from '../../fakes/large-objects-server.js';

const manifest = readFileSync('manifests/default/controller.yaml', 'utf8');
const FLAGS = /command: \[node, (.*), \/app/.exec(manifest)?.[1]?.split(', ') ?? [];
const LIMIT_MIB = Number(/limits:\s+memory: (\d+)Mi/.exec(manifest)?.[1]);

const folder = mkdtempSync(join(tmpdir(), 'caches-'));
const program = join(folder, 'fill-caches.mjs');
beforeAll(async () => {
  const entry = 'test/controller/memory/fill-caches.ts';
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" };
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'esm', banner });
});
afterAll(() => rmSync(folder, { recursive: true }));

const KIB = 1024;

/** Objects that differ in their names and versions only; the rest is made once. */
function objects(rest: { metadata?: object; [part: string]: unknown }): LargeList['object'] {
  const [before = '', after = ''] = JSON.stringify({ ...rest, metadata: { ...rest.metadata, uid: '#' } }).split('"#"');
  return (index, version) => {
    const identity = `"uid-${index}","name":"object-${index}","namespace":"tenant","resourceVersion":"${version}"`;
    return `${before}${identity}${after}`;
  };
}

/** In a script of two bytes per character in memory. */
const annotations = { 'tenant.example/notes': '語'.repeat((250 * KIB) / 3), 'tenant.kairos.io/ours': 'x' };
const pod = objects({ metadata: { annotations }, spec: { nodeName: 'n1' }, status: { phase: 'Running' } });
const nodeOp = objects({ spec: { command: ['sh', '-c', 'x'.repeat(1000 * KIB)] } });

describe('the caches of the controller', () => {
  test('fit its memory limit with 300 Pods of 250 KiB and 150 NodeOps of 1 MiB, and when those change', async () => {
    const changes = 50;
    const server = await startLargeObjectsServer({
      pods: { count: 300, object: pod, changes },
      nodeops: { count: 150, object: nodeOp, changes },
    });
    const env = { SERVER: `https://127.0.0.1:${server.port}`, CA: server.ca, CHANGES: String(2 * changes) };
    try {
      const { stdout } = await promisify(execFile)('node', [...FLAGS, program], { env: { ...process.env, ...env } });
      const filled = JSON.parse(stdout) as { pods: number; nodeOps: number; maxRssMiB: number };
      expect(filled).toMatchObject({ pods: 300, nodeOps: 150 });
      expect(filled.maxRssMiB).toBeLessThan(LIMIT_MIB);
    } finally {
      await server.close();
    }
  }, 240_000);
});
