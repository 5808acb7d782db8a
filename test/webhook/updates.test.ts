import { describe, expect, test } from '@jest/globals';
import { mutate, validate } from '../../webhook/admit.js';
import { faultsIn, request } from './reviews.js';

const ok = { command: ['true'] };
const running = { phase: 'Running', startedAt: '2026-01-01T00:00:00Z' };

const fieldsRefused = (before: { spec: unknown; status?: unknown }, spec: unknown) =>
  faultsIn(validate(request({ spec, before }))).map(fault => fault.split(':')[0]);

describe('the spec of a started operation', () => {
  test.each<[string, unknown, unknown, string[]]>([
    ['keeps its command', ok, { command: ['false'] }, ['spec.command']],
    ['keeps its targets', ok, { ...ok, nodeSelector: { matchLabels: { a: 'b' } } }, ['spec.nodeSelector']],
    [
      'keeps everything at once',
      ok,
      { command: ['a'], cordon: true, image: 'b' },
      ['spec.command', 'spec.cordon', 'spec.image'],
    ],
    ['keeps what was left out later', { ...ok, image: 'a' }, ok, ['spec.image']],
    [
      'keeps what is inside',
      { ...ok, drainOptions: { enabled: true } },
      { ...ok, drainOptions: { enabled: true, force: true } },
      ['spec.drainOptions'],
    ],
    ['may be paused', ok, { ...ok, paused: true }, []],
    ['may be slowed down', { ...ok, concurrency: 5 }, { ...ok, concurrency: '10%' }, []],
    ['may learn to stop', ok, { ...ok, stopOnFailure: true }, []],
    ['may settle longer', ok, { ...ok, settleSeconds: 60 }, []],
    ['may get an end for its Jobs', ok, { ...ok, ttlSecondsAfterFinished: 60 }, []],
    ['may say a default aloud', ok, { ...ok, backoffLimit: 3, cordon: false }, []],
    ['may leave a default out', { ...ok, cordon: false }, { ...ok, paused: true }, []],
    ['may have its keys in another order', { ...ok, cordon: true }, { cordon: true, ...ok }, []],
  ])('%s', (_sentence, before, after, refused) =>
    expect(fieldsRefused({ spec: before, status: running }, after)).toEqual(refused),
  );

  test.each<[string, unknown, boolean]>([
    ['nothing is known yet', undefined, false],
    ['it waits', { phase: 'Pending' }, false],
    ['it is being set up', { phase: 'Initializing' }, false],
    ['it was started', { phase: 'Pending', startedAt: '2026-01-01T00:00:00Z' }, true],
    ['it runs', { phase: 'Running' }, true],
    ['it is completed', { phase: 'Completed' }, true],
    ['it has failed', { phase: 'Failed' }, true],
  ])('when %s', (_sentence, status, frozen) =>
    expect(fieldsRefused({ spec: ok, status }, { command: ['false'] })).toEqual(frozen ? ['spec.command'] : []),
  );

  test('the refusal says what to do instead', () =>
    expect(
      faultsIn(validate(request({ spec: { command: ['false'] }, before: { spec: ok, status: running } }))),
    ).toEqual([
      'spec.command: Forbidden: may not change once the operation has started: one object is one run. Create a new object instead (metadata.generateName gives each run its own name)',
    ]));

  test('an upgrade keeps its image', () => {
    const asked = request({
      kind: 'NodeOpUpgrade',
      spec: { image: 'b' },
      before: { spec: { image: 'a' }, status: running },
    });
    expect(faultsIn(validate(asked))).toHaveLength(1);
    expect(faultsIn(mutate(asked))).toHaveLength(1);
  });
});

describe('an old object', () => {
  const wrong = { command: [], concurrency: -1 };

  test('with faults from before can have its finalizers and labels changed', () =>
    expect(
      validate(request({ spec: wrong, before: { spec: wrong }, metadata: { finalizers: [] } })).response.allowed,
    ).toBe(true));

  test('being deleted is never judged', () => {
    const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(validate(request({ spec: wrong, before: { spec: ok, status: running }, metadata })).response.allowed).toBe(
      true,
    );
  });

  test('is judged by what the change brings, not by what was wrong before', () => {
    expect(faultsIn(validate(request({ spec: { ...wrong, paused: true }, before: { spec: wrong } })))).toEqual([]);
    expect(faultsIn(validate(request({ spec: { ...wrong, paused: 'x' }, before: { spec: wrong } })))).toEqual([
      'spec.paused: Invalid value: "x": must be a boolean',
    ]);
  });

  test('that gets another wrong value is refused', () =>
    expect(faultsIn(validate(request({ spec: { ...wrong, concurrency: -2 }, before: { spec: wrong } })))).toHaveLength(
      1,
    ));
});
