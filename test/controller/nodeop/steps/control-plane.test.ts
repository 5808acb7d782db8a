import { describe, expect, test } from '@jest/globals';
import { facts, job, ledger, node, NOW, ran, reached, secondsAgo, nodeOp } from '../../../builders.js';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { DRAIN, MARK, REBOOT, outcomeOf } from './walk-outcome.js';

const CP = node('n1', { controlPlane: true });
const CORDON = { cordon: true, prePull: false };
const WAITS = reached('ControlPlane');
const MINE = reached('ControlPlane', { controlPlane: true });
const other = { node: 'x', operation: 'infra/other' };
const ETCD = { node: 'y', pod: 'kube-system/etcd-y' };

/** The status says since when it waits for another one to be Ready. */
const waitedFor = (seconds: number) => {
  const entry = {
    phase: 'Pending' as const,
    reason: 'ControlPlaneNotReady' as const,
    lastUpdated: secondsAgo(seconds),
  };
  return { nodeOp: nodeOp({ ...CORDON, startDeadlineSeconds: 5 }, { status: { nodeStatuses: { n1: entry } } }) };
};

describe('A control plane, before it is disrupted,', () => {
  test.each<[string, object, Partial<Facts>, string]>([
    ['is recorded as waiting for its turn', CORDON, { node: CP }, 'ControlPlane: record ControlPlane'],
    ['takes its turn', CORDON, { node: CP, ledger: WAITS }, 'ControlPlane: takeControlPlane'],
    [
      'takes its turn for an operation that only reboots',
      { rebootOnSuccess: true },
      { node: CP, ledger: WAITS },
      'ControlPlane: takeControlPlane',
    ],
    ['continues once it has its turn', CORDON, { node: CP, ledger: MINE }, 'Cordon: record Cordon'],
    ['needs no turn for an operation that disrupts nothing', {}, { node: CP, ledger: ledger() }, 'Run: record Run'],
    ['needs no turn if it is a worker', CORDON, { node: node() }, 'Cordon: record Cordon'],
    [
      'waits while another operation works on another control plane',
      CORDON,
      { node: CP, ledger: WAITS, otherControlPlanes: { active: other } },
      'ControlPlane: wait WaitingForOperation',
    ],
    [
      'waits while its own operation works on another control plane',
      CORDON,
      { node: CP, ledger: WAITS, otherControlPlanes: { active: { node: 'x', operation: 'default/op' } } },
      'ControlPlane: wait WaitingForTurn',
    ],
    [
      'waits while another control plane is not Ready',
      CORDON,
      { node: CP, ledger: WAITS, otherControlPlanes: { notReady: 'y' } },
      'ControlPlane: wait ControlPlaneNotReady',
    ],
    [
      'fails when another control plane is not Ready within startDeadlineSeconds',
      { ...CORDON, startDeadlineSeconds: 5 },
      { node: CP, ledger: WAITS, otherControlPlanes: { notReady: 'y' }, ...waitedFor(5) },
      'ControlPlane: Failed ControlPlaneNotReady',
    ],
    [
      'waits for another control plane for the whole deadline, however long it has waited for its turn before',
      { ...CORDON, startDeadlineSeconds: 5 },
      { node: CP, ledger: WAITS, otherControlPlanes: { notReady: 'y' }, ...waitedFor(4) },
      'ControlPlane: wait ControlPlaneNotReady',
    ],
    [
      'waits while another control plane is not Ready even if it has its turn',
      CORDON,
      { node: CP, ledger: MINE, otherControlPlanes: { notReady: 'y' } },
      'ControlPlane: wait ControlPlaneNotReady',
    ],
    [
      'waits while a static pod of another control plane is not Ready, before its turn',
      CORDON,
      { node: CP, ledger: WAITS, otherControlPlanes: { unreadyStaticPod: ETCD } },
      'ControlPlane: wait ControlPlaneNotReady',
    ],
    [
      'waits while a static pod of another control plane is not Ready even if it has its turn',
      CORDON,
      { node: CP, ledger: MINE, otherControlPlanes: { unreadyStaticPod: ETCD } },
      'ControlPlane: wait ControlPlaneNotReady',
    ],
    [
      'fails when a static pod of another control plane stays unready for startDeadlineSeconds',
      { ...CORDON, startDeadlineSeconds: 5 },
      { node: CP, ledger: WAITS, otherControlPlanes: { unreadyStaticPod: ETCD }, ...waitedFor(5) },
      'ControlPlane: Failed ControlPlaneNotReady',
    ],
    [
      'ignores the others once it is disrupted',
      DRAIN,
      {
        node: node('n1', { controlPlane: true, cordoned: true, mark: MARK }),
        ledger: reached('Drain', { controlPlane: true, cordoned: true }),
        otherControlPlanes: { notReady: 'y', active: other },
      },
      'Run: record Run',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));

  test.each<[string, Partial<Facts>, string]>([
    ['a worker reboots', { node: node() }, 'Reboot: record Reboot'],
    [
      'a control plane with its turn reboots',
      { node: CP, ledger: ran('Run', { controlPlane: true }) },
      'Reboot: record Reboot',
    ],
    [
      'a control plane with its turn waits for one that failed meanwhile',
      { node: CP, ledger: ran('Run', { controlPlane: true }), otherControlPlanes: { notReady: 'y' } },
      'Run: wait ControlPlaneNotReady',
    ],
    [
      'a control plane with its turn waits for the static pod of another one',
      { node: CP, ledger: ran('Run', { controlPlane: true }), otherControlPlanes: { unreadyStaticPod: ETCD } },
      'Run: wait ControlPlaneNotReady',
    ],
    ['a node that became a control plane takes its turn first', { node: CP }, 'Run: takeControlPlane'],
    [
      'a node that became a control plane waits for its turn',
      { node: CP, otherControlPlanes: { turnHolder: other } },
      'Run: wait WaitingForOperation',
    ],
    [
      'a node that became a control plane does not wait for one that is only cordoned',
      { node: CP, otherControlPlanes: { active: other } },
      'Run: takeControlPlane',
    ],
  ])('after the Job, %s', (_sentence, seen, expected) =>
    expect(outcomeOf(facts(REBOOT, { ledger: ran('Run'), job: job('complete'), ...seen }))).toBe(expected),
  );

  test('is reported with the operation and the node that it waits for', () => {
    const { result } = walk(facts(CORDON, { node: CP, ledger: WAITS, otherControlPlanes: { active: other } }));
    expect(result).toMatchObject({ message: 'waiting for operation infra/other, which works on control plane x' });
  });

  test('is reported with the static pod that it waits for', () => {
    const seen = { node: CP, ledger: WAITS, otherControlPlanes: { unreadyStaticPod: ETCD } };
    const { result } = walk(facts(CORDON, seen));
    expect(result).toMatchObject({
      message: 'waiting for static pod kube-system/etcd-y of control plane y to be Ready',
    });
  });

  test('is reconciled again at the deadline for another one to be Ready', () => {
    const seen = { node: CP, ledger: WAITS, otherControlPlanes: { notReady: 'y' } };
    const { result } = walk(facts({ ...CORDON, startDeadlineSeconds: 60 }, seen));
    expect(result).toMatchObject({
      message: 'waiting for control plane y to be Ready',
      until: new Date(NOW.getTime() + 60_000),
    });
  });
});
