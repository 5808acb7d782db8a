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

  test('of an invalid object reports three faults by their paths', async () => {
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

  test('of an object without defaults returns a patch', async () => {
    const { body } = await post('/mutate', review());
    expect(body.response).toMatchObject({ allowed: true, patchType: 'JSONPatch' });
  });

  test.each(['/mutate', '/validate'])('in dry-run mode is answered by %s like a real one, each time', async path => {
    const real = await post(path, review());
    for (let round = 0; round < 3; round += 1)
      expect((await post(path, review({ dryRun: true }))).body).toEqual(real.body);
  });

  test('may contain fields of later API versions', async () => {
    const sent = review();
    const later = { ...sent, request: { ...sent.request, requestKind: {}, userInfo: { username: 'a' }, novelty: 1 } };
    expect((await post('/validate', later)).body.response.allowed).toBe(true);
  });
});

describe('a request that is no review', () => {
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
      { ...review(), request: { ...review().request, operation: 'READ' } },
      /request\.operation: /,
    ],
    ['a string as object', { ...review(), request: { ...review().request, object: 'x' } }, /request\.object: /],
    ['an empty object', {}, /expected an AdmissionReview of admission\.k8s\.io\/v1/],
    ['a list', [], /expected an AdmissionReview of admission\.k8s\.io\/v1/],
  ])('with %s gets a 400 with a message', async (_title, body, message) => {
    const answer = await post('/validate', body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(message);
  });

  test.each<[string, string, string, number, string]>([
    ['broken JSON', 'application/json', '{"kind":', 400, 'the body is not valid JSON'],
    ['another content type', 'text/plain', '{}', 415, 'expected content type application/json, got text/plain'],
    ['a form', 'application/x-www-form-urlencoded', 'a=b', 415, 'expected content type application/json'],
    ['an unknown charset', 'application/json; charset=klingon', '{}', 415, 'the charset is not supported'],
    ['a huge body', 'application/json', `"${'x'.repeat(4 * 1024 * 1024)}"`, 413, 'the body is larger than 4mb'],
    ['UTF-16', 'application/json; charset=utf-16', '{}', 415, 'the charset is not supported'],
    ['deep nesting', 'application/json', '['.repeat(1_000_000), 413, 'the body is nested deeper than 100 levels'],
    ['many empty objects', 'application/json', `[${'{},'.repeat(400_000)}0]`, 413, 'more than 250000 values'],
  ])('with %s gets an error message without a stack trace', async (...[, type, body, code, message]) => {
    const answer = await request(app).post('/mutate').set('content-type', type).send(body);
    expect(answer.status).toBe(code);
    expect(answer.body.error).toContain(message);
    expect(answer.text).not.toMatch(/\bat .*:\d+|node_modules/);
  });

  test('without a body gets an error message', async () => {
    const answer = await request(app).post('/validate');
    expect(answer.status).toBe(415);
    expect(answer.body.error).toContain('got none');
  });

  test('with another method than POST gets a 405', async () => {
    const answer = await request(app).get('/mutate');
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
  });

  test('to an unknown path gets a 404', async () => {
    const answer = await request(app).get('/admin');
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ error: 'not found: /admin' });
  });
});

test('a rejection is logged with its field paths, but without the values', async () => {
  const lines: unknown[] = [];
  const log: Log = { ...silentLog, info: (fields: object | string) => void lines.push(fields) };
  await request(createApp({ health, log }))
    .post('/validate')
    .send(review({ spec: { command: 'password' } }));
  expect(lines).toEqual([expect.objectContaining({ object: 'NodeOp default/x', fields: ['spec.command'] })]);
  expect(JSON.stringify(lines)).not.toContain('password');
});

test('an internal error is logged, but not sent to the user', async () => {
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
  test('healthz and readyz report the checks', async () => {
    expect((await request(app).get('/healthz')).status).toBe(200);
    health.addReadinessCheck('certificate', () => 'no certificate yet');
    const answer = await request(app).get('/readyz');
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('certificate: no certificate yet');
  });

  test('metrics count reviews by verdict and report the expiry of the certificate', async () => {
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
