import { describe, expect, test } from '@jest/globals';
import { mutate, validate } from '../../webhook/admit.js';
import { faultsIn, request } from './reviews.js';

const ok = { command: ['true'] };
const running = { phase: 'Running', startedAt: '2026-01-01T00:00:00Z' };

const rejectedFields = (before: { spec: unknown; status?: unknown }, spec: unknown) =>
  faultsIn(validate(request({ spec, before }))).map(fault => fault.split(':')[0]);

describe('the spec of a started operation', () => {
  test.each<[string, unknown, unknown, string[]]>([
    ['cannot change its command', ok, { command: ['false'] }, ['spec.command']],
    ['cannot change its targets', ok, { ...ok, nodeSelector: { matchLabels: { a: 'b' } } }, ['spec.nodeSelector']],
    [
      'reports every changed field',
      ok,
      { command: ['a'], cordon: true, image: 'b' },
      ['spec.command', 'spec.cordon', 'spec.image'],
    ],
    ['cannot omit a field', { ...ok, image: 'a' }, ok, ['spec.image']],
    [
      'cannot change nested fields',
      { ...ok, drainOptions: { enabled: true } },
      { ...ok, drainOptions: { enabled: true, force: true } },
      ['spec.drainOptions'],
    ],
    ['can be paused', ok, { ...ok, paused: true }, []],
    ['can change its concurrency', { ...ok, concurrency: 5 }, { ...ok, concurrency: '10%' }, []],
    ['can enable stopOnFailure', ok, { ...ok, stopOnFailure: true }, []],
    ['can change settleSeconds', ok, { ...ok, settleSeconds: 60 }, []],
    ['can set ttlSecondsAfterFinished', ok, { ...ok, ttlSecondsAfterFinished: 60 }, []],
    ['can add a default explicitly', ok, { ...ok, backoffLimit: 3, cordon: false }, []],
    ['can omit a default', { ...ok, cordon: false }, { ...ok, paused: true }, []],
    ['can have its keys in another order', { ...ok, cordon: true }, { cordon: true, ...ok }, []],
  ])('%s', (_title, before, after, rejected) =>
    expect(rejectedFields({ spec: before, status: running }, after)).toEqual(rejected),
  );

  test.each<[string, unknown, boolean]>([
    ['it has no status', undefined, false],
    ['it is pending', { phase: 'Pending' }, false],
    ['it is initializing', { phase: 'Initializing' }, false],
    ['it has a start time', { phase: 'Pending', startedAt: '2026-01-01T00:00:00Z' }, true],
    ['it is running', { phase: 'Running' }, true],
    ['it is completed', { phase: 'Completed' }, true],
    ['it has failed', { phase: 'Failed' }, true],
  ])('is immutable or not when %s', (_title, status, isImmutable) =>
    expect(rejectedFields({ spec: ok, status }, { command: ['false'] })).toEqual(isImmutable ? ['spec.command'] : []),
  );

  test('is rejected with advice to create a new object', () =>
    expect(
      faultsIn(validate(request({ spec: { command: ['false'] }, before: { spec: ok, status: running } }))),
    ).toEqual([
      'spec.command: Forbidden: field is immutable once the operation has started, because each object is one run; create a new object instead (metadata.generateName gives each run its own name)',
    ]));

  test('cannot change the image of an upgrade', () => {
    const asked = request({
      kind: 'NodeOpUpgrade',
      spec: { image: 'b' },
      before: { spec: { image: 'a' }, status: running },
    });
    expect(faultsIn(validate(asked))).toHaveLength(1);
    expect(faultsIn(mutate(asked))).toHaveLength(1);
  });
});

describe('an object stored before a rule was introduced', () => {
  const wrong = { command: [], concurrency: -1 };

  test('can have its finalizers and labels changed', () =>
    expect(
      validate(request({ spec: wrong, before: { spec: wrong }, metadata: { finalizers: [] } })).response.allowed,
    ).toBe(true));

  test('is not reviewed while it is terminating', () => {
    const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(validate(request({ spec: wrong, before: { spec: ok, status: running }, metadata })).response.allowed).toBe(
      true,
    );
  });

  test('is rejected for new faults only', () => {
    expect(faultsIn(validate(request({ spec: { ...wrong, paused: true }, before: { spec: wrong } })))).toEqual([]);
    expect(faultsIn(validate(request({ spec: { ...wrong, paused: 'x' }, before: { spec: wrong } })))).toEqual([
      'spec.paused: Invalid value: "x": must be a boolean',
    ]);
  });

  test('is rejected when a field gets another invalid value', () =>
    expect(faultsIn(validate(request({ spec: { ...wrong, concurrency: -2 }, before: { spec: wrong } })))).toHaveLength(
      1,
    ));
});
