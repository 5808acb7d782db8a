import { describe, expect, test } from '@jest/globals';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import { failedStatus, initializingStatus, mirroredStatus } from '../../../controller/upgrade/status.js';
import { NOW, nodeOp, secondsAgo, upgrade } from './samples.js';

const LATER = new Date(NOW.getTime() + 1000);
const of = (status?: NodeOpStatus) => mirroredStatus(upgrade(), nodeOp(status), NOW);
const held = (status: { conditions?: { type: string; status: string }[] }) =>
  status.conditions?.filter(condition => condition.status === 'True').map(condition => condition.type);

describe('the words scripts wait for', () => {
  test.each([
    ['Pending', 'Upgrade operation is pending', ['Reconciling']],
    ['Running', 'Upgrade operation is running', ['Reconciling']],
    ['Completed', 'Upgrade operation completed successfully', ['Complete']],
    ['Failed', 'Upgrade operation failed', ['Failed', 'Stalled']],
  ] as const)('%s', (phase, message, conditions) => {
    const status = of({ phase });
    expect([status.phase, status.message, held(status)]).toEqual([phase, message, conditions]);
  });

  test('a NodeOp that nobody has looked at yet', () => {
    expect(of()).toMatchObject({ phase: 'Initializing', message: 'NodeOp created', nodeOpName: 'to-v2' });
  });

  test('the first node that failed, and why', () => {
    const nodeStatuses: NodeOpStatus['nodeStatuses'] = {
      a: { phase: 'Completed' },
      b: { phase: 'Failed', message: 'Job failed', completedAt: secondsAgo(10) },
      c: { phase: 'Failed', message: 'first', completedAt: secondsAgo(20) },
    };
    const status = of({ phase: 'Failed', nodeStatuses });
    expect(status.message).toBe('Upgrade operation failed');
    expect(status.conditions?.map(condition => condition.message)).toEqual(
      Array(4).fill('Upgrade operation failed: c: first'),
    );
  });

  test('a NodeOp that was deleted under it is told as such, though it says itself that it failed', () => {
    const nodeStatuses: NodeOpStatus['nodeStatuses'] = { a: { phase: 'Pending', reason: 'Deleted' } };
    const leaving = nodeOp({ phase: 'Failed', nodeStatuses }, { deletionTimestamp: secondsAgo(1) });
    expect(mirroredStatus(upgrade(), leaving, NOW).conditions?.[1]).toMatchObject({
      reason: 'NodeOpDeleted',
      message: 'Upgrade operation failed: NodeOp to-v2 was deleted before the upgrade had finished',
    });
  });

  test("the NodeOp's own reason where no node failed", () => {
    const conditions = [
      { type: 'Failed', status: 'True' as const, reason: 'NoTargets', message: '', lastTransitionTime: secondsAgo(1) },
    ];
    const status = of({ phase: 'Failed', message: 'no Linux node matches nodeSelector', conditions });
    expect(status.message).toBe('Upgrade operation failed');
    expect(status.conditions?.[1]?.message).toBe('Upgrade operation failed: no Linux node matches nodeSelector');
    expect(status.conditions?.map(condition => condition.reason)).toEqual(Array(4).fill('NoTargets'));
  });
});

describe('what is mirrored', () => {
  const counts = { total: 2, pending: 1, active: 1, completed: 0, skipped: 0, failed: 0 };

  test('counts, progress, nodes and times', () => {
    const status: NodeOpStatus = {
      phase: 'Running',
      nodes: counts,
      progress: '0/2',
      startedAt: secondsAgo(5),
      nodeStatuses: { a: { phase: 'Running' } },
    };
    expect(of(status)).toMatchObject(status);
  });

  test('what was found out before stays', () => {
    const before = upgrade({ status: { target: { version: 'v2' } } });
    expect(mirroredStatus(before, nodeOp({ phase: 'Running' }), NOW).target).toEqual({ version: 'v2' });
  });

  test('of more than a thousand nodes only those under way and failed', () => {
    const many = Object.fromEntries(
      Array.from({ length: 1001 }, (_, i) => [`n${i}`, { phase: 'Completed' as const, startedAt: secondsAgo(9) }]),
    );
    const nodeStatuses: NodeOpStatus['nodeStatuses'] = {
      ...many,
      bad: { phase: 'Failed' },
      busy: { phase: 'Running', startedAt: secondsAgo(3) },
      idle: { phase: 'Pending' },
    };
    expect(Object.keys(of({ phase: 'Running', nodeStatuses }).nodeStatuses ?? {})).toEqual(['bad', 'busy']);
  });
});

describe('conditions', () => {
  test('keep the time of their last change while nothing changes', () => {
    const first = initializingStatus(upgrade(), 'reading', NOW);
    const second = initializingStatus(upgrade({ status: first }), 'still reading', LATER);
    expect(second.conditions?.map(condition => condition.lastTransitionTime)).toEqual(Array(4).fill(NOW.toISOString()));
    expect(second.message).toBe('still reading');
  });

  test('get a new time when they change', () => {
    const first = initializingStatus(upgrade(), 'reading', NOW);
    const over = failedStatus(upgrade({ status: first }), { reason: 'ProbeFailed', message: 'no' }, LATER);
    const changed = over.conditions?.filter(condition => condition.lastTransitionTime === LATER.toISOString());
    expect(changed?.map(condition => condition.type)).toEqual(['Failed', 'Reconciling', 'Stalled']);
    expect(over).toMatchObject({
      phase: 'Failed',
      message: 'no',
      completedAt: LATER.toISOString(),
      observedGeneration: 1,
    });
  });

  test('tell more than the message while nodes are worked on', () => {
    const status = of({ phase: 'Running', message: 'n1: Draining' });
    expect(status.conditions?.[2]?.message).toBe('n1: Draining');
  });
});
