import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { facts, ledger, node, pod, reached, replicated, NOW, secondsAgo } from '../../../builders.js';
import { outcomeOf, MARK, CORDON, DRAIN, REBOOT } from './walk-outcome.js';

describe('Cordon and Drain', () => {
  const cordoned = { node: node('n1', { cordoned: true, mark: MARK }), ledger: ledger({ cordoned: true }) };
  const web = pod('web', replicated);
  const atDrain = reached('Drain', { cordoned: true });
  const late = reached('Drain', { cordoned: true }, 300);
  const refusal = (seconds: number) =>
    new Map([['uid-web', { at: NOW, notBefore: new Date(NOW.getTime() + seconds * 1000), message: 'budget web' }]]);
  test.each<[string, object, Partial<Facts>, string]>([
    [
      'cordons only when the ledger says so',
      CORDON,
      { ledger: reached('Cordon', { cordoned: true }) },
      'Cordon: cordon',
    ],
    ['uses a cordon of somebody else', CORDON, { node: node('n1', { cordoned: true }) }, 'Run: record Run'],
    [
      'takes over the mark of an operation that is over',
      CORDON,
      { node: node('n1', { cordoned: true, mark: 'default/old@gone' }), isMarkOwnerActive: false },
      'Cordon: record Cordon',
    ],
    [
      'writes down that a cordon with its mark is its own, should the ledger not know',
      CORDON,
      { ...cordoned, ledger: ledger() },
      'Cordon: record Cordon',
    ],
    ['drains only when asked', CORDON, { ...cordoned, pods: [web] }, 'Run: record Run'],
    ['needs no drain on an empty node', DRAIN, cordoned, 'Run: record Run'],
    ['evicts what may go', DRAIN, { ...cordoned, ledger: atDrain, pods: [web] }, 'Drain: evict'],
    [
      'asks again only after a while',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [web], evictionRefusals: refusal(3) },
      'Drain: wait Draining',
    ],
    [
      'asks again then',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [web], evictionRefusals: refusal(-1) },
      'Drain: evict',
    ],
    [
      'waits for pods that are leaving',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [pod('web', { ...replicated, terminating: true })] },
      'Drain: wait Draining',
    ],
    [
      'evicts no pod that was put back for one that it evicted',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [web], replacements: new Set(['uid-web']) },
      'Drain: wait Draining',
    ],
    [
      'waits for an image that is being built',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [pod('build', { labels: { 'build.kairos.io/artifact': 'iso' } })] },
      'Drain: wait Draining',
    ],
    ['fails at its timeout', DRAIN, { ...cordoned, ledger: late, pods: [web] }, 'Drain: Failed DrainTimeout'],
    [
      'goes on at its timeout where that is wished',
      { ...DRAIN, drainOptions: { enabled: true, onTimeout: 'Proceed' } },
      { ...cordoned, ledger: late, pods: [web] },
      'Run: record Run',
    ],
    [
      'deletes past budgets at its timeout where that is wished',
      { ...DRAIN, drainOptions: { enabled: true, onTimeout: 'Delete' } },
      { ...cordoned, ledger: late, pods: [web] },
      'Drain: evict',
    ],
    [
      'fails on a DaemonSet it may not ignore',
      { ...DRAIN, drainOptions: { enabled: true, ignoreDaemonSets: false } },
      { ...cordoned, ledger: atDrain, pods: [pod('ds', { owner: { kind: 'DaemonSet', uid: 'ds' } })] },
      'Drain: Failed DrainRefused',
    ],
    [
      'is left out once the ledger says there is nowhere to go',
      DRAIN,
      { ...cordoned, ledger: reached('Drain', { cordoned: true, drainSkipped: true }), pods: [web] },
      'Run: record Run',
    ],
    [
      'lets a staying pod go down with the node only if its budget allows',
      { ...DRAIN, ...REBOOT },
      {
        ...cordoned,
        ledger: atDrain,
        pods: [pod('bare', { labels: { app: 'db' } })],
        budgets: [
          {
            metadata: { name: 'db', namespace: 'default', uid: 'b', resourceVersion: '1' },
            spec: { selector: { matchLabels: { app: 'db' } } },
            status: { disruptionsAllowed: 0 },
          },
        ],
      },
      'Drain: wait Draining',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));

  test('says which pods, which budget, since when, and what stays', () => {
    const seen = {
      ...cordoned,
      ledger: atDrain,
      evictionRefusals: refusal(3),
      replacements: new Set(['uid-back']),
      pods: [
        web,
        pod('back', replicated),
        pod('bare'),
        pod('build', { labels: { 'build.kairos.io/artifact': 'iso' } }),
      ],
    };
    const { result } = walk(facts(DRAIN, seen));
    expect(result).toMatchObject({
      message:
        'waiting for default/web to terminate; budget web; waiting for the build in default/build to end; ' +
        'default/back recreated on this node by ReplicaSet; ' +
        `default/bare not evicted: it has no controller and force is false (draining since ${secondsAgo(5)})`,
    });
  });

  test('writes down that there is nowhere to go when the drain would begin', () => {
    const { result } = walk(facts(DRAIN, { ...cordoned, pods: [web], hasOtherSchedulableNode: false }));
    expect(result).toMatchObject({ action: { change: { step: 'Drain', drainSkipped: true } } });
  });
});
