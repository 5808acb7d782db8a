import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, node, pod, ran, secondsAgo } from '../../../builders.js';
import { MARK, outcomeOf, REBOOT, rebooted } from './walk-outcome.js';

const BEFORE = ['kube-system/etcd-n1', 'kube-system/vip-n1'];

const vip = pod('vip-n1', { namespace: 'kube-system', annotations: { 'kubernetes.io/config.mirror': 'hash' } });

describe('A node whose static pod is not there after its reboot', () => {
  const withoutEtcd = (absent: number, verifying = 300) =>
    ran(
      'Verify',
      {
        staticPods: BEFORE,
        waiting: { for: 'no static pod kube-system/etcd-n1', since: secondsAgo(absent) },
      },
      verifying,
    );
  test.each<[string, object, Partial<Facts>, string]>([
    [
      'waits for a static pod that it had before, and has the time recorded',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { staticPods: BEFORE }), pods: [vip] },
      'Verify: record',
    ],
    [
      'waits two minutes for a static pod that is not there',
      REBOOT,
      { ...rebooted(), ledger: withoutEtcd(119), pods: [vip] },
      'Verify: wait Settling',
    ],
    [
      'has a static pod recorded as removed that is not there after two minutes',
      REBOOT,
      { ...rebooted(), ledger: withoutEtcd(120), pods: [vip] },
      'Verify: record',
    ],
    [
      'does not count its static pods as removed while none of them is there',
      REBOOT,
      { ...rebooted(), ledger: withoutEtcd(130), pods: [] },
      'Verify: wait Settling',
    ],
    [
      'does not count a static pod as removed while the node is not Ready',
      REBOOT,
      {
        ...rebooted(),
        node: node('n1', { bootId: 'boot-2', ready: false, cordoned: true, mark: MARK }),
        ledger: withoutEtcd(120),
        pods: [vip],
      },
      'Verify: wait Settling',
    ],
    [
      'does not count the time before it was registered anew',
      REBOOT,
      { ...rebooted(), ledger: withoutEtcd(200, 150), pods: [vip] },
      'Verify: record',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));
});
