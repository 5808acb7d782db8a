import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../controller/upgrade/decide.js';
import type { Facts } from '../../../controller/upgrade/facts.js';
import { ended, facts, probe, RELEASE, secondsAgo, target, TRIPLE, upgrade, waiting } from './samples.js';

const done = (plan: ReturnType<typeof decide>) => plan.actions.map(action => action.do);
/** How long ago errors of the Pods were first seen, by the beginning of the record. */
const withErrors = (seconds: number, ...records: string[]) =>
  upgrade({ status: { pullErrors: records.map(record => ({ for: record, since: secondsAgo(seconds) })) } });
const AMD = 'uid-of-probe-amd64-n1';

const arm = target('arm', { arch: 'arm64' });
const read = (more = {}) => probe({ container: ended(RELEASE), ...more });

describe('an upgrade whose image cannot be pulled', () => {
  const why = 'dial tcp: connection refused';
  const unreachable = (more = {}) => probe({ container: waiting('ErrImagePull', why), ageSeconds: 900, ...more });
  const failing = withErrors(60, `${AMD} error`);
  const place = { arch: 'amd64', node: 'n1', copy: true };

  test.each<[string, Partial<Facts>, { actions: object[]; reads: boolean }]>([
    [
      'reads the copy in the image store of the node',
      { upgrade: failing, probes: [unreachable()] },
      { actions: [{ do: 'createProbe', place }], reads: false },
    ],
    [
      'reads the copy after the last attempt, too',
      {
        upgrade: withErrors(30, `${AMD} error`, `${AMD} probe`),
        probes: [probe({ container: waiting('ErrImagePull', 'not found') })],
      },
      { actions: [{ do: 'createProbe', place }], reads: false },
    ],
    [
      'lets the kubelet try several times first',
      { upgrade: withErrors(59, `${AMD} error`), probes: [unreachable()] },
      { actions: [], reads: false },
    ],
    [
      'waits for the probe of the copy',
      { upgrade: failing, probes: [unreachable(), probe({ copy: true })] },
      { actions: [], reads: false },
    ],
    [
      'keeps waiting for the registry if the node has no copy',
      {
        upgrade: failing,
        probes: [unreachable(), probe({ copy: true, container: waiting('ErrImageNeverPull', 'not present') })],
      },
      { actions: [], reads: false },
    ],
    [
      'takes the release of the copy',
      { upgrade: failing, probes: [unreachable(), probe({ copy: true, container: ended(RELEASE) })] },
      { actions: [], reads: true },
    ],
  ])('%s', (_sentence, seen, { actions, reads }) => {
    const plan = decide(facts(seen));
    expect(plan.actions).toEqual(actions);
    expect(plan.status?.phase).toBe('Initializing');
    expect(plan.status?.target?.version).toBe(reads ? TRIPLE : undefined);
  });

  test('warns that the registry may have a newer image', () => {
    const probes = [unreachable(), probe({ copy: true, container: ended(RELEASE) })];
    const plan = decide(facts({ upgrade: failing, probes }));
    expect(plan.events).toMatchObject([
      { type: 'Normal' },
      { type: 'Warning', reason: 'Probing', message: expect.stringContaining(why) },
    ]);
  });

  test('moves to another node if the node with the copy is not Ready', () => {
    const targets = [target('n1', { ready: false }), target('n2')];
    const plan = decide(facts({ upgrade: failing, targets, probes: [unreachable(), probe({ copy: true })] }));
    expect(done(plan)).toEqual(['deleteProbe', 'createProbe']);
  });

  test('fails if only one architecture is read from a copy, because the two may differ', () => {
    const probes = [read(), unreachable({ arch: 'arm64', node: 'arm' })];
    const copy = probe({ arch: 'arm64', node: 'arm', copy: true, container: ended(RELEASE) });
    const seen = { upgrade: withErrors(60, 'uid-of-probe-arm64-arm error'), targets: [target('n1'), arm] };
    const plan = decide(facts({ ...seen, probes: [...probes, copy] }));
    expect(plan.status).toMatchObject({ phase: 'Failed', message: expect.stringContaining('arm64') });
  });

  test('prefers the image of the registry once it can be pulled', () => {
    const older = probe({ copy: true, container: ended(RELEASE.replace('v2', 'v1')) });
    const plan = decide(facts({ probes: [older, read()] }));
    expect(plan.status?.target?.version).toBe(TRIPLE);
  });

  test('fails with the pull error if no node has a copy', () => {
    const refused = withErrors(60, `${AMD} error`, `${AMD} probe`);
    const denied = probe({ container: waiting('ErrImagePull', 'unauthorized') });
    const none = probe({ copy: true, container: waiting('ErrImageNeverPull', 'not present') });
    const plan = decide(facts({ upgrade: refused, probes: [denied, none] }));
    expect(plan.status).toMatchObject({ phase: 'Failed', message: expect.stringMatching(/unauthorized$/) });
  });
});

describe('what is recorded of pull errors', () => {
  const failing = (more = {}) => probe({ container: waiting('ErrImagePull', 'not found'), ...more });

  test('is when an error and a refusal were first seen', () => {
    const { pullErrors } = decide(facts({ probes: [failing()] })).status ?? {};
    expect(pullErrors).toEqual([
      { for: `${AMD} error`, since: secondsAgo(0) },
      { for: `${AMD} probe`, since: secondsAgo(0) },
    ]);
  });

  test('stays while the Pod reports no error for a moment', () => {
    const known = withErrors(20, `${AMD} error`);
    const plan = decide(facts({ upgrade: known, probes: [probe({ container: waiting('ContainerCreating') })] }));
    expect(plan.status?.pullErrors).toEqual(known.status?.pullErrors);
  });

  test.each([
    ['its Pod is gone', { probes: [] }],
    ['the image was read', { probes: [read()] }],
  ])('is removed when %s', (_when, seen) => {
    const plan = decide(facts({ upgrade: withErrors(20, `${AMD} error`), ...seen }));
    expect(plan.status?.pullErrors).toBeUndefined();
  });
});
