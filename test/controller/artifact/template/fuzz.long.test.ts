/** Hostile templates in the worker, for an hour or FUZZ_MINUTES, from FUZZ_SEED: the event loop, the memory and the messages are watched. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { workerRenderer } from '../../../../controller/artifact/rendering/renderer.js';
import { bundle } from '../../../../packaging/supply/bundles.js';
import { hostileTemplates, MARKER } from './hostile-templates.js';

const MINUTES = Number(process.env.FUZZ_MINUTES ?? 60);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const entries = { 'template-worker': 'controller/artifact/template/worker.ts' };
  await bundle(entries, { root: process.cwd(), out: folder, version: '1' });
});
afterAll(() => rmSync(folder, { recursive: true }));

test(
  'no template stalls the event loop, ends the process, keeps memory or is quoted',
  async () => {
    const next = hostileTemplates(SEED);
    const render = workerRenderer(join(folder, 'template-worker.cjs'));
    const before = process.memoryUsage().rss;
    const delay = monitorEventLoopDelay({ resolution: 10 });
    const tally: Record<string, number> = {};
    const messages = new Set<string>();
    let peak = 0;
    for (const end = performance.now() + MINUTES * 60_000; performance.now() < end; ) {
      const job = next();
      delay.enable();
      const outcome = await render(job);
      delay.disable();
      tally[outcome.is] = (tally[outcome.is] ?? 0) + 1;
      if (outcome.is !== 'text') messages.add(outcome.message.replace(/\d+/g, ''));
      peak = Math.max(peak, process.memoryUsage().rss - before);
    }
    console.log(JSON.stringify({ seed: SEED, tally, stallMs: delay.max / 1e6, peakMiB: peak / 2 ** 20 }));
    expect([...messages].filter(message => message.includes(MARKER.replace(/\d+/g, '')))).toEqual([]);
    expect(delay.max / 1e6).toBeLessThan(1_000);
    expect(peak / 2 ** 20).toBeLessThan(160);
  },
  (MINUTES + 5) * 60_000,
);
