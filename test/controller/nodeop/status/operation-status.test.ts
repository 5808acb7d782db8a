import { describe, expect, test } from '@jest/globals';
import type { NodeStatus } from '../../../../api/node-status.js';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { conditions } from '../../../../controller/cluster/conditions.js';
import { nodeStatus, rolloutStateOf } from '../../../../controller/nodeop/status/node-status.js';
import { operationStatus, withRemovedCompleted } from '../../../../controller/nodeop/status/operation-status.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { withSortedKeys } from '../../../fakes/sorted-keys.js';
import { facts, job, ledger, NOW, op, commandPod, ran, reached, secondsAgo, nodeOp } from '../../../builders.js';
import { parsed } from '../../../builders.js';
import { finishedNode, nodeWithResult, type NodeSetup, planFor, activeNode } from '../multi-node-plan.js';

const done = { phase: 'Completed' as const, reason: 'Done' as const, message: 'success', at: NOW.toISOString() };
const failed = { phase: 'Failed' as const, reason: 'JobFailed' as const, message: 'bad', at: NOW.toISOString() };
const REBOOT = { rebootOnSuccess: true };

const entryOf = (spec: object, seen: Partial<Facts>, before?: NodeStatus): NodeStatus => {
  const all = facts(spec, seen);
  return nodeStatus({ facts: all, walk: walk(all), before });
};

describe('A skipped drain', () => {
  test.each<[string, Partial<Facts>, string]>([
    [
      'while the Job runs',
      { ledger: ran('Run', { drainSkipped: true }), job: job('running'), jobPods: [commandPod()] },
      'Job is running',
    ],
    ['at the end', { ledger: ran('Release', { drainSkipped: true, result: done }), isReported: true }, 'success'],
  ])('is mentioned in the message %s', (_sentence, seen, text) => {
    const { message } = entryOf({ cordon: true }, seen);
    expect(message).toBe(`${text} (not drained: there is no other Ready, schedulable node)`);
  });
});

