import { describe, expect, test } from '@jest/globals';
import { initialStatus } from '../../../../controller/nodeop/status/initial-status.js';
import { ledger, node, nodeAgent, NOW, nodeOp } from '../../../builders.js';

const at = NOW.toISOString();

describe('The first status of an operation', () => {
  const nodes = [
    node('a'),
    node('b', { labels: { pool: 'x' } }),
    node('w', { labels: { 'kubernetes.io/os': 'windows' } }),
  ];

  test('lists all targets as Pending', () => {
    const entry = { phase: 'Pending', attempt: 1, rebootStatus: 'not-requested', lastUpdated: at };
    expect(initialStatus(nodeOp(), { nodes, now: NOW })).toMatchObject({
      phase: 'Pending',
      startedAt: at,
      observedGeneration: 1,
      progress: '0/2',
      nodes: { total: 2, pending: 2, active: 0, completed: 0, skipped: 0, failed: 0 },
      nodeStatuses: { a: entry, b: entry },
    });
  });

  test('says that a reboot is pending', () => {
    const { nodeStatuses } = initialStatus(nodeOp({ rebootOnSuccess: true }), { nodes, now: NOW });
    expect(nodeStatuses?.a?.rebootStatus).toBe('pending');
  });

  test('lists only the nodes that match the selector', () => {
    const { nodeStatuses } = initialStatus(nodeOp({ nodeSelector: { matchLabels: { pool: 'x' } } }), {
      nodes,
      now: NOW,
    });
    expect(Object.keys(nodeStatuses ?? {})).toEqual(['b']);
  });

  test('includes nodes that were claimed before the status was cleared', () => {
    const claimed = [nodeAgent({}, ledger({ id: 'uid-op-2' }))];
    const { nodeStatuses } = initialStatus(nodeOp(), { nodes, claimed, now: NOW });
    expect(nodeStatuses).toMatchObject({ a: { attempt: 1 }, n1: { attempt: 2 } });
  });

  test('is final where no node matches', () => {
    const status = initialStatus(nodeOp({ nodeSelector: { matchLabels: { pool: 'y' } } }), { nodes, now: NOW });
    expect(status).toMatchObject({ phase: 'Failed', progress: '0/0', completedAt: at, nodeStatuses: {} });
    expect(status.conditions?.find(({ type }) => type === 'Failed')).toMatchObject({
      status: 'True',
      reason: 'NoTargets',
    });
  });
});
