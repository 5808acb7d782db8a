import { describe, expect, test } from '@jest/globals';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, job, node, pod, type PodTraits, ran, secondsAgo } from '../../../builders.js';
import { MARK, outcomeOf, REBOOT, UPGRADE, answering, rebooted } from './walk-outcome.js';

const TO_K3S = { ...UPGRADE, verify: { version: 'v2-k3sv1.34.1+k3s1', bootState: 'active' } };

describe('A node to be rebooted and verified', () => {
  const at = ran('Reboot', { reboot: { jobName: 'job', notAfter: secondsAgo(-900) } });
  const asked = { ledger: at, job: job('complete') };
  const ds = pod('ds-x', { owner: { kind: 'DaemonSet', uid: 'ds' } });
  const etcd = (traits: PodTraits) =>
    pod('etcd-n1', { namespace: 'kube-system', annotations: { 'kubernetes.io/config.mirror': 'hash' }, ...traits });
  test.each<[string, object, Partial<Facts>, string]>([
    [
      'has its reboot requested when the Job is complete',
      REBOOT,
      { ledger: ran('Run'), job: job('complete') },
      'Reboot: record Reboot',
    ],
    ['waits for a new boot id', REBOOT, asked, 'Reboot: wait Rebooting'],
    [
      'waits until the agent reports the new boot id as well',
      REBOOT,
      { ...asked, node: node('n1', { bootId: 'boot-2' }) },
      'Reboot: wait Rebooting',
    ],
    [
      'waits for the requested reboot after a new boot id alone, which a power cut may have caused',
      REBOOT,
      { ...rebooted({ operation: { id: 'uid-op-1', reboot: { state: 'Waiting' } } }), ledger: at },
      'Reboot: wait Rebooting',
    ],
    [
      'waits for the version when the operation verifies one',
      UPGRADE,
      { ...rebooted({ release: undefined }), ledger: at },
      'Verify: record Verify',
    ],
    [
      'completes on a live system of the requested version, as of a machine that boots from the network',
      UPGRADE,
      { ...rebooted({ boot: { id: 'boot-2', since: secondsAgo(9), state: 'livecd' } }), ledger: at },
      'Reboot: Completed Done',
    ],
    [
      'fails at once on a live system of another version',
      UPGRADE,
      {
        ...rebooted({ boot: { id: 'boot-2', since: secondsAgo(9), state: 'livecd' }, release: { version: 'v1' } }),
        ledger: at,
      },
      'Verify: Failed FellBack',
    ],
    [
      'fails at once on a live system when no version was requested',
      { ...UPGRADE, verify: { bootState: 'active' } },
      { ...rebooted({ boot: { id: 'boot-2', since: secondsAgo(9), state: 'livecd' } }), ledger: at },
      'Verify: Failed FellBack',
    ],
    [
      'waits for the version of a live system',
      UPGRADE,
      {
        ...rebooted({ boot: { id: 'boot-2', since: secondsAgo(9), state: 'livecd' }, release: undefined }),
        ledger: at,
      },
      'Verify: record Verify',
    ],
    [
      'waits for a report of the running boot, whatever the agent reported of the boot before',
      UPGRADE,
      {
        ...rebooted({ release: { version: 'v1' } }),
        node: node('n1', { bootId: 'boot-3', cordoned: true, mark: MARK }),
        ledger: ran('Verify'),
      },
      'Verify: wait Settling',
    ],
    [
      'fails when the agent gave up, whatever the boot id',
      REBOOT,
      { ...asked, node: node('n1', { bootId: 'boot-2' }), agent: answering(undefined, { state: 'Failed' }) },
      'Reboot: Failed NotRebooted',
    ],
    [
      'completes even if its Job was deleted meanwhile',
      REBOOT,
      { ledger: at, ...rebooted() },
      'Reboot: Completed Done',
    ],
    [
      'fails as NotRebooted when it never went down',
      REBOOT,
      { ledger: ran('Reboot', {}, 1800) },
      'Reboot: Failed NotRebooted',
    ],
    [
      'fails as Unreachable when it never came back',
      REBOOT,
      { ledger: ran('Reboot', {}, 1800), node: node('n1', { ready: false }) },
      'Reboot: Failed Unreachable',
    ],
    [
      'fails when the agent gave up',
      REBOOT,
      { ...asked, agent: answering(undefined, { state: 'Failed' }) },
      'Reboot: Failed NotRebooted',
    ],
    [
      'waits until it is Ready',
      REBOOT,
      { ...rebooted(), ledger: at, node: node('n1', { bootId: 'boot-2', ready: false }) },
      'Verify: record Verify',
    ],
    [
      'waits for the DaemonSet pods that it had before',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { daemonSets: ['ds'] }), pods: [] },
      'Verify: wait Settling',
    ],
    [
      'waits while a DaemonSet pod has its containers from before the reboot',
      REBOOT,
      {
        ...rebooted(),
        ledger: ran('Verify', { daemonSets: ['ds'], containersBefore: ['old'] }),
        pods: [pod('ds-x', { owner: { kind: 'DaemonSet', uid: 'ds' }, containerId: 'old' })],
      },
      'Verify: wait Settling',
    ],
    [
      'completes when its DaemonSet pods have new containers',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { daemonSets: ['ds'], containersBefore: ['old'] }), pods: [ds] },
      'Verify: Completed Done',
    ],
    [
      'waits while a static pod is not Ready',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { staticPods: ['kube-system/etcd-n1'] }), pods: [etcd({ ready: false })] },
      'Verify: wait Settling',
    ],
    [
      'waits while a static pod has its containers from before the reboot',
      REBOOT,
      {
        ...rebooted(),
        ledger: ran('Verify', { staticPods: ['kube-system/etcd-n1'], containersBefore: ['old'] }),
        pods: [etcd({ containerId: 'old' })],
      },
      'Verify: wait Settling',
    ],
    [
      'completes when its static pods are Ready in new containers',
      REBOOT,
      {
        ...rebooted(),
        ledger: ran('Verify', { staticPods: ['kube-system/etcd-n1'], containersBefore: ['old'] }),
        pods: [etcd({ containerId: 'new' })],
      },
      'Verify: Completed Done',
    ],
    [
      'fails when a static pod is not Ready within verifyTimeoutSeconds',
      REBOOT,
      {
        ...rebooted(),
        ledger: ran('Verify', { staticPods: ['kube-system/etcd-n1'] }, 600),
        pods: [etcd({ ready: false })],
      },
      'Verify: Failed NotSettled',
    ],
    [
      'does not wait for a DaemonSet that was deleted',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { daemonSets: ['old'] }) },
      'Verify: Completed Done',
    ],
    [
      'fails when it is not healthy within verifyTimeoutSeconds',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { daemonSets: ['ds'] }, 600), pods: [] },
      'Verify: Failed NotSettled',
    ],
    [
      'starts to settle when it is healthy',
      { ...REBOOT, settleSeconds: 30 },
      { ...rebooted(), ledger: ran('Verify') },
      'Verify: record',
    ],
    [
      'settles for settleSeconds',
      { ...REBOOT, settleSeconds: 30 },
      { ...rebooted(), ledger: ran('Verify', { readySince: secondsAgo(29) }) },
      'Verify: wait Settling',
    ],
    [
      'completes after settleSeconds',
      { ...REBOOT, settleSeconds: 30 },
      { ...rebooted(), ledger: ran('Verify', { readySince: secondsAgo(30) }) },
      'Verify: Completed Done',
    ],
    [
      'starts to settle again when it becomes unhealthy',
      { ...REBOOT, settleSeconds: 30 },
      { ...rebooted(), ledger: ran('Verify', { readySince: secondsAgo(9), daemonSets: ['ds'] }) },
      'Verify: record',
    ],
    [
      'fails at once on another version',
      UPGRADE,
      { ...rebooted({ release: { version: 'v1' } }), ledger: at },
      'Verify: Failed FellBack',
    ],
    [
      'waits while the agent reports only the beginning of the version, as from a file that is being written',
      TO_K3S,
      { ...rebooted({ release: { version: 'v2' } }), ledger: ran('Verify') },
      'Verify: wait Settling',
    ],
    [
      'fails when the agent still reports only the beginning of the version after verifyTimeoutSeconds',
      TO_K3S,
      { ...rebooted({ release: { version: 'v2' } }), ledger: ran('Verify', {}, 600) },
      'Verify: Failed FellBack',
    ],
    [
      'fails at once on another software of the same version',
      TO_K3S,
      {
        ...rebooted({ release: { version: 'v2', softwareVersionPrefix: 'k3s', softwareVersion: 'v1.33.0+k3s1' } }),
        ledger: ran('Verify'),
      },
      'Verify: Failed FellBack',
    ],
    [
      'fails at once on the passive system',
      UPGRADE,
      { ...rebooted({ boot: { id: 'boot-2', since: secondsAgo(9), state: 'passive' } }), ledger: at },
      'Verify: Failed FellBack',
    ],
    ['completes on the requested version', UPGRADE, { ...rebooted(), ledger: at }, 'Reboot: Completed Done'],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));
});

describe('The message about a reboot that does not happen', () => {
  const rebooting = (seconds: number) =>
    facts(REBOOT, {
      ledger: ran('Reboot', { reboot: { jobName: 'job', notAfter: secondsAgo(-900) } }, seconds),
      job: job('complete'),
      agent: answering(undefined, { state: 'Rebooting', message: 'Operation inhibited by "dpkg"' }),
    });
  test.each([
    ['while it is waited for', 5, { is: 'wait', message: 'rebooting: Operation inhibited by "dpkg"' }],
    ['when it has not happened in time', 1800, { reason: 'NotRebooted', message: expect.stringContaining('"dpkg"') }],
  ])('contains what the agent reports, %s', (_sentence, seconds, result) =>
    expect(walk(rebooting(seconds)).result).toMatchObject(result),
  );
});