describe('The status of one node', () => {
  test.each<[string, object, Partial<Facts>, string]>([
    ['is Pending before its turn', {}, { ledger: undefined }, 'Pending -'],
    ['is Pending while the agent has not answered', REBOOT, { agent: undefined }, 'Pending Claim'],
    [
      'is Preflight during the preflight',
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
    ['is Failed when only the release is left', {}, { ledger: ran('Run', { result: failed }) }, 'Failed -'],
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
    ['requests no reboot', {}, { ledger: ran('Run') }, 'not-requested'],
    ['runs the Job before its reboot', REBOOT, { ledger: ran('Run'), job: job('running') }, 'pending'],
    ['has not started', REBOOT, { ledger: undefined }, 'pending'],
    ['has rebooted', REBOOT, { ledger: ran('Reboot', { result: { ...done, bootIdAfter: 'boot-2' } }) }, 'completed'],
    ['failed before its reboot', REBOOT, { ledger: ran('Run', { result: failed }) }, 'cancelled'],
    [
      'was skipped',
      REBOOT,
      { ledger: reached('Preflight', { result: { ...done, reason: 'Skipped' } }) },
      'not-requested',
    ],
    [
      'failed after its reboot',
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
  ])('has the rebootStatus of a node that %s', (_sentence, spec, seen, expected) =>
    expect(entryOf(spec, seen).rebootStatus).toBe(expected),
  );

  test('has the result with log, Job and attempt', () => {
    const result = { ...failed, log: 'last line' };
    expect(entryOf({}, { ledger: ran('Run', { result }) })).toMatchObject({
      reason: 'JobFailed',
      message: 'bad',
      log: 'last line',
      jobName: 'job',
      completedAt: failed.at,
      attempt: 1,
    });
  });

  test('does not change when it is final, even if Job and node are deleted', () => {
    const before = { phase: 'Completed' as const, message: 'success', lastUpdated: secondsAgo(100) };
    expect(entryOf({}, { ledger: ran('Run'), job: undefined, node: undefined }, before)).toBe(before);
  });

  test('keeps lastUpdated when nothing has changed', () => {
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

  test('sets lastUpdated when something has changed', () => {
    const before = { ...entryOf({}, { ledger: undefined }), lastUpdated: secondsAgo(100) };
    expect(entryOf({}, { ledger: ran('Run'), job: job('running') }, before).lastUpdated).toBe(NOW.toISOString());
  });

  test.each<[string, number, string]>([
    ['is Pending until the node is not Ready for startDeadlineSeconds', 599, 'Pending'],
    ['is Failed when the node is not Ready for startDeadlineSeconds', 600, 'Failed'],
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

describe('The rollout state of a node that is', () => {
  test.each<[string, NodeSetup, string]>([
    ['untouched', {}, 'pending'],
    ['claimed', activeNode(), 'active'],
    ['done in the ledger', nodeWithResult('Completed'), 'completed'],
    ['failed in the ledger', nodeWithResult('Failed'), 'failed'],
    ['done in the status', finishedNode('Completed'), 'completed'],
    ['failed in the status', finishedNode('Failed'), 'failed'],
  ])('%s', (_sentence, { ledger: own, before }, state) => {
    const all = facts({}, { ledger: own });
    expect(rolloutStateOf({ facts: all, walk: walk(all), before: before as NodeStatus | undefined })).toBe(state);
  });
});

const phaseOf = (spec: object, entries: NodeStatus[]) =>
  operationStatus(nodeOp(spec), Object.fromEntries(entries.map((entry, index) => [`n${index}`, entry])), NOW);
const pending: NodeStatus = { phase: 'Pending' };
const active: NodeStatus = { phase: 'Running', startedAt: secondsAgo(1) };
const completed: NodeStatus = { phase: 'Completed', startedAt: secondsAgo(1) };
const skipped: NodeStatus = { ...completed, reason: 'Skipped' };
const bad: NodeStatus = { phase: 'Failed', startedAt: secondsAgo(1), message: 'bad' };

describe('The status of an operation', () => {
  test.each<[string, object, NodeStatus[], string]>([
    ['is Pending when no node has started', {}, [pending, pending], 'Pending 0/2'],
    ['is Running when one node is active', {}, [active, pending], 'Running 0/2'],
    [
      'is Running when one node is claimed',
      {},
      [{ phase: 'Pending', startedAt: secondsAgo(1) }, pending],
      'Running 0/2',
    ],
    ['is Running when one node is completed and one is pending', {}, [completed, pending], 'Running 1/2'],
    ['is Completed when all nodes are completed', {}, [completed, skipped], 'Completed 2/2'],
    ['is Running when one node failed and one is active', {}, [bad, active], 'Running 1/2'],
    ['is Running when one node failed and one is pending', {}, [bad, pending], 'Running 1/2'],
    ['is Failed when all nodes have finished and one failed', {}, [bad, completed], 'Failed 2/2'],
    [
      'is Running when one node failed with stopOnFailure and one is active',
      { stopOnFailure: true },
      [bad, active, pending],
      'Running 1/3',
    ],
    [
      'is Failed when one node failed with stopOnFailure and none is active',
      { stopOnFailure: true },
      [bad, pending],
      'Failed 1/2',
    ],
  ])('%s', (_sentence, spec, entries, expected) => {
    const { phase, progress } = phaseOf(spec, entries);
    expect(`${phase} ${progress}`).toBe(expected);
  });

  test('counts its nodes by state', () => {
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
    ['names the first node that failed', [completed, bad], '1 of 2 nodes failed; n1: bad'],
    ['says how many nodes are completed', [completed, completed], '2 nodes done'],
    ['says how many nodes were skipped', [completed, skipped], '2 nodes done, 1 of them had nothing to do'],
    [
      'has the message of the active node',
      [completed, { ...active, step: 'Drain', message: 'waiting for web' }],
      'n1: waiting for web',
    ],
  ])('%s', (_sentence, entries, message) => expect(phaseOf({}, entries).message).toBe(message));

  test('keeps its first completedAt, which it has only when it is final', () => {
    expect(phaseOf({}, [active]).completedAt).toBeUndefined();
    expect(phaseOf({}, [completed]).completedAt).toBe(NOW.toISOString());
    const again = nodeOp({}, { status: { completedAt: secondsAgo(50) } });
    expect(operationStatus(again, { n1: completed }, NOW).completedAt).toBe(secondsAgo(50));
  });

  test('has the generation of the spec as observedGeneration', () => {
    const seen = operationStatus(parsed(op({}, { metadata: { generation: 7 } })), { n1: pending }, NOW);
    expect(seen.observedGeneration).toBe(7);
  });

  test('is Running until the result of a failed node is in the status', () => {
    const { status } = planFor({ concurrency: 1 }, { a: nodeWithResult('Failed'), b: {} });
    expect(status).toMatchObject({ phase: 'Running', progress: '1/2' });
  });
});

describe('A node that was removed before its turn', () => {
  test('becomes Completed, unless it was claimed already', () => {
    const claimed = { phase: 'Pending' as const, reason: 'NodeRemoved' as const, startedAt: secondsAgo(1) };
    const left = { phase: 'Pending' as const, reason: 'NodeRemoved' as const };
    expect(withRemovedCompleted({ claimed, left }, NOW)).toEqual({ claimed, left });
    expect(withRemovedCompleted({ left }, NOW)).toMatchObject({ left: { phase: 'Completed' } });
  });

  test('has the reason NodeRemoved and does not delay the others', () => {
    const { status } = planFor({}, { a: { isAbsent: true }, b: finishedNode('Completed') });
    expect(status.nodeStatuses?.a?.reason).toBe('NodeRemoved');
    expect(status.progress).toBe('2/2');
  });

  test('counts as skipped', () => {
    const { status } = planFor({}, { a: { isAbsent: true }, b: finishedNode('Completed') });
    expect(status).toMatchObject({ phase: 'Completed', nodes: { skipped: 1, failed: 0 } });
  });

  test('stays Pending while others are active, as it may come back', () => {
    const { status } = planFor({}, { a: { isAbsent: true }, b: { ledger: ledger() } });
    expect(status.nodeStatuses?.a).toMatchObject({ phase: 'Pending', reason: 'NodeRemoved' });
  });
});

describe('The conditions', () => {
  const at = (phase: string, before?: ReturnType<typeof conditions>) =>
    conditions({ meta: { generation: 3 }, status: { conditions: before } }, { phase, message: 'm', now: NOW });
  const trueConditions = (phase: string) =>
    at(phase)
      .filter(({ status }) => status === 'True')
      .map(({ type, reason }) => `${type} ${reason}`);

  test.each<[string, string[]]>([
    ['Pending', ['Reconciling Progressing']],
    ['Running', ['Reconciling Progressing']],
    ['Completed', ['Complete AllDone']],
    ['Failed', ['Failed NodesFailed', 'Stalled NodesFailed']],
  ])('of a %s operation', (phase, expected) => expect(trueConditions(phase)).toEqual(expected));

  test('keep lastTransitionTime while their status does not change', () => {
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
