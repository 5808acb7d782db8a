import { describe, expect, test } from '@jest/globals';
import { facts, ledger, node, NOW, reached, secondsAgo } from '../../../builders.js';
import type { Facts } from '../../../../controller/nodeop/facts.js';
import { walk } from '../../../../controller/nodeop/steps.js';
import { told } from './walked.js';

const CP = node('n1', { controlPlane: true });
const CORDON = { cordon: true, prePull: false };
const WAITS = reached('ControlPlane');
const MINE = reached('ControlPlane', { controlPlane: true });
const worked = { node: 'x', operation: 'infra/other' };

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
      { node: CP, ledger: WAITS, otherControlPlanes: { worked } },
      'ControlPlane: wait WaitingForOperation',
    ],
    [
      'waits while this operation works on another one',
      CORDON,
      { node: CP, ledger: WAITS, otherControlPlanes: { worked: { node: 'x', operation: 'default/op' } } },
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
      { node: CP, ledger: WAITS, otherControlPlanes: { notReady: 'y' } },
      'ControlPlane: Failed ControlPlaneNotReady',
    ],
    [
      'looks at the others no more once it is disturbed',
      CORDON,
      { node: CP, ledger: MINE, otherControlPlanes: { notReady: 'y', worked } },
      'Cordon: record Cordon',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(told(facts(spec, seen))).toBe(expected));

  test('names the operation and the node that it waits for', () => {
    const { look } = walk(facts(CORDON, { node: CP, ledger: WAITS, otherControlPlanes: { worked } }));
    expect(look).toMatchObject({ message: 'waiting for operation infra/other, which works on control plane x' });
  });

  test('tells until when it waits for another to be Ready', () => {
    const seen = { node: CP, ledger: WAITS, otherControlPlanes: { notReady: 'y' } };
    const { look } = walk(facts({ ...CORDON, startDeadlineSeconds: 60 }, seen));
    expect(look).toMatchObject({
      message: 'waiting for control plane y to be Ready',
      until: new Date(Date.parse(secondsAgo(5)) + 60_000),
    });
    expect(NOW.getTime()).toBeLessThan(Date.parse(secondsAgo(5)) + 60_000);
  });
});
