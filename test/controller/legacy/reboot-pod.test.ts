import { describe, expect, test } from '@jest/globals';
import { isRebootPod } from '../../../controller/legacy/reboot-pod.js';
import { prunePod } from '../../../controller/cluster/pod.js';
import { pod, type PodTraits } from '../../builders.js';

const MADE = { 'kairos.io/nodeop': 'op', 'kairos.io/node': 'n1', 'kairos.io/reboot': 'true' };
const NODE_OP = { apiVersion: 'operator.kairos.io/v1alpha1', kind: 'NodeOp', uid: 'uid-op' };
const LONG = 'upgrade-of-all-nodes-to-a-release-of-next-week-or-so';

const made = (
  name: string,
  traits: PodTraits = {},
  spec: object = { hostPID: true, containers: [{ name: 'reboot' }] },
) => {
  const seen = pod(name, { labels: MADE, ...traits });
  return prunePod({ ...seen, spec: { ...seen.spec, ...spec } });
};

describe('a reboot Pod of the other operator', () => {
  test.each([
    ['is one that a NodeOp owns', made('any', { owner: NODE_OP }, {})],
    ['is one that nothing owns, made and named like one', made('op-reboot-x7k2p')],
    [
      'is one whose long name was cut',
      made(`${LONG.slice(0, 44)}-0123456789abx7k2p`, { labels: { ...MADE, 'kairos.io/nodeop': LONG } }),
    ],
  ])('%s', (_sentence, seen) => expect(isRebootPod(seen)).toBe(true));

  test.each([
    ['one with its label alone', made('db-0', { labels: { 'kairos.io/reboot': 'true' } })],
    ['one of a ReplicaSet', made('op-reboot-x7k2p', { owner: { kind: 'ReplicaSet', uid: 'rs' } })],
    ['one of a DaemonSet', made('op-reboot-x7k2p', { owner: { kind: 'DaemonSet', uid: 'ds' } })],
    ['one of a NodeOp of somebody else', made('any', { owner: { ...NODE_OP, apiVersion: 'example.com/v1' } }, {})],
    ['one of another name', made('db-0')],
    [
      'one that does not see the processes of its host',
      made('op-reboot-x7k2p', {}, { containers: [{ name: 'reboot' }] }),
    ],
    ['one with another container', made('op-reboot-x7k2p', {}, { hostPID: true, containers: [{ name: 'db' }] })],
    [
      'one with another value of the label',
      made('op-reboot-x7k2p', { labels: { ...MADE, 'kairos.io/reboot': 'false' } }),
    ],
  ])('is not %s', (_sentence, seen) => expect(isRebootPod(seen)).toBe(false));
});
