import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../controller/upgrade/decide.js';
import type { Facts } from '../../../controller/upgrade/facts.js';
import { ended, facts, nodeOp, NOW, probe, probingFor, RELEASE, target, TRIPLE, upgrade, waiting } from './samples.js';

const done = (plan: ReturnType<typeof decide>) => plan.actions.map(action => action.do);
const arm = target('arm', { arch: 'arm64' });
const read = (more = {}) => probe({ container: ended(RELEASE), ...more });
const withTarget = (more = {}) => upgrade({ status: { phase: 'Initializing', target: { version: TRIPLE }, ...more } });

describe('an upgrade without a NodeOp', () => {
  test('probes the image on the first Ready node of each architecture', () => {
    const plan = decide(facts({ targets: [target('n0', { ready: false }), target('n1'), target('n2'), arm] }));
    expect(plan.actions).toEqual([
      { do: 'createProbe', place: { arch: 'amd64', node: 'n1' } },
      { do: 'createProbe', place: { arch: 'arm64', node: 'arm' } },
    ]);
    expect(plan.status).toMatchObject({ phase: 'Initializing' });
  });

  test.each<[string, Partial<Facts>, string[]]>([
    ['waits while a probe runs', { probes: [probe()] }, []],
    [
      'waits for the second architecture',
      { targets: [target('n1'), arm], probes: [read(), probe({ arch: 'arm64', node: 'arm' })] },
      [],
    ],
    ['probes again after a change of the image', { probes: [read({ image: 'old' })] }, ['createProbe', 'deleteProbe']],
    [
      'moves the probe if its node is not Ready',
      { targets: [target('n1', { ready: false }), target('n2')], probes: [probe({ ageSeconds: 20 })] },
      ['deleteProbe', 'createProbe'],
    ],
    ['keeps the probe if no other node is Ready', { targets: [target('n1', { ready: false })], probes: [probe()] }, []],
    [
      'pauses after a lost probe',
      { probes: [probe({ ageSeconds: 3, status: { phase: 'Failed', reason: 'Evicted' } })] },
      [],
    ],
    [
      'deletes a lost probe after the pause',
      { probes: [probe({ ageSeconds: 11, status: { phase: 'Failed', reason: 'Evicted' } })] },
      ['deleteProbe'],
    ],
    [
      'waits until a lost probe is deleted',
      { probes: [probe({ terminating: true, ageSeconds: 11, status: { phase: 'Failed', reason: 'Evicted' } })] },
      [],
    ],
    ['waits if no node is Ready', { targets: [target('n1', { ready: false })] }, []],
  ])('%s', (_sentence, seen, actions) => {
    const plan = decide(facts({ upgrade: upgrade({ status: probingFor(60) }), ...seen }));
    expect(done(plan)).toEqual(actions);
    expect(plan.status?.phase).toBe('Initializing');
    expect(plan.status?.target).toBeUndefined();
  });

  test('saves the target before it does anything else', () => {
    const plan = decide(facts({ probes: [read()] }));
    expect(plan.status).toMatchObject({ phase: 'Initializing', target: { version: TRIPLE } });
    expect(plan.actions).toEqual([]);
    expect(plan.requeueAfterMs).toBe(0);
  });

  test('deletes the probes and creates the NodeOp once the target is saved', () => {
    const plan = decide(facts({ upgrade: withTarget(), probes: [read()] }));
    expect(done(plan)).toEqual(['deleteProbe', 'createNodeOp']);
  });

  test('warns about an image without a version and continues', () => {
    const plan = decide(facts({ probes: [probe({ container: ended('') })] }));
    expect(plan.status?.target).toMatchObject({ releases: { amd64: {} } });
    expect(plan.events.map(event => event.type)).toEqual(['Warning']);
  });

  test('skips an architecture without a Ready node after startDeadlineSeconds', () => {
    const seen = { targets: [target('n1'), { ...arm, ready: false }], probes: [read()] };
    expect(decide(facts({ ...seen, upgrade: upgrade({ status: probingFor(599) }) })).status?.target).toBeUndefined();
    const late = decide(facts({ ...seen, upgrade: upgrade({ status: probingFor(600) }) }));
    expect(late.status?.target).toMatchObject({ version: TRIPLE, releases: { arm64: {} } });
  });
});

