import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../controller/upgrade/decide.js';
import type { Facts } from '../../../controller/upgrade/facts.js';
import { ended, facts, nodeOp, NOW, probe, probingFor, RELEASE, target, TRIPLE, upgrade, waiting } from './samples.js';

const done = (plan: ReturnType<typeof decide>) => plan.actions.map(action => action.do);
const arm = target('arm', { arch: 'arm64' });
const read = (more = {}) => probe({ container: ended(RELEASE), ...more });
const withTarget = (more = {}) => upgrade({ status: { phase: 'Initializing', target: { version: TRIPLE }, ...more } });

describe('before there is a NodeOp', () => {
  test('the first Ready node of each architecture reads the image', () => {
    const plan = decide(facts({ targets: [target('n0', { ready: false }), target('n1'), target('n2'), arm] }));
    expect(plan.actions).toEqual([
      { do: 'createProbe', place: { arch: 'amd64', node: 'n1' } },
      { do: 'createProbe', place: { arch: 'arm64', node: 'arm' } },
    ]);
    expect(plan.status).toMatchObject({ phase: 'Initializing' });
  });

  test.each<[string, Partial<Facts>, string[]]>([
    ['waits while a probe is under way', { probes: [probe()] }, []],
    [
      'waits for the second architecture',
      { targets: [target('n1'), arm], probes: [read(), probe({ arch: 'arm64', node: 'arm' })] },
      [],
    ],
    [
      'reads again when the image in the spec changed',
      { probes: [read({ image: 'old' })] },
      ['createProbe', 'deleteProbe'],
    ],
    [
      'goes to another node when the one it is on is not Ready',
      { targets: [target('n1', { ready: false }), target('n2')], probes: [probe({ ageSeconds: 20 })] },
      ['deleteProbe', 'createProbe'],
    ],
    ['stays where it is when no other is Ready', { targets: [target('n1', { ready: false })], probes: [probe()] }, []],
    [
      'pauses after a probe was lost',
      { probes: [probe({ ageSeconds: 3, status: { phase: 'Failed', reason: 'Evicted' } })] },
      [],
    ],
    [
      'makes room for another try then',
      { probes: [probe({ ageSeconds: 11, status: { phase: 'Failed', reason: 'Evicted' } })] },
      ['deleteProbe'],
    ],
    [
      'waits until the lost one is gone',
      { probes: [probe({ leaving: true, ageSeconds: 11, status: { phase: 'Failed', reason: 'Evicted' } })] },
      [],
    ],
    ['waits for a node to be Ready', { targets: [target('n1', { ready: false })] }, []],
  ])('%s', (_sentence, seen, actions) => {
    const plan = decide(facts({ upgrade: upgrade({ status: probingFor(60) }), ...seen }));
    expect(done(plan)).toEqual(actions);
    expect(plan.status?.phase).toBe('Initializing');
    expect(plan.status?.target).toBeUndefined();
  });

  test('what was read is saved before anything else is done', () => {
    const plan = decide(facts({ probes: [read()] }));
    expect(plan.status).toMatchObject({ phase: 'Initializing', target: { version: TRIPLE } });
    expect(plan.actions).toEqual([]);
    expect(plan.requeueAfterMs).toBe(0);
  });

  test('then the probes go and the NodeOp comes', () => {
    const plan = decide(facts({ upgrade: withTarget(), probes: [read()] }));
    expect(done(plan)).toEqual(['deleteProbe', 'createNodeOp']);
  });

  test('an image that tells no version is warned of, and gone on with', () => {
    const plan = decide(facts({ probes: [probe({ container: ended('') })] }));
    expect(plan.status?.target).toMatchObject({ releases: { amd64: {} } });
    expect(plan.events.map(event => event.type)).toEqual(['Warning']);
  });

  test('an architecture none of whose nodes gets Ready is left out in the end', () => {
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
      'when no probe gets through',
      {
        upgrade: upgrade({ status: probingFor(600) }),
        probes: [probe({ status: { phase: 'Failed', reason: 'Evicted' } })],
      },
      'ProbeFailed',
      /Evicted$/,
    ],
    [
      'when no node at all gets Ready',
      { upgrade: upgrade({ status: probingFor(600) }), targets: [target('n1', { ready: false })] },
      'ProbeFailed',
      /no node of architecture amd64 is Ready/,
    ],
    ['when the name is taken', { nodeOp: { is: 'foreign' } }, 'NameTaken', /to-v2/],
    [
      'when the name is taken in the last moment',
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

describe('while there is a NodeOp', () => {
  const running = { is: 'owned', nodeOp: nodeOp({ phase: 'Running' }) } as const;

  test('its status is mirrored, its name written down, the probes go', () => {
    const plan = decide(facts({ upgrade: withTarget(), nodeOp: running, probes: [read()] }));
    expect(plan.status).toMatchObject({ phase: 'Running', nodeOpName: 'to-v2', target: { version: TRIPLE } });
    expect(done(plan)).toEqual(['deleteProbe']);
  });

  test('fields that may change are handed on', () => {
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

  test('nothing is changed in one that has ended', () => {
    const changed = upgrade({ spec: { paused: true }, status: { nodeOpName: 'to-v2' } });
    const plan = decide(facts({ upgrade: changed, nodeOp: { is: 'owned', nodeOp: nodeOp({ phase: 'Completed' }) } }));
    expect(plan.actions).toEqual([]);
    expect(plan.events).toMatchObject([{ type: 'Normal', reason: 'AllDone' }]);
  });

  test('one of an earlier upgrade of this name is waited for', () => {
    const plan = decide(facts({ nodeOp: { is: 'terminating' } }));
    expect(plan.status?.phase).toBe('Initializing');
    expect(plan.actions).toEqual([]);
  });
});

describe('nothing is done', () => {
  test.each<[string, Facts]>([
    ['for an upgrade that is being deleted', facts({ upgrade: upgrade({ deletionTimestamp: 'now' }) })],
    [
      'for one that completed, though its NodeOp is gone',
      facts({ upgrade: upgrade({ status: { phase: 'Completed', nodeOpName: 'to-v2' } }) }),
    ],
    [
      'for one that failed, though its NodeOp runs again',
      facts({
        upgrade: upgrade({ status: { phase: 'Failed' } }),
        nodeOp: { is: 'owned', nodeOp: nodeOp({ phase: 'Running' }) },
      }),
    ],
  ])('%s', (_sentence, seen) => expect(decide(seen)).toEqual({ events: [], actions: [] }));
});

describe('another attempt that is asked for', () => {
  const asking = (value: string, status: NonNullable<Facts['upgrade']['status']>) => {
    const base = upgrade({ status });
    const annotations = { 'operator.kairos.io/retry': value };
    return { ...base, metadata: { ...base.metadata, annotations } };
  };
  const failedOne = { phase: 'Failed' as const, nodeOpName: 'to-v2' };
  const ours = (status: NonNullable<Parameters<typeof nodeOp>[0]>, value?: string): Facts['nodeOp'] => ({
    is: 'owned',
    nodeOp: nodeOp(status, value === undefined ? {} : { annotations: { 'operator.kairos.io/retry': value } }),
  });

  test('is handed on to the NodeOp, which knows the nodes that failed', () => {
    const plan = decide(facts({ upgrade: asking('a', failedOne), nodeOp: ours({ phase: 'Failed' }) }));
    expect(plan.actions).toMatchObject([{ do: 'retryNodeOp', value: 'a' }]);
  });

  test('is handed on once', () => {
    const plan = decide(facts({ upgrade: asking('a', failedOne), nodeOp: ours({ phase: 'Failed' }, 'a') }));
    expect(plan.actions).toEqual([]);
  });

  test('makes the upgrade follow its NodeOp again', () => {
    const plan = decide(
      facts({ upgrade: asking('a', failedOne), nodeOp: ours({ phase: 'Running', retry: 'a' }, 'a') }),
    );
    expect(plan.status).toMatchObject({ phase: 'Running' });
    expect(plan.status?.completedAt).toBeUndefined();
  });

  test('is told how it ended, even where it was over before anybody looked', () => {
    const again = { phase: 'Completed' as const, retry: 'a', completedAt: NOW.toISOString() };
    const plan = decide(facts({ upgrade: asking('a', failedOne), nodeOp: ours(again, 'a') }));
    expect(plan.status).toMatchObject({ phase: 'Completed', completedAt: again.completedAt });
    const told = { ...failedOne, completedAt: again.completedAt };
    expect(decide(facts({ upgrade: asking('a', told), nodeOp: ours(again, 'a') })).status).toBeUndefined();
  });

  test('of an upgrade whose image could not be read begins from the start', () => {
    const unread = { phase: 'Failed' as const, completedAt: NOW.toISOString() };
    const plan = decide(facts({ upgrade: asking('a', unread), nodeOp: { is: 'absent' } }));
    expect(plan.status).toMatchObject({ phase: 'Initializing', retry: 'a' });
    expect(plan.status?.completedAt).toBeUndefined();
    const next = decide(facts({ upgrade: asking('a', { ...unread, retry: 'a' }), nodeOp: { is: 'absent' } }));
    expect(next.status).toBeUndefined();
  });

  test('of one whose NodeOp was deleted is not heard', () => {
    const plan = decide(facts({ upgrade: asking('a', failedOne), nodeOp: { is: 'absent' } }));
    expect(plan).toMatchObject({ actions: [], events: [] });
    expect(plan.status).toBeUndefined();
  });
});
