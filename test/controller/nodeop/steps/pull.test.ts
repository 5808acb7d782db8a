import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, node, pod, reached, secondsAgo } from '../../../builders.js';
import { outcomeOf } from './walk-outcome.js';

describe('Pull', () => {
  const PULL = { cordon: true };
  const pulling = (reason: string, message: string, since = 5) =>
    pod('pull', {
      phase: 'Pending',
      startedAt: secondsAgo(since),
      containers: [{ name: 'pull', state: { waiting: { reason, message } } }],
    });
  const at = reached('Pull', {}, 40);
  test.each<[string, Partial<Facts>, string]>([
    [
      'is left out where the image is on the node',
      { node: node('n1', { images: ['registry.example/tool:1'] }) },
      'Cordon: record Cordon',
    ],
    ['writes itself down before its Pod', {}, 'Pull: record Pull'],
    ['makes a Pod', { ledger: at }, 'Pull: createPod'],
    [
      'does not care whether the container could start',
      { ledger: at, pullPod: pulling('RunContainerError', 'no such file') },
      'Cordon: record Cordon',
    ],
    [
      'waits while the kubelet tries',
      { ledger: at, pullPod: pulling('ErrImagePull', 'connection refused', 40) },
      'Pull: wait Pulling',
    ],
    [
      'gives a refused pull three tries',
      { ledger: at, pullPod: pulling('ErrImagePull', 'unauthorized', 10) },
      'Pull: wait Pulling',
    ],
    [
      'ends a refused pull after them',
      { ledger: at, pullPod: pulling('ImagePullBackOff', 'unauthorized', 31) },
      'Pull: Failed ImagePullFailed',
    ],
    [
      'ends a name that is none at once',
      { ledger: at, pullPod: pulling('InvalidImageName', 'no') },
      'Pull: Failed ImagePullFailed',
    ],
    [
      'ends at its deadline',
      { ledger: reached('Pull', {}, 3600), pullPod: pulling('ContainerCreating', '') },
      'Pull: Failed ImagePullFailed',
    ],
    [
      'waits for a node that does not answer',
      {
        ledger: at,
        pullPod: pulling('ContainerCreating', ''),
        node: node('n1', { ready: false, since: secondsAgo(599) }),
      },
      'Pull: wait Progressing',
    ],
    [
      'but no longer than for any start',
      {
        ledger: at,
        pullPod: pulling('ContainerCreating', ''),
        node: node('n1', { ready: false, since: secondsAgo(600) }),
      },
      'Pull: Failed NotStarted',
    ],
  ])('%s', (_sentence, seen, expected) => expect(outcomeOf(facts(PULL, seen))).toBe(expected));
});
