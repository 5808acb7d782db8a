import { describe, expect, test } from '@jest/globals';
import { isRebootPod } from '../../../controller/legacy/reboot-pod.js';
import { prunePod } from '../../../controller/cluster/pod.js';
import { pod, type PodTraits } from '../../builders.js';

const LABELS = { 'kairos.io/nodeop': 'op', 'kairos.io/node': 'n1', 'kairos.io/reboot': 'true' };
const NODE_OP = { apiVersion: 'operator.kairos.io/v1alpha1', kind: 'NodeOp', uid: 'uid-op' };
const LONG = 'upgrade-of-all-nodes-to-a-release-of-next-week-or-so';

const podLike = (
  name: string,
  traits: PodTraits = {},
  spec: object = { hostPID: true, containers: [{ name: 'reboot' }] },
) => {
  const seen = pod(name, { labels: LABELS, ...traits });
  return prunePod({ ...seen, spec: { ...seen.spec, ...spec } });
};

describe('isRebootPod', () => {
  test.each([
    ['a Pod that a NodeOp owns', podLike('any', { owner: NODE_OP }, {})],
    ['a Pod without an owner that equals a reboot Pod', podLike('op-reboot-x7k2p')],
    [
      'a Pod whose long name was truncated',
      podLike(`${LONG.slice(0, 44)}-0123456789abx7k2p`, { labels: { ...LABELS, 'kairos.io/nodeop': LONG } }),
    ],
  ])('accepts %s', (_sentence, seen) => expect(isRebootPod(seen)).toBe(true));

  test.each([
    ['a Pod with the label alone', podLike('db-0', { labels: { 'kairos.io/reboot': 'true' } })],
    ['a Pod of a ReplicaSet', podLike('op-reboot-x7k2p', { owner: { kind: 'ReplicaSet', uid: 'rs' } })],
    ['a Pod of a DaemonSet', podLike('op-reboot-x7k2p', { owner: { kind: 'DaemonSet', uid: 'ds' } })],
    [
      'a Pod of a NodeOp of another API group',
      podLike('any', { owner: { ...NODE_OP, apiVersion: 'example.com/v1' } }, {}),
    ],
    ['a Pod with another name', podLike('db-0')],
    ['a Pod without hostPID', podLike('op-reboot-x7k2p', {}, { containers: [{ name: 'reboot' }] })],
    ['a Pod with another container', podLike('op-reboot-x7k2p', {}, { hostPID: true, containers: [{ name: 'db' }] })],
    [
      'a Pod with another value of the label',
      podLike('op-reboot-x7k2p', { labels: { ...LABELS, 'kairos.io/reboot': 'false' } }),
    ],
  ])('rejects %s', (_sentence, seen) => expect(isRebootPod(seen)).toBe(false));
});
