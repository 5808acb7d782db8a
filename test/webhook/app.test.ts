import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Express } from 'express';
import request from 'supertest';
import { Health } from '../../program/health.js';
import { type Log, silentLog } from '../../program/log.js';
import { MetricsRegistry } from '../../program/metrics.js';
import { createApp } from '../../webhook/app.js';
import { webhookMetrics } from '../../webhook/metrics.js';
import { denialOf, faultsIn, review } from './reviews.js';

let app: Express;
let health: Health;

beforeEach(() => {
  health = new Health();
  const registry = new MetricsRegistry({ withProcessMetrics: false });
  health.serveMetrics(registry);
  const onReview = webhookMetrics(registry, () => new Date('2026-01-01T00:00:00Z'));
  app = createApp({ health, log: silentLog, onReview });
});

const post = (path: string, body: object) => request(app).post(path).send(body);

describe('a review', () => {
  test('is answered with its uid', async () => {
    const { status, body } = await post('/validate', review());
    expect(status).toBe(200);
    expect(body).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: review().request.uid, allowed: true },
    });
  });

  test('of a wrong object names three mistakes by three paths', async () => {
    const spec = { concurrency: -1, cordon: 'yes', preflight: {} };
    const { status, body } = await post('/validate', review({ spec: { ...spec, command: ['true'] } }));
    expect(status).toBe(200);
    expect(faultsIn(body).map(fault => fault.split(':')[0])).toEqual([
      'spec.concurrency',
      'spec.cordon',
      'spec.preflight',
    ]);
    expect(denialOf(body)).toMatchObject({ code: 422, reason: 'Invalid' });
  });

  test('of an object without defaults brings a patch', async () => {
    const { body } = await post('/mutate', review());
    expect(body.response).toMatchObject({ allowed: true, patchType: 'JSONPatch' });
  });

  test.each(['/mutate', '/validate'])('as a dry run is answered by %s like a real one, again and again', async path => {
    const real = await post(path, review());
    for (let round = 0; round < 3; round += 1)
      expect((await post(path, review({ dryRun: true }))).body).toEqual(real.body);
  });

  test('may carry fields of later versions', async () => {
    const asked = review();
    const later = { ...asked, request: { ...asked.request, requestKind: {}, userInfo: { username: 'a' }, novelty: 1 } };
    expect((await post('/validate', later)).body.response.allowed).toBe(true);
  });
});

describe('what is no review', () => {
  test.each<[string, object, RegExp]>([
    [
      'another version',
      { ...review(), apiVersion: 'admission.k8s.io/v1beta1' },
      /apiVersion: .*admission\.k8s\.io\/v1"/,
    ],
    ['another kind', { ...review(), kind: 'Pod' }, /kind: /],
    ['no request', { ...review(), request: undefined }, /request: /],
    ['a request without uid', { ...review(), request: { ...review().request, uid: '' } }, /request\.uid: /],
    [
      'an unknown operation',
      { ...review(), request: { ...review().request, operation: 'LOOK' } },
      /request\.operation: /,
    ],
    ['a text as object', { ...review(), request: { ...review().request, object: 'x' } }, /request\.object: /],
    ['an empty object', {}, /expected an AdmissionReview of admission\.k8s\.io\/v1/],
    ['a list', [], /expected an AdmissionReview of admission\.k8s\.io\/v1/],
  ])('%s gets a clear 400', async (_sentence, body, said) => {
    const answer = await post('/validate', body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(said);
  });

  test.each<[string, string, string, number, string]>([
    ['broken JSON', 'application/json', '{"kind":', 400, 'the body is not JSON'],
    ['another content type', 'text/plain', '{}', 415, 'expected content type application/json, got text/plain'],
    ['a form', 'application/x-www-form-urlencoded', 'a=b', 415, 'expected content type application/json'],
    ['an unknown charset', 'application/json; charset=klingon', '{}', 415, 'the charset is not supported'],
    ['a huge body', 'application/json', `"${'x'.repeat(4 * 1024 * 1024)}"`, 413, 'the body is larger than 4mb'],
    ['UTF-16', 'application/json; charset=utf-16', '{}', 415, 'the charset is not supported'],
    ['a nest', 'application/json', '['.repeat(1_000_000), 413, 'the body is nested deeper than 100 levels'],
    ['a heap of nothings', 'application/json', `[${'{},'.repeat(400_000)}0]`, 413, 'more than 250000 values'],
  ])('%s gets a clear answer without a stack', async (...[, type, body, code, said]) => {
    const answer = await request(app).post('/mutate').set('content-type', type).send(body);
    expect(answer.status).toBe(code);
    expect(answer.body.error).toContain(said);
    expect(answer.text).not.toMatch(/\bat .*:\d+|node_modules/);
  });

  test('no body at all gets a clear answer', async () => {
    const answer = await request(app).post('/validate');
    expect(answer.status).toBe(415);
    expect(answer.body.error).toContain('got none');
  });

  test('looking is not asking', async () => {
    const answer = await request(app).get('/mutate');
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
  });

  test('other paths are told of', async () => {
    const answer = await request(app).get('/admin');
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ error: 'there is nothing at /admin' });
  });
});

test('a refusal is logged by its fields, without what was sent', async () => {
  const lines: unknown[] = [];
  const log: Log = { ...silentLog, info: (fields: object | string) => void lines.push(fields) };
  await request(createApp({ health, log }))
    .post('/validate')
    .send(review({ spec: { command: 'password' } }));
  expect(lines).toEqual([expect.objectContaining({ object: 'NodeOp default/x', fields: ['spec.command'] })]);
  expect(JSON.stringify(lines)).not.toContain('password');
});

test('a fault of our own is told to the log, not to the user', async () => {
  const errors: object[] = [];
  const log: Log = { ...silentLog, error: (fields: object | string) => void errors.push(Object(fields)) };
  const onReview = ({ verdict }: { verdict: string }) => {
    if (verdict !== 'failed') throw new Error('secret detail');
  };
  const answer = await request(createApp({ health, log, onReview })).post('/validate').send(review());
  expect(answer.status).toBe(500);
  expect(answer.text).not.toContain('secret detail');
  expect(errors).toHaveLength(1);
});

describe('health and metrics', () => {
  test('healthz and readyz tell of the checks', async () => {
    expect((await request(app).get('/healthz')).status).toBe(200);
    health.addReadinessCheck('certificate', () => 'there is none yet');
    const answer = await request(app).get('/readyz');
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('certificate: there is none yet');
  });

  test('metrics count questions by verdict and tell when the certificate ends', async () => {
    await post('/validate', review());
    await post('/validate', review({ spec: {} }));
    const { text, status } = await request(app).get('/metrics');
    expect(status).toBe(200);
    expect(text).toContain(
      'kairos_operator_webhook_requests_total{webhook="validate",kind="NodeOp",verdict="allowed"} 1',
    );
    expect(text).toContain(
      'kairos_operator_webhook_requests_total{webhook="validate",kind="NodeOp",verdict="denied"} 1',
    );
    expect(text).toContain('kairos_operator_webhook_certificate_expiry_timestamp_seconds 1767225600');
  });
});
