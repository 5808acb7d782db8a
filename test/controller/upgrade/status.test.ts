import { describe, expect, test } from '@jest/globals';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import { failedStatus, initializingStatus, mirroredStatus } from '../../../controller/upgrade/status.js';
import { NOW, nodeOp, secondsAgo, upgrade } from './samples.js';

const LATER = new Date(NOW.getTime() + 1000);
const of = (status?: NodeOpStatus) => mirroredStatus(upgrade(), nodeOp(status), NOW);
const trueConditions = (status: { conditions?: { type: string; status: string }[] }) =>
  status.conditions?.filter(condition => condition.status === 'True').map(condition => condition.type);

describe('the status of an upgrade', () => {
  test.each([
    ['Pending', 'Upgrade operation is pending', ['Reconciling']],
    ['Running', 'Upgrade operation is running', ['Reconciling']],
    ['Completed', 'Upgrade operation completed successfully', ['Complete']],
    ['Failed', 'Upgrade operation failed', ['Failed', 'Stalled']],
  ] as const)('has the published message in phase %s', (phase, message, conditions) => {
    const status = of({ phase });
    expect([status.phase, status.message, trueConditions(status)]).toEqual([phase, message, conditions]);
  });

  test('is Initializing while the NodeOp has no status', () => {
    expect(of()).toMatchObject({ phase: 'Initializing', message: 'NodeOp created', nodeOpName: 'to-v2' });
  });

  test('names the first node that failed, and its message', () => {
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

  test('has reason NodeOpDeleted if the NodeOp was deleted before it had finished', () => {
    const nodeStatuses: NodeOpStatus['nodeStatuses'] = { a: { phase: 'Pending', reason: 'Deleted' } };
    const deleted = nodeOp({ phase: 'Failed', nodeStatuses }, { deletionTimestamp: secondsAgo(1) });
    expect(mirroredStatus(upgrade(), deleted, NOW).conditions?.[1]).toMatchObject({
      reason: 'NodeOpDeleted',
      message: 'Upgrade operation failed: NodeOp to-v2 was deleted before the upgrade had finished',
    });
  });

  test('has the reason of the NodeOp if no node failed', () => {
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

  test('has only active and failed nodes if there are more than a thousand', () => {
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
  test('keep lastTransitionTime while their status is unchanged', () => {
    const first = initializingStatus(upgrade(), 'reading', NOW);
    const second = initializingStatus(upgrade({ status: first }), 'still reading', LATER);
    expect(second.conditions?.map(condition => condition.lastTransitionTime)).toEqual(Array(4).fill(NOW.toISOString()));
    expect(second.message).toBe('still reading');
  });

  test('get a new lastTransitionTime when their status changes', () => {
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

  test('carry the message of the NodeOp while nodes are active', () => {
    const status = of({ phase: 'Running', message: 'n1: Draining' });
    expect(status.conditions?.[2]?.message).toBe('n1: Draining');
  });
});
