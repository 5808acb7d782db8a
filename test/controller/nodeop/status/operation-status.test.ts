import { describe, expect, test } from '@jest/globals';
import type { NodeStatus } from '../../../../api/node-status.js';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { conditions } from '../../../../controller/cluster/conditions.js';
import { nodeStatus, rolloutStateOf } from '../../../../controller/nodeop/status/node-status.js';
import { operationStatus, withRemovedCompleted } from '../../../../controller/nodeop/status/operation-status.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { withSortedKeys } from '../../../fakes/sorted-keys.js';
import { facts, job, ledger, NOW, op, pod, ran, reached, secondsAgo, nodeOp, parsed } from '../../../builders.js';
import { finishedNode, nodeWithResult, type NodeSetup, planFor, activeNode } from '../multi-node-plan.js';

const done = { phase: 'Completed' as const, reason: 'Done' as const, message: 'well', at: NOW.toISOString() };
const failed = { phase: 'Failed' as const, reason: 'JobFailed' as const, message: 'bad', at: NOW.toISOString() };
const REBOOT = { rebootOnSuccess: true };

const entryOf = (spec: object, seen: Partial<Facts>, before?: NodeStatus): NodeStatus => {
  const all = facts(spec, seen);
  return nodeStatus({ facts: all, walk: walk(all), before });
};

describe('A drain that was left out', () => {
  test.each<[string, Partial<Facts>, string]>([
    [
      'while the Job runs',
      { ledger: ran('Run', { drainSkipped: true }), job: job('running'), jobPods: [pod('job-x')] },
      'Job is running',
    ],
    ['at the end', { ledger: ran('Release', { drainSkipped: true, result: done }), isReported: true }, 'well'],
  ])('is said %s', (_sentence, seen, words) => {
    const { message } = entryOf({ cordon: true }, seen);
    expect(message).toBe(`${words} (not drained: there is no other Ready, schedulable node)`);
  });
});

describe('One node', () => {
  test.each<[string, object, Partial<Facts>, string]>([
    ['is Pending before its turn', {}, { ledger: undefined }, 'Pending -'],
    ['is Pending while its agent is awaited', REBOOT, { agent: undefined }, 'Pending Claim'],
    [
      'is in Preflight then',
      { preflight: { command: ['x'] } },
      { ledger: reached('Preflight') },
      'Preflight Preflight',
    ],
    ['is Running while its image is pulled', { cordon: true }, { ledger: reached('Pull') }, 'Running Pull'],
    ['is Running with its Job', {}, { ledger: ran('Run'), job: job('running') }, 'Running Run'],
    [
      'is Running until its cordon is undone',
      {},
      { ledger: ran('Run', { cordoned: true, result: done }) },
      'Running Uncordon',
    ],
    ['is Completed when only the release is left', {}, { ledger: ran('Run', { result: done }) }, 'Completed -'],
    ['is Failed then, too', {}, { ledger: ran('Run', { result: failed }) }, 'Failed -'],
  ])('%s', (_sentence, spec, seen, expected) => {
    const mark = { 'operator.kairos.io/cordoned-by': 'default/op@uid-op' };
    const base = facts(spec, seen);
    const cordoned = base.ledger?.cordoned && base.node;
    const node = cordoned
      ? { ...cordoned, metadata: { ...cordoned.metadata, annotations: mark }, spec: { unschedulable: true } }
      : base.node;
    const { phase, step = '-' } = entryOf(spec, { ...seen, node });
    expect(`${phase} ${step}`).toBe(expected);
  });

  test.each<[string, object, Partial<Facts>, string]>([
    ['asks for none', {}, { ledger: ran('Run') }, 'not-requested'],
    ['will reboot', REBOOT, { ledger: ran('Run'), job: job('running') }, 'pending'],
    ['has not started and will reboot', REBOOT, { ledger: undefined }, 'pending'],
    ['has rebooted', REBOOT, { ledger: ran('Reboot', { result: { ...done, bootIdAfter: 'boot-2' } }) }, 'completed'],
    ['failed before it', REBOOT, { ledger: ran('Run', { result: failed }) }, 'cancelled'],
    [
      'was skipped',
      REBOOT,
      { ledger: reached('Preflight', { result: { ...done, reason: 'Skipped' } }) },
      'not-requested',
    ],
    [
      'has rebooted and failed after it',
      REBOOT,
      {
        ledger: ran('Verify', {
          stepTimes: { Reboot: secondsAgo(60) },
          result: { ...failed, reason: 'NotSettled', bootIdAfter: 'boot-2' },
        }),
      },
      'completed',
    ],
    [
      'lost its power while its Job failed',
      REBOOT,
      { ledger: ran('Run', { result: { ...failed, bootIdAfter: 'boot-2' } }) },
      'cancelled',
    ],
  ])('tells of a reboot when the node %s', (_sentence, spec, seen, expected) =>
    expect(entryOf(spec, seen).rebootStatus).toBe(expected),
  );

  test('tells how it ended, with the log of what failed', () => {
    const result = { ...failed, log: 'last words' };
    expect(entryOf({}, { ledger: ran('Run', { result }) })).toMatchObject({
      reason: 'JobFailed',
      message: 'bad',
      log: 'last words',
      jobName: 'job',
      completedAt: failed.at,
      attempt: 1,
    });
  });

  test('keeps a final entry for ever, whatever becomes of Job and node', () => {
    const before = { phase: 'Completed' as const, message: 'well', lastUpdated: secondsAgo(100) };
    expect(entryOf({}, { ledger: ran('Run'), job: undefined, node: undefined }, before)).toBe(before);
  });

  test('keeps lastUpdated where nothing changed', () => {
    const before = { ...entryOf({}, { ledger: ran('Run'), job: job('running') }), lastUpdated: secondsAgo(100) };
    expect(entryOf({}, { ledger: ran('Run'), job: job('running') }, before)).toBe(before);
  });

  test('keeps lastUpdated whatever the order in which the API server writes the fields', () => {
    const before = withSortedKeys({
      ...entryOf({}, { ledger: ran('Run'), job: job('running') }),
      lastUpdated: secondsAgo(100),
    }) as NodeStatus;
    expect(entryOf({}, { ledger: ran('Run'), job: job('running') }, before).lastUpdated).toBe(secondsAgo(100));
  });

  test('sets lastUpdated where something changed', () => {
    const before = { ...entryOf({}, { ledger: undefined }), lastUpdated: secondsAgo(100) };
    expect(entryOf({}, { ledger: ran('Run'), job: job('running') }, before).lastUpdated).toBe(NOW.toISOString());
  });

  test.each<[string, number, string]>([
    ['waits for a NodeNotReady until startDeadlineSeconds', 599, 'Pending'],
    ['gives up on it then', 600, 'Failed'],
  ])('%s', (_sentence, seconds, phase) => {
    const all = facts({}, { ledger: undefined });
    const waiting = { reason: 'NodeNotReady' as const, message: 'waiting for the node to be Ready' };
    const before = { phase: 'Pending' as const, ...waiting, lastUpdated: secondsAgo(seconds) };
    expect(nodeStatus({ facts: all, walk: walk(all), before, waiting })).toMatchObject({
      phase,
      reason: 'NodeNotReady',
    });
  });
});

