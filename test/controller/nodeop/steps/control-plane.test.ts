import { describe, expect, test } from '@jest/globals';
import { facts, job, ledger, node, NOW, ran, reached, secondsAgo, nodeOp } from '../../../builders.js';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { DRAIN, MARK, REBOOT, outcomeOf } from './walk-outcome.js';

const CP = node('n1', { controlPlane: true });
const CORDON = { cordon: true, prePull: false };
const WAITS = reached('ControlPlane');
const MINE = reached('ControlPlane', { controlPlane: true });
const worked = { node: 'x', operation: 'infra/other' };

/** The report says since when it waits for another one to be Ready. */
const waitedFor = (seconds: number) => {
  const entry = {
    phase: 'Pending' as const,
    reason: 'ControlPlaneNotReady' as const,
    lastUpdated: secondsAgo(seconds),
  };
  return { nodeOp: nodeOp({ ...CORDON, startDeadlineSeconds: 5 }, { status: { nodeStatuses: { n1: entry } } }) };
};

describe('A control plane, before it is disturbed', () => {
  test.each<[string, object, Partial<Facts>, string]>([
    ['is marked as waiting for its turn', CORDON, { node: CP }, 'ControlPlane: record ControlPlane'],
    ['takes its turn', CORDON, { node: CP, ledger: WAITS }, 'ControlPlane: takeControlPlane'],
    [
      'takes it for a reboot, too',
      { rebootOnSuccess: true },
      { node: CP, ledger: WAITS },
      'ControlPlane: takeControlPlane',
    ],
    ['goes on once it has it', CORDON, { node: CP, ledger: MINE }, 'Cordon: record Cordon'],
    ['needs none where nothing is disturbed', {}, { node: CP, ledger: ledger() }, 'Run: record Run'],
    ['a worker needs none', CORDON, { node: node() }, 'Cordon: record Cordon'],
    [
      'waits while another operation works on another one',
      CORDON,
      { node: CP, ledger: WAITS, otherControlPlanes: { active: worked } },
      'ControlPlane: wait WaitingForOperation',
    ],
    [
      'waits while this operation works on another one',
      CORDON,
      { node: CP, ledger: WAITS, otherControlPlanes: { active: { node: 'x', operation: 'default/op' } } },
      'ControlPlane: wait WaitingForTurn',
    ],
    [
      'waits while another one is not Ready',
      CORDON,
      { node: CP, ledger: WAITS, otherControlPlanes: { notReady: 'y' } },
      'ControlPlane: wait ControlPlaneNotReady',
    ],
    [
      'does not wait for that without end',
      { ...CORDON, startDeadlineSeconds: 5 },
      { node: CP, ledger: WAITS, otherControlPlanes: { notReady: 'y' }, ...waitedFor(5) },
      'ControlPlane: Failed ControlPlaneNotReady',
    ],
    [
      'but as long as it may, however long it has waited for its turn before',
      { ...CORDON, startDeadlineSeconds: 5 },
      { node: CP, ledger: WAITS, otherControlPlanes: { notReady: 'y' }, ...waitedFor(4) },
      'ControlPlane: wait ControlPlaneNotReady',
    ],
    [
      'waits with its turn, too, while another one is not Ready',
      CORDON,
      { node: CP, ledger: MINE, otherControlPlanes: { notReady: 'y' } },
      'ControlPlane: wait ControlPlaneNotReady',
    ],
    [
      'looks at the others no more once it is disturbed',
      DRAIN,
      {
        node: node('n1', { controlPlane: true, cordoned: true, mark: MARK }),
        ledger: reached('Drain', { controlPlane: true, cordoned: true }),
        otherControlPlanes: { notReady: 'y', active: worked },
      },
      'Run: record Run',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));

  test.each<[string, Partial<Facts>, string]>([
    ['a worker reboots', { node: node() }, 'Reboot: record Reboot'],
    [
      'one that has its turn reboots',
      { node: CP, ledger: ran('Run', { controlPlane: true }) },
      'Reboot: record Reboot',
    ],
    [
      'one that went on while another one went down waits',
      { node: CP, ledger: ran('Run', { controlPlane: true }), otherControlPlanes: { notReady: 'y' } },
      'Run: wait ControlPlaneNotReady',
    ],
    ['one that became a control plane meanwhile takes its turn first', { node: CP }, 'Run: takeControlPlane'],
    ['and waits for it', { node: CP, otherControlPlanes: { turnHolder: worked } }, 'Run: wait WaitingForOperation'],
    [
      'but not for one that is only cordoned, and waits for this one',
      { node: CP, otherControlPlanes: { active: worked } },
      'Run: takeControlPlane',
    ],
  ])('after the Job, %s', (_sentence, seen, expected) =>
    expect(outcomeOf(facts(REBOOT, { ledger: ran('Run'), job: job('complete'), ...seen }))).toBe(expected),
  );

  test('names the operation and the node that it waits for', () => {
    const { result } = walk(facts(CORDON, { node: CP, ledger: WAITS, otherControlPlanes: { active: worked } }));
    expect(result).toMatchObject({ message: 'waiting for operation infra/other, which works on control plane x' });
  });

  test('tells until when it waits for another to be Ready', () => {
    const seen = { node: CP, ledger: WAITS, otherControlPlanes: { notReady: 'y' } };
    const { result } = walk(facts({ ...CORDON, startDeadlineSeconds: 60 }, seen));
    expect(result).toMatchObject({
      message: 'waiting for control plane y to be Ready',
      until: new Date(NOW.getTime() + 60_000),
    });
  });
});