describe('an upgrade fails', () => {
  test.each<[string, Partial<Facts>, string, string | RegExp]>([
    ['when no node matches', { targets: [] }, 'NoTargets', 'no Linux node matches nodeSelector'],
    [
      'when the image cannot be read',
      { probes: [probe({ container: waiting('InvalidImageName', 'bad name') })] },
      'ProbeFailed',
      /bad name$/,
    ],
    [
      'when every probe is lost',
      {
        upgrade: upgrade({ status: probingFor(600) }),
        probes: [probe({ status: { phase: 'Failed', reason: 'Evicted' } })],
      },
      'ProbeFailed',
      /Evicted$/,
    ],
    [
      'when no node becomes Ready',
      { upgrade: upgrade({ status: probingFor(600) }), targets: [target('n1', { ready: false })] },
      'ProbeFailed',
      /no node of architecture amd64 is Ready/,
    ],
    ['when the name is taken', { nodeOp: { is: 'foreign' } }, 'NameTaken', /to-v2/],
    [
      'when the name is taken after the probe',
      { upgrade: withTarget(), nodeOp: { is: 'foreign' } },
      'NameTaken',
      /to-v2/,
    ],
    ['when its NodeOp was deleted', { upgrade: withTarget({ nodeOpName: 'to-v2' }) }, 'NodeOpDeleted', /to-v2/],
    [
      'when its NodeOp was replaced',
      { upgrade: withTarget({ nodeOpName: 'to-v2' }), nodeOp: { is: 'foreign' } },
      'NodeOpDeleted',
      /to-v2/,
    ],
  ])('%s', (_sentence, seen, reason, message) => {
    const plan = decide(facts(seen));
    expect(plan.status).toMatchObject({ phase: 'Failed', message: expect.stringMatching(message) });
    expect(plan.status?.conditions?.[1]).toMatchObject({ type: 'Failed', status: 'True', reason });
    expect(plan.events).toMatchObject([{ type: 'Warning', reason }]);
    expect(plan.actions).toEqual([]);
  });
});

describe('an upgrade with a NodeOp', () => {
  const running = { is: 'owned', nodeOp: nodeOp({ phase: 'Running' }) } as const;

  test('mirrors the status of the NodeOp, records its name and deletes the probes', () => {
    const plan = decide(facts({ upgrade: withTarget(), nodeOp: running, probes: [read()] }));
    expect(plan.status).toMatchObject({ phase: 'Running', nodeOpName: 'to-v2', target: { version: TRIPLE } });
    expect(done(plan)).toEqual(['deleteProbe']);
  });

  test('carries changeable fields over to the running NodeOp', () => {
    const changed = upgrade({
      spec: { paused: true, concurrency: 2, image: 'another', backoffLimit: 9 },
      status: { nodeOpName: 'to-v2' },
    });
    const [action] = decide(facts({ upgrade: changed, nodeOp: running })).actions;
    expect(action).toMatchObject({
      do: 'updateNodeOp',
      to: { spec: { paused: true, concurrency: 2, backoffLimit: 3 } },
    });
  });

  test('changes nothing in a finished NodeOp', () => {
    const changed = upgrade({ spec: { paused: true }, status: { nodeOpName: 'to-v2' } });
    const plan = decide(facts({ upgrade: changed, nodeOp: { is: 'owned', nodeOp: nodeOp({ phase: 'Completed' }) } }));
    expect(plan.actions).toEqual([]);
    expect(plan.events).toMatchObject([{ type: 'Normal', reason: 'AllDone' }]);
  });

  test('waits for the deletion of the NodeOp of an earlier upgrade of this name', () => {
    const plan = decide(facts({ nodeOp: { is: 'terminating' } }));
    expect(plan.status?.phase).toBe('Initializing');
    expect(plan.actions).toEqual([]);
  });
});

