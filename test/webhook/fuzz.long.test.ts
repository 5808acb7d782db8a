/**
 * An hour of random and expensive reviews, drawn from a seed: no answer is missing, no stall is longer than a second, no memory is kept.
 * WEBHOOK_FUZZ_MINUTES and WEBHOOK_FUZZ_SEED change the duration and the draws.
 */
import { Agent, createServer, request as plainRequest, type Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Health } from '../../program/health.js';
import { silentLog } from '../../program/log.js';
import { createApp } from '../../webhook/app.js';
import { COSTLY_REVIEWS } from './costly-reviews.js';
import { nodeOpSpecs, upgradeSpecs } from './objects.js';
import { review } from './reviews.js';

const MINUTES = Number(process.env.WEBHOOK_FUZZ_MINUTES ?? 60);
const SEED = Number(process.env.WEBHOOK_FUZZ_SEED ?? 1);
const MAX_STALL_MS = 1_000;
const MAX_GROWTH = 16 * 1024 * 1024;

jest.setTimeout((MINUTES + 30) * 60_000);

let server: Server;
let port = 0;
const errors: unknown[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

beforeAll(async () => {
  const log = { ...silentLog, error: (fields: object | string) => void errors.push(fields) };
  server = createServer(createApp({ health: new Health(), log }));
  server.keepAliveTimeout = 60_000;
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address ? address.port : 0;
});

afterAll(async () => {
  agent.destroy();
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
});

const post = (path: string, body: Buffer) =>
  new Promise<{ code: number; text: string }>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
    const sent = plainRequest({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ code: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject).end(body);
  });

const texts = fc.oneof(
  nodeOpSpecs.map(spec => JSON.stringify(review({ spec }))),
  upgradeSpecs.map(spec => JSON.stringify(review({ kind: 'NodeOpUpgrade', spec }))),
  fc
    .tuple(nodeOpSpecs, nodeOpSpecs)
    .map(([spec, before]) => JSON.stringify(review({ spec, before: { spec: before } }))),
  fc.object({ maxDepth: 5 }).map(spec => JSON.stringify(review({ spec: { command: ['true'], ...spec } })) ?? '{}'),
  fc.json(),
);

/** Some bytes of the text are replaced. */
const damaged = fc
  .tuple(texts, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 6 }))
  .map(([text, changes]) => {
    const body = Buffer.from(text);
    for (const [at, byte] of changes) body[at % Math.max(body.length, 1)] = byte;
    return body;
  });

const bodies = fc.oneof(
  { weight: 20, arbitrary: texts.map(text => Buffer.from(text)) },
  { weight: 20, arbitrary: damaged },
  { weight: 1, arbitrary: fc.constantFrom(...COSTLY_REVIEWS).map(([, write]) => Buffer.from(write())) },
);

function heapAfterCollecting(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** Sends one round of bodies; returns the processor time of the most expensive answer. */
async function round(seed: number): Promise<{ ms: number; stallMs: number; codes: Set<number> }> {
  const codes = new Set<number>();
  let ms = 0;
  const drawn = fc.sample(fc.tuple(bodies, fc.constantFrom('/mutate', '/validate')), { seed, numRuns: 200 });
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  for (const [body, path] of drawn) {
    const start = process.cpuUsage();
    const { code, text } = await post(path, body);
    const { user, system } = process.cpuUsage(start);
    ms = Math.max(ms, (user + system) / 1_000);
    codes.add(code);
    if (code === 200 && !/"allowed":(true|false)/.test(text))
      throw new Error(`seed ${seed}: no verdict: ${text.slice(0, 200)}`);
    if (text.length > 200_000) throw new Error(`seed ${seed}: an answer of ${text.length} characters`);
  }
  delay.disable();
  return { ms, stallMs: delay.max / 1e6, codes };
}

test('every review is answered without a stall, and none stays in memory', async () => {
  const until = Date.now() + MINUTES * 60_000;
  await round(SEED);
  const before = heapAfterCollecting();
  let [rounds, longest, stall] = [0, 0, 0];
  do {
    rounds += 1;
    const { ms, stallMs, codes } = await round(SEED + rounds);
    [longest, stall] = [Math.max(longest, ms), Math.max(stall, stallMs)];
    expect([...codes].filter(code => ![200, 400, 413].includes(code))).toEqual([]);
    /* The clock of a busy machine is no measure; processor time is. */
    expect(ms).toBeLessThan(MAX_STALL_MS);
  } while (Date.now() < until);
  expect(errors).toEqual([]);
  expect(heapAfterCollecting() - before).toBeLessThan(MAX_GROWTH);
  console.log(`${rounds} rounds of 200: at most ${longest.toFixed(0)} ms of CPU, longest stall ${stall.toFixed(0)} ms`);
});
