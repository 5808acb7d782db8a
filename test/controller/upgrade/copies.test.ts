import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../controller/upgrade/decide.js';
import type { Facts } from '../../../controller/upgrade/facts.js';
import { ended, facts, probe, RELEASE, target, TRIPLE, waiting } from './samples.js';

const done = (plan: ReturnType<typeof decide>) => plan.actions.map(action => action.do);
const arm = target('arm', { arch: 'arm64' });
const read = (more = {}) => probe({ container: ended(RELEASE), ...more });

describe('an upgrade whose image cannot be pulled', () => {
  const why = 'dial tcp: connection refused';
  const unreachable = (more = {}) => probe({ container: waiting('ErrImagePull', why), ageSeconds: 60, ...more });
  const place = { arch: 'amd64', node: 'n1', copy: true };

  test.each<[string, Partial<Facts>, { actions: object[]; reads: boolean }]>([
    [
      'reads the copy in the image store of the node',
      { probes: [unreachable()] },
      { actions: [{ do: 'createProbe', place }], reads: false },
    ],
    [
      'reads the copy after the last attempt, too',
      { probes: [probe({ container: waiting('ErrImagePull', 'not found'), ageSeconds: 60 })] },
      { actions: [{ do: 'createProbe', place }], reads: false },
    ],
    [
      'lets the kubelet try several times first',
      { probes: [unreachable({ ageSeconds: 59 })] },
      { actions: [], reads: false },
    ],
    [
      'waits for the probe of the copy',
      { probes: [unreachable(), probe({ copy: true })] },
      { actions: [], reads: false },
    ],
    [
      'keeps waiting for the registry if the node has no copy',
      { probes: [unreachable(), probe({ copy: true, container: waiting('ErrImageNeverPull', 'not present') })] },
      { actions: [], reads: false },
    ],
    [
      'takes the release of the copy',
      { probes: [unreachable(), probe({ copy: true, container: ended(RELEASE) })] },
      { actions: [], reads: true },
    ],
  ])('%s', (_sentence, seen, { actions, reads }) => {
    const plan = decide(facts(seen));
    expect(plan.actions).toEqual(actions);
    expect(plan.status?.phase).toBe('Initializing');
    expect(plan.status?.target?.version).toBe(reads ? TRIPLE : undefined);
  });

  test('warns that the registry may have a newer image', () => {
    const plan = decide(facts({ probes: [unreachable(), probe({ copy: true, container: ended(RELEASE) })] }));
    expect(plan.events).toMatchObject([
      { type: 'Normal' },
      { type: 'Warning', reason: 'Probing', message: expect.stringContaining(why) },
    ]);
  });

  test('moves to another node if the node with the copy is not Ready', () => {
    const targets = [target('n1', { ready: false }), target('n2')];
    const plan = decide(facts({ targets, probes: [unreachable(), probe({ copy: true })] }));
    expect(done(plan)).toEqual(['deleteProbe', 'createProbe']);
  });

  test('fails if only one architecture is read from a copy, because the two may differ', () => {
    const probes = [read(), unreachable({ arch: 'arm64', node: 'arm' })];
    const copy = probe({ arch: 'arm64', node: 'arm', copy: true, container: ended(RELEASE) });
    const plan = decide(facts({ targets: [target('n1'), arm], probes: [...probes, copy] }));
    expect(plan.status).toMatchObject({ phase: 'Failed', message: expect.stringContaining('arm64') });
  });

  test('prefers the image of the registry once it can be pulled', () => {
    const older = probe({ copy: true, container: ended(RELEASE.replace('v2', 'v1')) });
    const plan = decide(facts({ probes: [older, read()] }));
    expect(plan.status?.target?.version).toBe(TRIPLE);
  });

  test('fails with the pull error if no node has a copy', () => {
    const denied = probe({ container: waiting('ErrImagePull', 'unauthorized'), ageSeconds: 60 });
    const none = probe({ copy: true, container: waiting('ErrImageNeverPull', 'not present') });
    const plan = decide(facts({ probes: [denied, none] }));
    expect(plan.status).toMatchObject({ phase: 'Failed', message: expect.stringMatching(/unauthorized$/) });
  });
});