describe('Where a node stands', () => {
  test.each<[string, NodeSetup, string]>([
    ['untouched', {}, 'pending'],
    ['claimed', activeNode(), 'active'],
    ['done in the ledger', nodeWithResult('Completed'), 'completed'],
    ['failed in the ledger', nodeWithResult('Failed'), 'failed'],
    ['done in the status', finishedNode('Completed'), 'completed'],
    ['failed in the status', finishedNode('Failed'), 'failed'],
  ])('%s', (_sentence, { ledger: own, before }, standing) => {
    const all = facts({}, { ledger: own });
    expect(rolloutStateOf({ facts: all, walk: walk(all), before: before as NodeStatus | undefined })).toBe(standing);
  });
});

const phaseOf = (spec: object, entries: NodeStatus[]) =>
  operationStatus(nodeOp(spec), Object.fromEntries(entries.map((entry, index) => [`n${index}`, entry])), NOW);
const pending: NodeStatus = { phase: 'Pending' };
const active: NodeStatus = { phase: 'Running', startedAt: secondsAgo(1) };
const completed: NodeStatus = { phase: 'Completed', startedAt: secondsAgo(1) };
const skipped: NodeStatus = { ...completed, reason: 'Skipped' };
const bad: NodeStatus = { phase: 'Failed', startedAt: secondsAgo(1), message: 'bad' };

