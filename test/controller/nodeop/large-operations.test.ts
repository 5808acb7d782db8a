import { describe, expect, test } from '@jest/globals';
import { type NodeStatus, STEP_NAMES } from '../../../api/node-status.js';
import type { Facts } from '../../../controller/nodeop/facts/facts.js';
import { type Detail, detailFor, withLimitedLogs } from '../../../controller/nodeop/status/truncate.js';
import { nodeStatus } from '../../../controller/nodeop/status/node-status.js';
import { operationStatus } from '../../../controller/nodeop/status/operation-status.js';
import { objectName } from '../../../controller/nodeop/facts/manifests.js';
import { rebuiltLedger } from '../../../controller/nodeop/facts/ledger.js';
import { walk } from '../../../controller/nodeop/steps/walk.js';
import { facts, node, NOW, ran, nodeOp } from '../../builders.js';

const done = { phase: 'Completed' as const, reason: 'Done' as const, message: 'well', at: NOW.toISOString() };
const failed = { phase: 'Failed' as const, reason: 'JobFailed' as const, message: 'bad', at: NOW.toISOString() };
const REBOOT = { rebootOnSuccess: true };

describe('The status of an operation over many nodes', () => {
  const names = Array.from({ length: 5_000 }, (_, at) => `machine-${String(at).padStart(5, '0')}.rack-7.example.com`);
  const at = NOW.toISOString();
  const uid = '0b5a7f4e-3f57-4c0d-9a53-0f3f8e5c9b11';
  const result = { ...done, message: 'Job and reboot completed successfully', bootIdAfter: uid };
  const grown = {
    stepTimes: Object.fromEntries(STEP_NAMES.filter(step => step !== 'ControlPlane').map(step => [step, at])),
    job: { name: 'nightly-machine-00000-rack-7-example-com-0123456789', uid },
    bootIdBefore: uid,
    nodeUid: uid,
  };
  const kinds: Record<string, Partial<Facts>> = {
    waiting: { ledger: undefined },
    refused: { ledger: undefined },
    active: { ledger: ran('Verify', grown), node: node('n1', { uid }) },
    done: { ledger: ran('Release', { ...grown, result }), isReported: true },
    failed: {
      ledger: ran('Release', { ...grown, result: { ...failed, message: 'bad '.repeat(99), log: 'x'.repeat(2_000) } }),
      isReported: true,
    },
  };
  const waiting = { reason: 'WaitingForTurn' as const, message: 'waiting for its turn' };
  const refused = { reason: 'PodRefused' as const, message: `the Pod of the Job would be refused: ${'x'.repeat(700)}` };

  /** The status of an operation over `count` nodes, each of the kind that `kindOf` returns. */
  const statusFor = (count: number, kindOf: (index: number) => string, detail: Detail = 'short') => {
    const before = Object.fromEntries(names.slice(0, count).map(name => [name, { phase: 'Pending' as const }]));
    const whole = nodeOp(REBOOT, { status: { startedAt: at, nodeStatuses: before } });
    const entries = Object.fromEntries(
      Object.entries(kinds).map(([kind, seen]) => {
        const all = { ...facts(REBOOT, seen), nodeOp: whole };
        const why = kind === 'refused' ? refused : waiting;
        return [kind, nodeStatus({ facts: all, walk: walk(all), before: undefined, waiting: why }, detail)];
      }),
    );
    const statuses = names.slice(0, count).map((name, index) => [name, entries[kindOf(index)] ?? { phase: 'Pending' }]);
    return operationStatus(whole, Object.fromEntries(statuses) as Record<string, NodeStatus>, NOW);
  };

  const inTheMiddle = (index: number): string => {
    if (index < 2_250) return 'done';
    return index < 2_750 ? 'active' : 'waiting';
  };

  test.each<[string, (index: number) => string]>([
    ['at the start', () => 'waiting'],
    ['in the middle', inTheMiddle],
    ['at the end', () => 'done'],
    ['when all failed', () => 'failed'],
    ['when all are refused with a long message', () => 'refused'],
  ])('fits into one object with 5,000 nodes %s', (_sentence, kindOf) => {
    expect(JSON.stringify(statusFor(5_000, kindOf)).length).toBeLessThan(1024 * 1024);
  });

  test('fits into one object with 5,000 active nodes', () => {
    const detail = detailFor({ targets: 5_000, active: 5_000 });
    expect(JSON.stringify(statusFor(5_000, () => 'active', detail)).length).toBeLessThan(1.4 * 1024 * 1024);
  });

  test('fits into one object with 1,000 nodes that failed with a log and a long message', () => {
    const before = Object.fromEntries(names.slice(0, 1_000).map(name => [name, { phase: 'Pending' as const }]));
    const whole = nodeOp(REBOOT, { status: { startedAt: at, nodeStatuses: before } });
    const bad = { ...failed, message: 'bad '.repeat(999), log: 'x'.repeat(2_048), exitCode: 1 };
    const seen = {
      ...facts(REBOOT, { ledger: ran('Release', { ...grown, result: bad }), isReported: true }),
      nodeOp: whole,
    };
    const entry = nodeStatus({ facts: seen, walk: walk(seen), before: undefined }, 'brief');
    const entries = withLimitedLogs(Object.fromEntries(Object.keys(before).map(name => [name, entry])));
    expect(JSON.stringify(operationStatus(whole, entries, NOW)).length).toBeLessThan(1.4 * 1024 * 1024);
    const logs = Object.values(entries).filter(({ log }) => log !== undefined);
    expect(logs).toHaveLength(50);
    expect(withLimitedLogs(entries, entries)).toEqual(entries);
  });

  test.each([
    [100, 100, 'full'],
    [1_000, 1_000, 'brief'],
    [1_001, 500, 'short'],
    [1_001, 501, 'least'],
  ] as const)('has for %d targets, %d of them active, the detail %s', (targets, active, detail) => {
    expect(detailFor({ targets, active })).toBe(detail);
  });

  test('contains full entries of up to 1,000 nodes', () => {
    const { nodeStatuses } = statusFor(1_000, () => 'done', 'full');
    expect(Object.values(nodeStatuses ?? {})[0]).toMatchObject({ jobName: grown.job.name, bootIdAfter: uid });
  });

  test('keeps only the result of finished nodes from 1,001 nodes on', () => {
    const { nodeStatuses } = statusFor(1_001, () => 'done');
    expect(Object.values(nodeStatuses ?? {})[0]).toEqual({
      phase: 'Completed',
      reason: 'Done',
      message: 'Job and reboot completed successfully',
    });
  });

  test('keeps of very many active nodes what is needed to rebuild a lost ledger', () => {
    const { nodeStatuses } = statusFor(1_001, () => 'active', 'least');
    const entry = Object.values(nodeStatuses ?? {})[0];
    expect(entry).toEqual({
      phase: 'Running',
      step: 'Verify',
      startedAt: at,
      bootIdBefore: uid,
      nodeUid: uid,
      jobUid: uid,
    });
    const whole = nodeOp(REBOOT, { status: { startedAt: at, nodeStatuses: entry && { n1: entry } } });
    const lost = { ...facts(REBOOT, { ledger: undefined, job: undefined }), nodeOp: whole };
    expect(rebuiltLedger(lost, 'another')).toMatchObject({
      step: 'Verify',
      nodeUid: uid,
      bootIdBefore: uid,
      job: { name: objectName(whole, 'n1', 'job'), uid },
      reboot: { jobName: objectName(whole, 'n1', 'job') },
      stepTimes: { Run: expect.any(String), Verify: expect.any(String) },
    });
  });

  test('keeps the reason of waiting nodes without changing the entry in every pass', () => {
    const { nodeStatuses } = statusFor(1_001, () => 'waiting');
    const [first] = Object.values(nodeStatuses ?? {});
    expect(first).toEqual({ phase: 'Pending', reason: 'WaitingForTurn', lastUpdated: at });
    const later = { ...facts(REBOOT, { ledger: undefined }), now: new Date(NOW.getTime() + 60_000) };
    expect(nodeStatus({ facts: later, walk: walk(later), before: first, waiting }, 'short')).toBe(first);
  });
});
