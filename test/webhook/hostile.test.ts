/** Hostile requests: the webhook answers all of them in time and keeps nothing in memory. */
import { Agent, request as plainRequest, createServer, type Server } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Health } from '../../program/health.js';
import { silentLog } from '../../program/log.js';
import { MetricsRegistry } from '../../program/metrics.js';
import { validate } from '../../webhook/admit.js';
import { createApp } from '../../webhook/app.js';
import { webhookMetrics } from '../../webhook/metrics.js';
import { COSTLY_REVIEWS } from './costly-reviews.js';
import { faultsIn, request, review } from './reviews.js';
import { nodeOpSpecs, upgradeSpecs } from './objects.js';

jest.setTimeout(300_000); // ten thousand requests on a busy machine

/** timeoutSeconds of the webhook configurations: an API server that has no answer by then fails the request. */
const API_SERVER_WAITS_MS = 5_000;

let server: Server;
let port: number;
const errors: unknown[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const health = new Health();
/** Characters of the log lines of the latest review. */
let logged = 0;

beforeAll(async () => {
  const registry = new MetricsRegistry({ withProcessMetrics: false });
  health.serveMetrics(registry);
  const log = {
    ...silentLog,
    info: (fields: object | string) => void (logged += JSON.stringify(fields).length),
    error: (fields: object | string) => void errors.push(fields),
  };
  server = createServer(createApp({ health, log, onReview: webhookMetrics(registry, () => undefined) }));
  /* A slow machine must not let an idle connection expire between two requests. */
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

interface Answer {
  code: number;
  body: { response?: { allowed?: boolean }; error?: string };
  /** Processor time of this process until the answer: the load of the machine does not count. */
  ms: number;
}

const post = (path: string, body: string, headers: Record<string, string> = {}, withLength = true) =>
  new Promise<Answer>((resolve, reject) => {
    const start = process.cpuUsage();
    const length: Record<string, string> = withLength ? { 'content-length': String(Buffer.byteLength(body)) } : {};
    const all = { 'content-type': 'application/json', ...length, ...headers };
    const asking = plainRequest({ host: '127.0.0.1', port, path, method: 'POST', agent, headers: all }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const { user, system } = process.cpuUsage(start);
        const ms = (user + system) / 1_000;
        resolve({ code: response.statusCode ?? 0, body: JSON.parse(text) as Answer['body'], ms });
      });
    });
    asking.on('error', reject).end(body);
  });

const reviewOf = (spec: unknown, kind: 'NodeOp' | 'NodeOpUpgrade' = 'NodeOp') => JSON.stringify(review({ kind, spec }));

/** Arbitrary values as spec, random specs, and texts that are nearly a review. */
const bodies = fc.oneof(
  fc.anything({ withNullPrototype: true, maxDepth: 6 }).map(spec => safely(() => reviewOf(spec))),
  fc.object({ maxDepth: 4 }).map(spec => safely(() => reviewOf({ command: ['true'], ...spec }))),
  nodeOpSpecs.map(spec => reviewOf(spec)),
  upgradeSpecs.map(spec => reviewOf(spec, 'NodeOpUpgrade')),
  fc.json(),
  fc.tuple(nodeOpSpecs, fc.nat({ max: 600 })).map(([spec, at]) => reviewOf(spec).slice(0, at)),
  fc.tuple(nodeOpSpecs, fc.nat({ max: 600 }), fc.string()).map(([spec, at, text]) => {
    const whole = reviewOf(spec);
    return whole.slice(0, at) + text + whole.slice(at + text.length);
  }),
);

/** Some generated values cannot be serialised as JSON. */
function safely(write: () => string): string {
  try {
    return write();
  } catch {
    return '{}';
  }
}

