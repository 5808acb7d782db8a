import { describe, expect, test } from '@jest/globals';
import type { NodeStatus } from '../../../api/node-status.js';
import type { Operation } from '../../../api/node-agent.js';
import { decide } from '../../../controller/nodeop/decide.js';
import { facts, node, nodeAgent, nodeOp, NOW, ran, secondsAgo } from '../../builders.js';

const result = { phase: 'Failed', reason: 'Unreachable', message: 'gone', at: secondsAgo(1) } as const;

interface Gone {
  ready?: boolean;
  /** Since when the withdrawal is waited for. */
  seconds?: number;
  ledger?: Partial<Operation>;
  other?: NodeStatus;
}

/** An operation with one slot, whose first node never came back from its reboot and whose second one waits. */
function planFor({ ready = false, seconds = 1, ledger = {}, other = { phase: 'Pending' } }: Gone = {}) {
  const spec = { rebootOnSuccess: true, concurrency: 1 };
  const nodeStatuses = { n1: { phase: 'Running' as const, startedAt: secondsAgo(900) }, n2: other };
  const op = nodeOp(spec, { status: { phase: 'Running', startedAt: secondsAgo(900), nodeStatuses } });
  const entry = ran('Withdraw', { rebootWithdrawn: true, result, ...ledger }, seconds);
  const gone = facts({}, { nodeOp: op, ledger: entry, agent: nodeAgent({}, entry), node: node('n1', { ready }) });
  const waiting = facts({}, { nodeOp: op, name: 'n2', node: node('n2'), ledger: undefined });
  return decide(op, [gone, waiting], NOW);
}

const starts = (plan: ReturnType<typeof planFor>) =>
  plan.actions.some(({ facts: { name }, action }) => name === 'n2' && action.do === 'claim');

describe('A node that never comes back from its reboot', () => {
  test('counts as failed, and frees its slot', () => {
    const plan = planFor();
    expect(plan.status.nodes).toMatchObject({ failed: 1, active: 0 });
    expect(plan.status.nodeStatuses?.n1).toMatchObject({ phase: 'Failed', reason: 'Unreachable' });
    expect(plan.status.nodeStatuses?.n1?.message).toContain('stays claimed');
    expect(starts(plan)).toBe(true);
  });

  test('is not released', () => {
    expect(planFor().actions.filter(({ facts: { name } }) => name === 'n1')).toEqual([]);
  });

  test('lets the operation end when it is the last one', () => {
    expect(planFor({ other: { phase: 'Completed' } }).status.phase).toBe('Failed');
  });

  test('holds its slot while it is Ready and its agent may still answer', () => {
    const plan = planFor({ ready: true, seconds: 359 });
    expect(plan.status.nodes).toMatchObject({ failed: 0, active: 1 });
    expect(starts(plan)).toBe(false);
    expect(plan.requeueAt).toEqual(new Date(NOW.getTime() + 1000));
  });

  test('frees its slot when it is Ready and its agent has not answered for 360 s', () => {
    expect(starts(planFor({ ready: true, seconds: 360 }))).toBe(true);
  });

  test('holds its slot until the withdrawal of the reboot is written', () => {
    const asked = { rebootWithdrawn: undefined, reboot: { jobName: 'job', notAfter: secondsAgo(1) } };
    expect(starts(planFor({ ledger: asked }))).toBe(false);
  });
});
