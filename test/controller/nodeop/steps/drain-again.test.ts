import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { facts, job, node, NOW, pod, ran, replicated, secondsAgo } from '../../../builders.js';
import { DRAIN, MARK, outcomeOf, REBOOT } from './walk-outcome.js';

const SPEC = { ...DRAIN, ...REBOOT };
const REQUESTED = 'Reboot: record Reboot';

describe('Before its reboot is requested, a drained node', () => {
  const after = (stepTimes: Record<string, string> = {}) =>
    ran('Run', { cordoned: true, stepTimes: { Drain: secondsAgo(850), ...stepTimes } });
  const since = (seconds: number) => after({ DrainAgain: secondsAgo(seconds) });
  const done = { node: node('n1', { cordoned: true, mark: MARK }), job: job('complete'), ledger: after() };
  const web = pod('web', { ...replicated, createdAt: secondsAgo(20) });
  const labels = { app: 'db' };
  const newDb = pod('db', { labels, createdAt: secondsAgo(20) });
  const oldDb = pod('db', { labels, createdAt: secondsAgo(5000) });
  const refused = new Map([['uid-web', { at: NOW, notBefore: new Date(NOW.getTime() + 3000), message: 'budget web' }]]);
  const exhausted = {
    metadata: { name: 'db', namespace: 'default', uid: 'b', resourceVersion: '1' },
    spec: { selector: { matchLabels: labels } },
    status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1 },
  };
  test.each<[string, object, Partial<Facts>, string]>([
    ['goes on at once when no pod has come', SPEC, done, REQUESTED],
    ['has the start of another drain recorded when a pod has come', SPEC, { ...done, pods: [web] }, 'Run: record'],
    ['has a pod evicted that has come', SPEC, { ...done, ledger: since(1), pods: [web] }, 'Run: evict'],
    [
      'waits for a budget that refuses the eviction',
      SPEC,
      { ...done, ledger: since(1), pods: [web], evictionRefusals: refused },
      'Run: wait Draining',
    ],
    [
      'waits for a pod to terminate',
      SPEC,
      { ...done, ledger: since(1), pods: [pod('web', { ...replicated, terminating: true })] },
      'Run: wait Draining',
    ],
    [
      'fails when the pod that has come is not gone at the drain timeout',
      SPEC,
      { ...done, ledger: since(300), pods: [web] },
      'Run: Failed DrainTimeout',
    ],
    [
      'goes on at the drain timeout with onTimeout Proceed',
      { ...SPEC, drainOptions: { enabled: true, onTimeout: 'Proceed' } },
      { ...done, ledger: since(300), pods: [web] },
      REQUESTED,
    ],
    [
      'leaves what the drain could not evict in time, with onTimeout Proceed',
      { ...SPEC, drainOptions: { enabled: true, onTimeout: 'Proceed' } },
      { ...done, pods: [pod('web', { ...replicated, createdAt: secondsAgo(5000) })] },
      REQUESTED,
    ],
    [
      'waits until the budget of a staying pod that has come allows the reboot',
      SPEC,
      { ...done, ledger: since(1), pods: [newDb], budgets: [exhausted] },
      'Run: wait Draining',
    ],
    [
      'waits until the budget of a pod that its controller put back allows the reboot',
      SPEC,
      {
        ...done,
        ledger: since(1),
        pods: [pod('db', { ...replicated, labels, createdAt: secondsAgo(20) })],
        replacements: new Set(['uid-db']),
        budgets: [exhausted],
      },
      'Run: wait Draining',
    ],
    [
      'does not ask the budget of a staying pod again that the drain has asked for',
      SPEC,
      { ...done, pods: [oldDb], budgets: [exhausted] },
      REQUESTED,
    ],
    [
      'waits for the budget of a pod that no other node can take',
      SPEC,
      {
        ...done,
        ledger: since(1),
        pods: [pod('db', { ...replicated, labels, createdAt: secondsAgo(20) })],
        budgets: [exhausted],
        hasOtherSchedulableNode: false,
      },
      'Run: wait Draining',
    ],
    [
      'leaves a pod that no other node can take',
      SPEC,
      { ...done, pods: [web], hasOtherSchedulableNode: false },
      REQUESTED,
    ],
    [
      'is not drained when its drain was skipped',
      SPEC,
      { ...done, ledger: { ...after(), drainSkipped: true }, pods: [web] },
      REQUESTED,
    ],
    ['is not drained unless drainOptions ask for it', { ...REBOOT, cordon: true }, { ...done, pods: [web] }, REQUESTED],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));

  test('is reported with the pods that have come', () => {
    const seen = { ...done, ledger: since(5), pods: [web], evictionRefusals: refused };
    expect(walk(facts(SPEC, seen)).result).toMatchObject({
      reason: 'Draining',
      message: `before the reboot: waiting for default/web to terminate; budget web (draining since ${secondsAgo(5)})`,
    });
  });

  test('fails without its reboot when the operation is deleted while it is drained again', () => {
    const seen = facts(SPEC, { ...done, ledger: since(5), pods: [web] });
    expect(outcomeOf({ ...seen, nodeOp: { ...seen.nodeOp, isDeleting: true } })).toBe('Run: Failed Deleted');
  });
});