function heapAfterCollecting(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

test('each of ten thousand random bodies is answered before the API server gives up, and none stays in memory', async () => {
  const slowest = { ms: 0, body: '' };
  const codes = new Map<number, number>();
  const round = async (seed: number) => {
    const texts = fc.sample(bodies, { numRuns: 2_000, seed });
    for (let at = 0; at < texts.length; at += 8) {
      const some = texts.slice(at, at + 8);
      const answers = await Promise.all(some.map((text, index) => post(index % 2 ? '/mutate' : '/validate', text)));
      for (const [index, { code, body, ms }] of answers.entries()) {
        codes.set(code, (codes.get(code) ?? 0) + 1);
        if (code === 200 && body.response?.allowed === undefined) throw new Error(`no verdict: ${some[index]}`);
        if (ms > slowest.ms) Object.assign(slowest, { ms, body: some[index]?.slice(0, 200) });
      }
    }
  };
  await round(1);
  const early = heapAfterCollecting();
  for (const seed of [2, 3, 4, 5]) await round(seed);
  const late = heapAfterCollecting();
  expect(new Set(codes.keys())).toEqual(new Set([200, 400]));
  expect([...codes.values()].reduce((sum, count) => sum + count)).toBe(10_000);
  expect(errors).toEqual([]);
  expect({ ...slowest, isInTime: slowest.ms < API_SERVER_WAITS_MS }).toEqual({ ...slowest, isInTime: true });
  expect(late - early).toBeLessThan(8 * 1024 * 1024);
});

describe('an answer before the API server gives up', () => {
  const longest = 'x'.repeat(1_000_000);
  const lists = (count: number, one: unknown) => Array.from({ length: count }, () => one);
  const selector = (matchExpressions: unknown[]) => ({ command: ['a'], nodeSelector: { matchExpressions } });
  test.each<[string, unknown, number | RegExp]>([
    [
      'is given to as many invalid items as the limit allows',
      { command: ['a'], imagePullSecrets: lists(19_000, {}) },
      40,
    ],
    [
      'is given to more values than the limit',
      { command: ['a'], imagePullSecrets: lists(120_000, {}) },
      /^spec: Too many/,
    ],
    [
      'is given to as many invalid requirements as the limit allows',
      selector(lists(3_000, { key: '-', operator: 'In', values: ['-', '-'] })),
      40,
    ],
    [
      'is given to a mount path of a million letters',
      { command: ['a'], hostMountPath: `/${longest}:` },
      /^spec.hostMountPath/,
    ],
    [
      'is given to a mount path of a million dots',
      { command: ['a'], hostMountPath: `/${'.'.repeat(1_000_000)}` },
      /^spec.host/,
    ],
    [
      'is given to a mount path of a million slashes',
      { command: ['a'], hostMountPath: `${'/'.repeat(1_000_000)}:` },
      /^spec.host/,
    ],
    [
      'is given to a label key of a million letters',
      selector([{ key: `${longest}!`, operator: 'Exists' }]),
      /key: Invalid value/,
    ],
    [
      'is given to a label key of dots',
      selector([{ key: `${'a.'.repeat(500_000)}!/b`, operator: 'Exists' }]),
      /key: Invalid/,
    ],
    [
      'is given to a label key of dashes',
      selector([{ key: `a${'-'.repeat(1_000_000)}/b`, operator: 'Exists' }]),
      /key: Invalid/,
    ],
    [
      'is given to a label key of a million slashes',
      selector([{ key: '/'.repeat(1_000_000), operator: 'Exists' }]),
      /key: Invalid/,
    ],
    [
      'is given to a label value of a million letters',
      { command: ['a'], nodeSelector: { matchLabels: { a: longest } } },
      /\.a: Inv/,
    ],
    [
      'is given to a concurrency of a million digits',
      { command: ['a'], concurrency: `${'9'.repeat(1_000_000)}%` },
      /^spec.conc/,
    ],
    ['is given to an unknown field of a million letters', { command: ['a'], [longest]: 1 }, 0],
    [
      'is given to fifteen thousand unknown fields',
      { command: ['a'], ...Object.fromEntries(lists(15_000, 0).map((_, n) => [`comand${n}`, n])) },
      0,
    ],
  ])('%s', async (_title, spec, expected) => {
    const { body, ms } = await post('/validate', reviewOf(spec));
    const faults = faultsIn(body as Parameters<typeof faultsIn>[0]);
    const matches = typeof expected === 'number' ? faults.length === expected : expected.test(faults.join('\n'));
    expect({ matches, faults: matches ? [] : faults.slice(0, 3) }).toEqual({ matches: true, faults: [] });
    expect(JSON.stringify(body).length).toBeLessThan(40_000);
    expect(ms).toBeLessThan(API_SERVER_WAITS_MS);
  });

  test.each(COSTLY_REVIEWS)('and a short one is given to %s', async (_title, write) => {
    const body = write();
    for (const path of ['/mutate', '/validate']) {
      logged = 0;
      const answer = await post(path, body);
      expect({ ...answer, body: answer.body.response?.allowed, ms: answer.ms < 1_000 }).toEqual({
        code: 200,
        body: expect.any(Boolean),
        ms: true,
      });
      expect(JSON.stringify(answer.body).length).toBeLessThan(40_000);
      expect(logged).toBeLessThan(8_000);
    }
  });

  test('reports at least how many faults there are when it stops looking for more', () => {
    const spec = { command: lists(19_000, 1) };
    expect(validate(request({ spec })).response.status?.message).toMatch(/, and at least 960 more\]$/);
  });

  test('does not repeat a uid, kind, namespace or name of a megabyte', async () => {
    const sent = review({ spec: {} });
    const long = { kind: { ...sent.request.kind, group: longest }, namespace: longest, name: longest };
    logged = 0;
    for (const attributes of [long, { uid: longest }, { operation: longest }]) {
      const answer = await post('/validate', JSON.stringify({ ...sent, request: { ...sent.request, ...attributes } }));
      expect(JSON.stringify(answer.body).length).toBeLessThan(4_000);
    }
    const named = await post('/validate', JSON.stringify({ ...sent, request: { ...sent.request, name: longest } }));
    expect(JSON.stringify(named.body).length).toBeLessThan(4_000);
    expect(logged).toBeLessThan(4_000);
  });

  test('counts the faults that it does not list', () => {
    const spec = { command: ['a'], imagePullSecrets: lists(100, {}) };
    expect(validate(request({ spec })).response.status?.message).toMatch(/, and 60 more\]$/);
  });
});

