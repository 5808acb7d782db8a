import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, job, node, pod, ran, secondsAgo } from '../../../builders.js';
import { outcomeOf, REBOOT, UPGRADE, answering, rebooted } from './walk-outcome.js';

describe('Reboot and Verify', () => {
  const at = ran('Reboot', { reboot: { jobName: 'job', notAfter: secondsAgo(-900) } });
  const asked = { ledger: at, job: job('complete') };
  const ds = pod('ds-x', { owner: { kind: 'DaemonSet', uid: 'ds' }, startedAt: secondsAgo(10) });
  test.each<[string, object, Partial<Facts>, string]>([
    [
      'is asked for only when the Job is complete',
      REBOOT,
      { ledger: ran('Run'), job: job('complete') },
      'Reboot: record Reboot',
    ],
    ['waits for a new boot id', REBOOT, asked, 'Reboot: wait Rebooting'],
    [
      'wants the agent to agree on it',
      REBOOT,
      { ...asked, node: node('n1', { bootId: 'boot-2' }) },
      'Reboot: wait Rebooting',
    ],
    [
      'is not content with a new boot id alone: power may have failed before the reboot that was asked for',
      REBOOT,
      { ...rebooted({ operation: { id: 'uid-op-1', reboot: { state: 'Waiting' } } }), ledger: at },
      'Reboot: wait Rebooting',
    ],
    [
      'waits for a version where one is wished for',
      UPGRADE,
      { ...rebooted({ release: undefined }), ledger: at },
      'Verify: record Verify',
    ],
    [
      'tells a live system at once',
      UPGRADE,
      { ...rebooted({ boot: { id: 'boot-2', since: secondsAgo(9), state: 'livecd' } }), ledger: at },
      'Verify: Failed FellBack',
    ],
    [
      'believes an agent that gave up, whatever the boot id',
      REBOOT,
      { ...asked, node: node('n1', { bootId: 'boot-2' }), agent: answering(undefined, { state: 'Failed' }) },
      'Reboot: Failed NotRebooted',
    ],
    ['does not mind that the Job is gone by now', REBOOT, { ledger: at, ...rebooted() }, 'Reboot: Completed Done'],
    ['tells a node that never went down', REBOOT, { ledger: ran('Reboot', {}, 1800) }, 'Reboot: Failed NotRebooted'],
    [
      'from one that never came back',
      REBOOT,
      { ledger: ran('Reboot', {}, 1800), node: node('n1', { ready: false }) },
      'Reboot: Failed Unreachable',
    ],
    [
      'believes an agent that gave up',
      REBOOT,
      { ...asked, agent: answering(undefined, { state: 'Failed' }) },
      'Reboot: Failed NotRebooted',
    ],
    [
      'waits until the node is Ready',
      REBOOT,
      { ...rebooted(), ledger: at, node: node('n1', { bootId: 'boot-2', ready: false }) },
      'Verify: record Verify',
    ],
    [
      'waits for the DaemonSets it had',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { daemonSets: ['ds'] }), pods: [] },
      'Verify: wait Settling',
    ],
    [
      'wants other containers than before the reboot',
      REBOOT,
      {
        ...rebooted(),
        ledger: ran('Verify', { daemonSets: ['ds'], containersBefore: ['old'] }),
        pods: [pod('ds-x', { owner: { kind: 'DaemonSet', uid: 'ds' }, containerId: 'old' })],
      },
      'Verify: wait Settling',
    ],
    [
      'is content with them',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { daemonSets: ['ds'], containersBefore: ['old'] }), pods: [ds] },
      'Verify: Completed Done',
    ],
    [
      'does not wait for a DaemonSet that was deleted',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { daemonSets: ['old'] }) },
      'Verify: Completed Done',
    ],
    [
      'fails when it does not settle',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { daemonSets: ['ds'] }, 600), pods: [] },
      'Verify: Failed NotSettled',
    ],
    [
      'begins to settle when all is well',
      { ...REBOOT, settleSeconds: 30 },
      { ...rebooted(), ledger: ran('Verify') },
      'Verify: record',
    ],
    [
      'settles for as long as asked',
      { ...REBOOT, settleSeconds: 30 },
      { ...rebooted(), ledger: ran('Verify', { readySince: secondsAgo(29) }) },
      'Verify: wait Settling',
    ],
    [
      'and no longer',
      { ...REBOOT, settleSeconds: 30 },
      { ...rebooted(), ledger: ran('Verify', { readySince: secondsAgo(30) }) },
      'Verify: Completed Done',
    ],
    [
      'starts over when it gets worse',
      { ...REBOOT, settleSeconds: 30 },
      { ...rebooted(), ledger: ran('Verify', { readySince: secondsAgo(9), daemonSets: ['ds'] }) },
      'Verify: record',
    ],
    [
      'tells another version at once',
      UPGRADE,
      { ...rebooted({ release: { version: 'v1' } }), ledger: at },
      'Verify: Failed FellBack',
    ],
    [
      'tells the passive system at once',
      UPGRADE,
      { ...rebooted({ boot: { id: 'boot-2', since: secondsAgo(9), state: 'passive' } }), ledger: at },
      'Verify: Failed FellBack',
    ],
    ['is content with the version wished for', UPGRADE, { ...rebooted(), ledger: at }, 'Reboot: Completed Done'],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));
});
