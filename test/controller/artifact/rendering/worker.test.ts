/** Templates in the worker of the image: its bundle, and the flags that the controller is started with. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { workerFile, workerRenderer } from '../../../../controller/artifact/rendering/renderer.js';
import { bundle } from '../../../../packaging/supply/bundles.js';

let folder = '';
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'worker-')));
  const entries = { 'template-worker': 'controller/artifact/template/worker.ts' };
  await bundle(entries, { root: process.cwd(), out: folder, version: '1' });
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, 'template-worker.cjs');
const rendered = (template: string, values: Record<string, string> = {}) =>
  workerRenderer(file())({ template, values });
const stub = (name: string, script: string) => {
  writeFileSync(join(folder, name), script);
  return join(folder, name);
};

describe('a template in a worker', () => {
  test('is rendered, and a fault is reported by its place and kind', async () => {
    expect(await rendered('FROM {{ .A }}{{ len .A }}', { A: 'é' })).toEqual({ is: 'text', text: 'FROM é2' });
    expect(await rendered("\n{{ 'hunter2' }}")).toEqual({
      is: 'fault',
      message: 'line 2, column 4: malformed character constant',
    });
  });

  test('has the values of every name', async () => {
    const values = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    expect(await rendered('{{ .__proto__ }}{{ .constructor }}{{ .toString }}', values)).toEqual({
      is: 'text',
      text: 'xy',
    });
  });

  test('is interrupted when it takes too long, while the event loop goes on', async () => {
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    const endless = stub('endless.cjs', 'for (;;);');
    expect(await workerRenderer(endless, 2_000)({ template: '', values: {} })).toEqual({
      is: 'interrupted',
      message: 'takes longer than 2 s',
    });
    expect(delay.max / 1e6).toBeLessThan(1_000);
  });

  test('is interrupted when it needs too much memory', async () => {
    const greedy = stub('greedy.cjs', 'const a = []; for (;;) a.push({ a });');
    expect(await workerRenderer(greedy)({ template: '', values: {} })).toEqual({
      is: 'interrupted',
      message: expect.stringMatching(/^(needs more than 32 MiB of memory|takes longer than 10 s)$/),
    });
  });

  test('is not blamed when there is no worker', async () => {
    const none = workerRenderer(join(folder, 'none.cjs'));
    await expect(none({ template: '', values: {} })).rejects.toThrow(/none.cjs/);
  });

  test('is interrupted when it ends the worker', async () => {
    const ending = stub(
      'ending.cjs',
      `require('node:worker_threads').parentPort.postMessage('started'); throw new Error('x')`,
    );
    expect(await workerRenderer(ending)({ template: '', values: {} })).toMatchObject({ is: 'interrupted' });
  });
});

test('the worker is found beside the program, and in dist/ of a checkout', () => {
  expect(workerFile(join(folder, 'controller.cjs'))).toBe(file());
  expect(workerFile('/elsewhere/main.ts')).toBe(join(process.cwd(), 'dist/template-worker.cjs'));
});

test('the image has the worker beside the controller', () =>
  expect(readFileSync('Dockerfile.webhook', 'utf8')).toMatch(
    /^COPY .*dist\/controller\.cjs.* dist\/template-worker\.cjs \/app\/$/m,
  ));

test('with the flags of the manifests, a worker has its own limit, and the memory of the controller stays within 256 MiB', async () => {
  const [, flags = ''] =
    /command: \[node, (.*), \/app\/controller\.cjs\]/.exec(readFileSync('manifests/default/controller.yaml', 'utf8')) ??
    [];
  await build({
    stdin: {
      contents: `import { workerRenderer } from './controller/artifact/rendering/renderer.ts';
        const [, , file] = process.argv;
        const values = Object.fromEntries(Array.from({ length: 20000 }, (_, i) => ['k' + i, 'v'.repeat(20)]));
        const templates = [
          Array.from({ length: 900 }, (_, i) => '{{$a' + i + ':=printf "%500000s%500000s" "" ""}}').join(''),
          '{{range 90000}}{{$x := print $}}{{end}}',
          '{{' + '1 '.repeat(500000) + '}}',
          'a'.repeat(1048576),
        ];
        const messages = [];
        for (const template of templates) messages.push((await workerRenderer(file)({ template, values })).is);
        const greedy = (await workerRenderer(file.replace('template-worker', 'greedy-flags'))({ template: '', values })).message;
        console.log(JSON.stringify({ messages, greedy, rss: process.resourceUsage().maxRSS / 1024, limit: process.execArgv }));`,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: join(folder, 'flags.mjs'),
  });
  stub('greedy-flags.cjs', 'const a = []; for (;;) a.push({ a });');
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...flags.split(', '),
    join(folder, 'flags.mjs'),
    file(),
  ]);
  const { messages, greedy, rss } = JSON.parse(stdout) as { messages: string[]; greedy: string; rss: number };
  expect(messages).toEqual(['fault', 'fault', 'fault', 'text']);
  expect(greedy).toMatch(/^(needs more than 32 MiB of memory|takes longer than 10 s)$/);
  expect(rss).toBeLessThan(180);
});