test('reviews of other kinds share one metrics series', async () => {
  for (let n = 0; n < 50; n += 1) {
    const other = review();
    other.request.kind = { group: 'g', version: 'v1', kind: `Kind${n}` };
    await post('/validate', JSON.stringify(other));
  }
  const { body } = await health.respond('/metrics');
  expect(body).not.toContain('Kind7');
  expect(body).toMatch(/kind="other",verdict="allowed"} \d+/);
});

describe('a body', () => {
  test('without a content length is rejected', async () => {
    const { code, body } = await post('/validate', reviewOf({}), { 'transfer-encoding': 'chunked' }, false);
    expect([code, body.error]).toEqual([411, 'the content-length header is required']);
  });

  test('with compression is rejected', async () => {
    const { code, body } = await post('/validate', reviewOf({}), { 'content-encoding': 'gzip' });
    expect([code, body.error]).toEqual([415, 'the content encoding is not supported']);
  });

  test('is rejected temporarily while too many large ones are being received', async () => {
    const opened = Array.from({ length: 5 }, () => {
      const headers = { 'content-type': 'application/json', 'content-length': String(3_900_000) };
      const asking = plainRequest({ host: '127.0.0.1', port, path: '/validate', method: 'POST', headers });
      const answer = new Promise<number>(resolve => {
        asking.on('response', response => resolve(response.statusCode ?? 0));
        asking.on('error', () => resolve(0));
      });
      asking.write('{');
      return { asking, answer };
    });
    expect(await Promise.race(opened.map(({ answer }) => answer))).toBe(503);
    for (const { asking } of opened) asking.destroy();
    await Promise.all(opened.map(({ answer }) => answer));
    expect((await post('/validate', reviewOf({ command: ['a'] }))).code).toBe(200);
  });
});
