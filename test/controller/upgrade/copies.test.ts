import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../controller/upgrade/decide.js';
import type { Facts } from '../../../controller/upgrade/facts.js';
import { ended, facts, probe, RELEASE, target, TRIPLE, waiting } from './samples.js';

const done = (plan: ReturnType<typeof decide>) => plan.actions.map(action => action.do);
const arm = target('arm', { arch: 'arm64' });
const read = (more = {}) => probe({ container: ended(RELEASE), ...more });

describe('an upgrade whose image the registry does not give', () => {
  const why = 'dial tcp: connection refused';
  const away = (more = {}) => probe({ container: waiting('ErrImagePull', why), ageSeconds: 60, ...more });
  const place = { arch: 'amd64', node: 'n1', copy: true };

  test.each<[string, Partial<Facts>, { actions: object[]; reads: boolean }]>([
    [
      'looks for the copy that the node has',
      { probes: [away()] },
      { actions: [{ do: 'createProbe', place }], reads: false },
    ],
    [
      'also after the last try',
      { probes: [probe({ container: waiting('ErrImagePull', 'not found'), ageSeconds: 60 })] },
      { actions: [{ do: 'createProbe', place }], reads: false },
    ],
    ['asks it several times first', { probes: [away({ ageSeconds: 59 })] }, { actions: [], reads: false }],
    ['waits for it', { probes: [away(), probe({ copy: true })] }, { actions: [], reads: false }],
    [
      'goes on waiting for the registry where there is none',
      { probes: [away(), probe({ copy: true, container: waiting('ErrImageNeverPull', 'not present') })] },
      { actions: [], reads: false },
    ],
    ['reads it', { probes: [away(), probe({ copy: true, container: ended(RELEASE) })] }, { actions: [], reads: true }],
  ])('%s', (_sentence, seen, { actions, reads }) => {
    const plan = decide(facts(seen));
    expect(plan.actions).toEqual(actions);
    expect(plan.status?.phase).toBe('Initializing');
    expect(plan.status?.target?.version).toBe(reads ? TRIPLE : undefined);
  });

  test('and says that there may be a newer one', () => {
    const plan = decide(facts({ probes: [away(), probe({ copy: true, container: ended(RELEASE) })] }));
    expect(plan.events).toMatchObject([
      { type: 'Normal' },
      { type: 'Warning', reason: 'Probing', message: expect.stringContaining(why) },
    ]);
  });

  test('does not stay with a node that is away', () => {
    const targets = [target('n1', { ready: false }), target('n2')];
    const plan = decide(facts({ targets, probes: [away(), probe({ copy: true })] }));
    expect(done(plan)).toEqual(['deleteProbe', 'createProbe']);
  });

  test('fails where only one architecture has to do with a copy: the two may not be the same', () => {
    const probes = [read(), away({ arch: 'arm64', node: 'arm' })];
    const copy = probe({ arch: 'arm64', node: 'arm', copy: true, container: ended(RELEASE) });
    const plan = decide(facts({ targets: [target('n1'), arm], probes: [...probes, copy] }));
    expect(plan.status).toMatchObject({ phase: 'Failed', message: expect.stringContaining('arm64') });
  });

  test('takes what the registry gives in the end', () => {
    const older = probe({ copy: true, container: ended(RELEASE.replace('v2', 'v1')) });
    const plan = decide(facts({ probes: [older, read()] }));
    expect(plan.status?.target?.version).toBe(TRIPLE);
  });

  test('fails with the registry’s words where no node has a copy', () => {
    const denied = probe({ container: waiting('ErrImagePull', 'unauthorized'), ageSeconds: 60 });
    const none = probe({ copy: true, container: waiting('ErrImageNeverPull', 'not present') });
    const plan = decide(facts({ probes: [denied, none] }));
    expect(plan.status).toMatchObject({ phase: 'Failed', message: expect.stringMatching(/unauthorized$/) });
  });
});