describe('an upgrade does nothing', () => {
  test.each<[string, Facts]>([
    ['while it is being deleted', facts({ upgrade: upgrade({ deletionTimestamp: 'now' }) })],
    [
      'after it completed, even if its NodeOp is deleted',
      facts({ upgrade: upgrade({ status: { phase: 'Completed', nodeOpName: 'to-v2' } }) }),
    ],
    [
      'after it failed, even if its NodeOp runs again',
      facts({
        upgrade: upgrade({ status: { phase: 'Failed' } }),
        nodeOp: { is: 'owned', nodeOp: nodeOp({ phase: 'Running' }) },
      }),
    ],
  ])('%s', (_sentence, seen) => expect(decide(seen)).toEqual({ events: [], actions: [] }));
});

describe('a requested retry', () => {
  const requesting = (value: string, status: NonNullable<Facts['upgrade']['status']>) => {
    const base = upgrade({ status });
    const annotations = { 'operator.kairos.io/retry': value };
    return { ...base, metadata: { ...base.metadata, annotations } };
  };
  const failedOne = { phase: 'Failed' as const, nodeOpName: 'to-v2' };
  const owned = (status: NonNullable<Parameters<typeof nodeOp>[0]>, value?: string): Facts['nodeOp'] => ({
    is: 'owned',
    nodeOp: nodeOp(status, value === undefined ? {} : { annotations: { 'operator.kairos.io/retry': value } }),
  });

  test('is passed on to the NodeOp, which knows the failed nodes', () => {
    const plan = decide(facts({ upgrade: requesting('a', failedOne), nodeOp: owned({ phase: 'Failed' }) }));
    expect(plan.actions).toMatchObject([{ do: 'retryNodeOp', value: 'a' }]);
  });

  test('is passed on only once', () => {
    const plan = decide(facts({ upgrade: requesting('a', failedOne), nodeOp: owned({ phase: 'Failed' }, 'a') }));
    expect(plan.actions).toEqual([]);
  });

  test('makes the upgrade follow its NodeOp again', () => {
    const plan = decide(
      facts({ upgrade: requesting('a', failedOne), nodeOp: owned({ phase: 'Running', retry: 'a' }, 'a') }),
    );
    expect(plan.status).toMatchObject({ phase: 'Running' });
    expect(plan.status?.completedAt).toBeUndefined();
  });

  test('is reported even if it finished before it was observed', () => {
    const again = { phase: 'Completed' as const, retry: 'a', completedAt: NOW.toISOString() };
    const plan = decide(facts({ upgrade: requesting('a', failedOne), nodeOp: owned(again, 'a') }));
    expect(plan.status).toMatchObject({ phase: 'Completed', completedAt: again.completedAt });
    const reported = { ...failedOne, completedAt: again.completedAt };
    expect(decide(facts({ upgrade: requesting('a', reported), nodeOp: owned(again, 'a') })).status).toBeUndefined();
  });

  test('starts from the beginning if the image could not be read', () => {
    const unread = { phase: 'Failed' as const, completedAt: NOW.toISOString() };
    const plan = decide(facts({ upgrade: requesting('a', unread), nodeOp: { is: 'absent' } }));
    expect(plan.status).toMatchObject({ phase: 'Initializing', retry: 'a' });
    expect(plan.status?.completedAt).toBeUndefined();
    const next = decide(facts({ upgrade: requesting('a', { ...unread, retry: 'a' }), nodeOp: { is: 'absent' } }));
    expect(next.status).toBeUndefined();
  });

  test('is ignored if the NodeOp was deleted', () => {
    const plan = decide(facts({ upgrade: requesting('a', failedOne), nodeOp: { is: 'absent' } }));
    expect(plan).toMatchObject({ actions: [], events: [] });
    expect(plan.status).toBeUndefined();
  });
});