describe('All nodes', () => {
  test.each<[string, object, NodeStatus[], string]>([
    ['nobody has started', {}, [pending, pending], 'Pending 0/2'],
    ['one is under way', {}, [active, pending], 'Running 0/2'],
    ['one is claimed', {}, [{ phase: 'Pending', startedAt: secondsAgo(1) }, pending], 'Running 0/2'],
    ['one is done and one waits', {}, [completed, pending], 'Running 1/2'],
    ['all are done', {}, [completed, skipped], 'Completed 2/2'],
    ['one failed and one is under way', {}, [bad, active], 'Running 1/2'],
    ['one failed and one waits', {}, [bad, pending], 'Running 1/2'],
    ['all ended, one of them badly', {}, [bad, completed], 'Failed 2/2'],
    ['one failed, stopOnFailure, one under way', { stopOnFailure: true }, [bad, active, pending], 'Running 1/3'],
    ['one failed, stopOnFailure, nobody under way', { stopOnFailure: true }, [bad, pending], 'Failed 1/2'],
  ])('%s', (_sentence, spec, entries, expected) => {
    const { phase, progress } = phaseOf(spec, entries);
    expect(`${phase} ${progress}`).toBe(expected);
  });

  test('counts who stands where', () => {
    expect(phaseOf({}, [pending, active, completed, skipped, bad]).nodes).toEqual({
      total: 5,
      pending: 1,
      active: 1,
      completed: 2,
      skipped: 1,
      failed: 1,
    });
  });

  test.each<[string, NodeStatus[], string]>([
    ['names the node that failed first', [completed, bad], '1 of 2 nodes failed; n1: bad'],
    ['tells how many are done', [completed, completed], '2 nodes done'],
    ['and of whom nothing was wanted', [completed, skipped], '2 nodes done, 1 of them had nothing to do'],
    [
      'tells what is going on',
      [completed, { ...active, step: 'Drain', message: 'waiting for web' }],
      'n1: waiting for web',
    ],
  ])('%s', (_sentence, entries, message) => expect(phaseOf({}, entries).message).toBe(message));

  test('completedAt is the first end, and only there at the end', () => {
    expect(phaseOf({}, [active]).completedAt).toBeUndefined();
    expect(phaseOf({}, [completed]).completedAt).toBe(NOW.toISOString());
    const again = nodeOp({}, { status: { completedAt: secondsAgo(50) } });
    expect(operationStatus(again, { n1: completed }, NOW).completedAt).toBe(secondsAgo(50));
  });

  test('says which generation it is about', () => {
    const seen = operationStatus(parsed(op({}, { metadata: { generation: 7 } })), { n1: pending }, NOW);
    expect(seen.observedGeneration).toBe(7);
  });

  test('a node that fails a walk under way leaves the operation running until its end is told', () => {
    const { status } = planFor({ concurrency: 1 }, { a: nodeWithResult('Failed'), b: {} });
    expect(status).toMatchObject({ phase: 'Running', progress: '1/2' });
  });
});

describe('A node that left before its turn', () => {
  test('is not one that was claimed already: its end is still to be told', () => {
    const claimed = { phase: 'Pending' as const, reason: 'NodeRemoved' as const, startedAt: secondsAgo(1) };
    const left = { phase: 'Pending' as const, reason: 'NodeRemoved' as const };
    expect(withRemovedCompleted({ claimed, left }, NOW)).toEqual({ claimed, left });
    expect(withRemovedCompleted({ left }, NOW)).toMatchObject({ left: { phase: 'Completed' } });
  });

  test('is told as removed, and does not keep the others waiting', () => {
    const { status } = planFor({}, { a: { isAbsent: true }, b: finishedNode('Completed') });
    expect(status.nodeStatuses?.a?.reason).toBe('NodeRemoved');
    expect(status.progress).toBe('2/2');
  });

  test('counts as skipped: nothing was done there and nothing failed', () => {
    const { status } = planFor({}, { a: { isAbsent: true }, b: finishedNode('Completed') });
    expect(status).toMatchObject({ phase: 'Completed', nodes: { skipped: 1, failed: 0 } });
  });

  test('is waited for while others are under way: it may come back', () => {
    const { status } = planFor({}, { a: { isAbsent: true }, b: { ledger: ledger() } });
    expect(status.nodeStatuses?.a).toMatchObject({ phase: 'Pending', reason: 'NodeRemoved' });
  });
});

describe('Conditions', () => {
  const at = (phase: string, before?: ReturnType<typeof conditions>) =>
    conditions({ meta: { generation: 3 }, status: { conditions: before } }, { phase, message: 'm', now: NOW });
  const words = (phase: string) =>
    at(phase)
      .filter(({ status }) => status === 'True')
      .map(({ type, reason }) => `${type} ${reason}`);

  test.each<[string, string[]]>([
    ['Pending', ['Reconciling Progressing']],
    ['Running', ['Reconciling Progressing']],
    ['Completed', ['Complete AllDone']],
    ['Failed', ['Failed NodesFailed', 'Stalled NodesFailed']],
  ])('of a %s operation', (phase, expected) => expect(words(phase)).toEqual(expected));

  test('keep lastTransitionTime while they hold', () => {
    const before = at('Running').map(each => ({ ...each, lastTransitionTime: secondsAgo(100) }));
    const times = Object.fromEntries(at('Completed', before).map(each => [each.type, each.lastTransitionTime]));
    expect(times).toEqual({
      Complete: NOW.toISOString(),
      Failed: secondsAgo(100),
      Reconciling: NOW.toISOString(),
      Stalled: secondsAgo(100),
    });
  });
});
