import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, node, ran, secondsAgo } from '../../../builders.js';
import { MARK, outcomeOf, REBOOT, rebooted } from './walk-outcome.js';

describe('A node whose static pod is not there after its reboot', () => {
  const withoutEtcd = (absent: number, verifying = 300) =>
    ran(
      'Verify',
      {
        staticPods: ['kube-system/etcd-n1'],
        waiting: { for: 'no static pod kube-system/etcd-n1', since: secondsAgo(absent) },
      },
      verifying,
    );
  test.each<[string, object, Partial<Facts>, string]>([
    [
      'waits for a static pod that it had before, and has the time recorded',
      REBOOT,
      { ...rebooted(), ledger: ran('Verify', { staticPods: ['kube-system/etcd-n1'] }), pods: [] },
      'Verify: record',
    ],
    [
      'waits two minutes for a static pod that is not there',
      REBOOT,
      { ...rebooted(), ledger: withoutEtcd(119), pods: [] },
      'Verify: wait Settling',
    ],
    [
      'has a static pod recorded as removed that is not there after two minutes',
      REBOOT,
      { ...rebooted(), ledger: withoutEtcd(120), pods: [] },
      'Verify: record',
    ],
    [
      'does not count a static pod as removed while the node is not Ready',
      REBOOT,
      {
        ...rebooted(),
        node: node('n1', { bootId: 'boot-2', ready: false, cordoned: true, mark: MARK }),
        ledger: withoutEtcd(120),
        pods: [],
      },
      'Verify: wait Settling',
    ],
    [
      'does not count the time before it was registered anew',
      REBOOT,
      { ...rebooted(), ledger: withoutEtcd(200, 150), pods: [] },
      'Verify: record',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));
});
