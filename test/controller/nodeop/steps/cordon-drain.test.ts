import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { facts, ledger, node, pod, reached, replicated, NOW, secondsAgo } from '../../../builders.js';
import { outcomeOf, MARK, CORDON, DRAIN, REBOOT } from './walk-outcome.js';

const UNLIMITED = { ...CORDON, drainOptions: { enabled: true, timeoutSeconds: 0 } };

describe('A node to be cordoned and drained', () => {
  const gone = node('n1', { cordoned: true, mark: MARK, ready: false });
  const notReadyFor = (seconds: number) => reached('Drain', { cordoned: true, notReadySince: secondsAgo(seconds) });
  const cordoned = { node: node('n1', { cordoned: true, mark: MARK }), ledger: ledger({ cordoned: true }) };
  const web = pod('web', replicated);
  const atDrain = reached('Drain', { cordoned: true });
  const late = reached('Drain', { cordoned: true }, 300);
  const refusal = (seconds: number) =>
    new Map([['uid-web', { at: NOW, notBefore: new Date(NOW.getTime() + seconds * 1000), message: 'budget web' }]]);
  const build = pod('build', {
    owner: { kind: 'OSArtifact', uid: 'iso', apiVersion: 'build.kairos.io/v1alpha2' },
    labels: { 'build.kairos.io/artifact': 'iso' },
  });
  const db = pod('db', { ...replicated, labels: { app: 'db' } });
  const exhausted = {
    metadata: { name: 'db', namespace: 'default', uid: 'b', resourceVersion: '1' },
    spec: { selector: { matchLabels: { app: 'db' } } },
    status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1 },
  };
  test.each<[string, object, Partial<Facts>, string]>([
    [
      'is cordoned when the step is recorded',
      CORDON,
      { ledger: reached('Cordon', { cordoned: true }) },
      'Cordon: cordon',
    ],
    [
      'is cordoned again and again while a policy refuses that, for startDeadlineSeconds',
      CORDON,
      { ledger: reached('Cordon', { cordoned: true }, 599), writeRefusal: 'frozen' },
      'Cordon: cordon',
    ],
    [
      'fails when a policy refuses its cordon for startDeadlineSeconds',
      CORDON,
      { ledger: reached('Cordon', { cordoned: true }, 600), writeRefusal: 'frozen' },
      'Cordon: Failed NotStarted',
    ],
    [
      'is released after a cordon that was refused',
      CORDON,
      {
        ledger: reached('Cordon', {
          cordoned: true,
          result: { phase: 'Failed', reason: 'NotStarted', message: 'refused', at: secondsAgo(1) },
        }),
        isReported: true,
      },
      'Release: release',
    ],
    ['keeps a cordon of a user', CORDON, { node: node('n1', { cordoned: true }) }, 'Run: record Run'],
    [
      'takes over the cordon of a finished operation',
      CORDON,
      { node: node('n1', { cordoned: true, mark: 'default/old@gone' }), isMarkOwnerActive: false },
      'Cordon: record Cordon',
    ],
    [
      'records a cordon with its own mark that is missing in the ledger',
      CORDON,
      { ...cordoned, ledger: ledger() },
      'Cordon: record Cordon',
    ],
    ['is not drained unless drainOptions ask for it', CORDON, { ...cordoned, pods: [web] }, 'Run: record Run'],
    ['needs no drain when it is empty', DRAIN, cordoned, 'Run: record Run'],
    ['has its pods evicted', DRAIN, { ...cordoned, ledger: atDrain, pods: [web] }, 'Drain: evict'],
    [
      'waits before a refused eviction is repeated',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [web], evictionRefusals: refusal(3) },
      'Drain: wait Draining',
    ],
    [
      'has a refused eviction repeated after the pause',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [web], evictionRefusals: refusal(-1) },
      'Drain: evict',
    ],
    [
      'waits without a timeout for as long as it is Ready',
      UNLIMITED,
      { ...cordoned, ledger: reached('Drain', { cordoned: true }, 90_000), pods: [web] },
      'Drain: evict',
    ],
    [
      'has its pods evicted without a timeout while it is not Ready',
      UNLIMITED,
      { ...cordoned, node: gone, ledger: atDrain, pods: [web] },
      'Drain: evict',
    ],
    [
      'has the time recorded since which it is not Ready, without a timeout',
      UNLIMITED,
      { ...cordoned, node: gone, ledger: atDrain, pods: [web], evictionRefusals: refusal(3) },
      'Drain: record',
    ],
    [
      'waits without a timeout while it is not Ready for less than rebootTimeoutSeconds',
      UNLIMITED,
      { ...cordoned, node: gone, ledger: notReadyFor(1799), pods: [web], evictionRefusals: refusal(3) },
      'Drain: wait Draining',
    ],
    [
      'fails without a timeout when it has not been Ready for rebootTimeoutSeconds',
      UNLIMITED,
      { ...cordoned, node: gone, ledger: notReadyFor(1800), pods: [web], evictionRefusals: refusal(3) },
      'Drain: Failed Unreachable',
    ],
    [
      'waits for terminating pods',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [pod('web', { ...replicated, terminating: true })] },
      'Drain: wait Draining',
    ],
    [
      'needs no drain when only pods are left that their controllers put back',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [web], replacements: new Set(['uid-web']) },
      'Run: record Run',
    ],
    [
      'does not have a pod evicted again that its controller put back',
      DRAIN,
      {
        ...cordoned,
        ledger: atDrain,
        pods: [web, pod('back', replicated)],
        replacements: new Set(['uid-back']),
        evictionRefusals: refusal(3),
      },
      'Drain: wait Draining',
    ],
    [
      'waits until the budget of a pod that its controller put back allows the reboot',
      { ...DRAIN, ...REBOOT },
      { ...cordoned, ledger: atDrain, pods: [db], replacements: new Set(['uid-db']), budgets: [exhausted] },
      'Drain: wait Draining',
    ],
    [
      'needs no budget for a pod that its controller put back when it does not reboot',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [db], replacements: new Set(['uid-db']), budgets: [exhausted] },
      'Run: record Run',
    ],
    [
      'fails at the drain timeout while a budget does not allow the reboot of a pod that its controller put back',
      { ...DRAIN, ...REBOOT },
      { ...cordoned, ledger: late, pods: [db], replacements: new Set(['uid-db']), budgets: [exhausted] },
      'Drain: Failed DrainTimeout',
    ],
    [
      'waits for a Pod that builds an image',
      DRAIN,
      { ...cordoned, ledger: atDrain, pods: [build] },
      'Drain: wait Draining',
    ],
    ['fails at the drain timeout', DRAIN, { ...cordoned, ledger: late, pods: [web] }, 'Drain: Failed DrainTimeout'],
    [
      'continues at the drain timeout with onTimeout Proceed',
      { ...DRAIN, drainOptions: { enabled: true, onTimeout: 'Proceed' } },
      { ...cordoned, ledger: late, pods: [web] },
      'Run: record Run',
    ],
    [
      'has its pods deleted past their budgets at the drain timeout with onTimeout Delete',
      { ...DRAIN, drainOptions: { enabled: true, onTimeout: 'Delete' } },
      { ...cordoned, ledger: late, pods: [web] },
      'Drain: evict',
    ],
    [
      'fails on a pod of a DaemonSet with ignoreDaemonSets false',
      { ...DRAIN, drainOptions: { enabled: true, ignoreDaemonSets: false } },
      { ...cordoned, ledger: atDrain, pods: [pod('ds', { owner: { kind: 'DaemonSet', uid: 'ds' } })] },
      'Drain: Failed DrainRefused',
    ],
    [
      'is not drained once the ledger says that no other node is schedulable',
      DRAIN,
      { ...cordoned, ledger: reached('Drain', { cordoned: true, drainSkipped: true }), pods: [web] },
      'Run: record Run',
    ],
    [
      'waits until the budget of a staying pod allows its reboot',
      { ...DRAIN, ...REBOOT },
      {
        ...cordoned,
        ledger: atDrain,
        pods: [pod('bare', { labels: { app: 'db' } })],
        budgets: [exhausted],
      },
      'Drain: wait Draining',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));

  test('is reported with the pods, the budget, the start of the drain and the staying pods', () => {
    const seen = {
      ...cordoned,
      ledger: atDrain,
      evictionRefusals: refusal(3),
      replacements: new Set(['uid-back']),
      pods: [web, pod('back', replicated), pod('bare'), build],
    };
    const { result } = walk(facts(DRAIN, seen));
    expect(result).toMatchObject({
      message:
        'waiting for default/web to terminate; budget web; waiting for the build in default/build to end; ' +
        'default/back recreated on this node by ReplicaSet; ' +
        `default/bare not evicted: it has no controller and force is false (draining since ${secondsAgo(5)})`,
    });
  });

  test('is reported with each refusal, and without what a terminating pod was once refused for', () => {
    const words = (message: string) => ({ at: NOW, notBefore: new Date(NOW.getTime() + 3_000), message });
    const seen = {
      ...cordoned,
      ledger: atDrain,
      evictionRefusals: new Map([
        ['uid-going', words('default/going is terminating')],
        ['uid-web', words('default/web: denied by the owner')],
        ['uid-db', words('default/db: budget db')],
      ]),
      pods: [pod('going', { ...replicated, terminating: true }), web, db],
    };
    expect(walk(facts(DRAIN, seen)).result).toMatchObject({
      message:
        'waiting for default/going, default/web, default/db to terminate; default/web: denied by the owner; ' +
        `default/db: budget db (draining since ${secondsAgo(5)})`,
    });
  });

  test('has a skipped drain recorded when no other node is schedulable', () => {
    const { result } = walk(facts(DRAIN, { ...cordoned, pods: [web], hasOtherSchedulableNode: false }));
    expect(result).toMatchObject({ action: { change: { step: 'Drain', drainSkipped: true } } });
  });
});
