import { beforeEach, describe, expect, test } from '@jest/globals';
import { KubeError } from '../../kube/errors.js';
import type { Kube, Stored } from '../../kube/kube.js';
import { type Event, eventBody, recorder } from '../../kube/event-recorder.js';
import { silentLog } from '../../program/log.js';
import { type FakeClock, fakeClock } from '../fakes/clock.js';

const about = { apiVersion: 'example.org/v1', kind: 'Thing', name: 'a', namespace: 'default', uid: 'u1' };
const event = (more: Partial<Event> = {}): Event => ({
  about,
  type: 'Warning',
  reason: 'DrainBlocked',
  message: 'waiting for 2 pods',
  ...more,
});

let clock: FakeClock;
let sent: { verb: string; body: unknown; namespace?: string }[];
let refuse: boolean;
const answer = async <T extends Stored>(verb: string, body: unknown, namespace?: string): Promise<T> => {
  sent.push({ verb, body, namespace });
  if (refuse) throw new KubeError(403, 'no');
  return { metadata: { name: 'x', uid: 'x', resourceVersion: '1' } } as T;
};
const kube: Pick<Kube, 'create' | 'patch'> = {
  create: (_resource, body, namespace) => answer('create', body, namespace),
  patch: (_resource, at, body) => answer('patch', body, at.namespace),
};
const made = () => recorder(kube, { log: silentLog, clock, instance: 'controller-1' });

beforeEach(() => {
  clock = fakeClock();
  sent = [];
  refuse = false;
});

describe('the Event object', () => {
  const body = (more: Partial<Event> = {}) =>
    eventBody(event(more), { instance: 'controller-1', name: 'a.1', now: clock.now() });

  test('has all fields that the API server requires', () => {
    expect(body()).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'a.1', namespace: 'default' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      type: 'Warning',
      reason: 'DrainBlocked',
      action: 'DrainBlocked',
      note: 'waiting for 2 pods',
      regarding: about,
      related: undefined,
      reportingController: 'kairos-operator',
      reportingInstance: 'controller-1',
    });
  });

  test('about a cluster-scoped object is stored in the namespace default', () => {
    const node = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'n' };
    expect(body({ about: { ...node, namespace: undefined } }).metadata.namespace).toBe('default');
  });

  test.each([
    ['single-byte characters', 'x'.repeat(3_000)],
    ['multi-byte characters', '漢'.repeat(1_000)],
  ])('is truncated to the accepted length: %s', (_title, message) => {
    const { note } = body({ message });
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
    expect(note).toMatch(/ … \(\d+ more bytes\)$/);
    expect(note).not.toContain('\uFFFD');
  });
});

describe('recording', () => {
  test('repeated Events are counted, and the count is sent at most once a minute', async () => {
    const events = made();
    for (let n = 0; n < 5; n += 1) events.record(event());
    await clock.advance(61_000);
    events.record(event());
    await events.idle();
    expect(sent.map(({ verb }) => verb)).toEqual(['create', 'patch']);
    expect(sent[1]?.body).toEqual({ series: { count: 6, lastObservedTime: '2026-01-01T00:01:01.000000Z' } });
  });

  test.each<[string, Partial<Event>]>([
    ['another message', { message: 'waiting for 1 pod' }],
    ['another reason', { reason: 'Drained' }],
    ['another object of the same name', { about: { ...about, uid: 'u2' } }],
  ])('an Event with %s is recorded separately', async (_title, more) => {
    const events = made();
    events.record(event());
    events.record(event(more));
    await events.idle();
    expect(sent.map(({ verb }) => verb)).toEqual(['create', 'create']);
  });

  test('Events with changing words about one topic are counted', async () => {
    const events = made();
    for (let n = 0; n < 14; n += 1) {
      events.record(event({ topic: 'pod-1', message: `waiting for ${n} pods` }));
      await clock.advance(5_000);
    }
    events.record(event({ topic: 'pod-2', message: 'waiting' }));
    await events.idle();
    expect(sent.map(({ verb }) => verb)).toEqual(['create', 'patch', 'create']);
  });

  test('the words of a topic that have changed are in another Event after ten minutes', async () => {
    const events = made();
    for (let n = 0; n <= 120; n += 1) {
      events.record(event({ topic: 'pod-1', message: n < 60 ? 'first words' : 'second words' }));
      await clock.advance(5_000);
    }
    await events.idle();
    const notes = sent.filter(({ verb }) => verb === 'create').map(({ body }) => (body as { note: string }).note);
    expect(notes).toEqual(['first words', 'second words']);
  });

  test('an Event repeated after ten minutes is a new object with another name', async () => {
    const events = made();
    events.record(event());
    await clock.advance(11 * 60_000);
    events.record(event());
    await events.idle();
    expect(sent.map(({ verb }) => verb)).toEqual(['create', 'create']);
    expect(sent[0]?.body).not.toEqual(sent[1]?.body);
  });

  test('a long object name that is truncated at a dot or a dash gives a valid Event name', async () => {
    const events = made();
    for (const mark of ['.', '-']) events.record(event({ about: { ...about, name: `${'a'.repeat(199)}${mark}b` } }));
    await events.idle();
    for (const { body } of sent)
      expect(body).toHaveProperty('metadata.name', expect.stringMatching(/^a{199}\.[0-9a-f]{16}$/));
    expect(sent).toHaveLength(2);
  });

  test('a rejected Event does not affect the following ones', async () => {
    refuse = true;
    const events = made();
    events.record(event());
    events.record(event({ reason: 'Other' }));
    await events.idle();
    expect(sent).toHaveLength(2);
  });

  test('the Events of a namespace are sent and kept while another one has thousands', async () => {
    const events = made();
    for (let n = 0; n < 2_000; n += 1) events.record(event({ message: `number ${n}` }));
    events.record(event({ about: { ...about, namespace: 'quiet' }, message: 'of a quiet namespace' }));
    await events.idle();
    const at = sent.findIndex(body => JSON.stringify(body).includes('of a quiet namespace'));
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at).toBeLessThanOrEqual(2);
  });

  test('Events beyond the queue limit are dropped', async () => {
    const events = made();
    for (let n = 0; n < 2_000; n += 1) events.record(event({ message: `number ${n}` }));
    await events.idle();
    expect(sent.length).toBeLessThanOrEqual(502);
  });
});
