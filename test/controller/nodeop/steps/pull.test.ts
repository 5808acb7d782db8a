import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, node, pod, reached, secondsAgo } from '../../../builders.js';
import { outcomeOf } from './walk-outcome.js';

describe('A pull before the Job', () => {
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
      'is not needed where the image is on the node',
      { node: node('n1', { images: ['registry.example/tool:1'] }) },
      'Cordon: record Cordon',
    ],
    ['is recorded before its Pod is created', {}, 'Pull: record Pull'],
    ['creates a Pod', { ledger: at }, 'Pull: createPod'],
    [
      'is done even if the container could not start',
      { ledger: at, pullPod: pulling('RunContainerError', 'no such file') },
      'Cordon: record Cordon',
    ],
    [
      'continues while the kubelet retries',
      { ledger: at, pullPod: pulling('ErrImagePull', 'connection refused', 40) },
      'Pull: wait Pulling',
    ],
    [
      'continues for three tries when the registry refuses it',
      { ledger: at, pullPod: pulling('ErrImagePull', 'unauthorized', 10) },
      'Pull: wait Pulling',
    ],
    [
      'fails after three tries when the registry refuses it',
      { ledger: at, pullPod: pulling('ImagePullBackOff', 'unauthorized', 31) },
      'Pull: Failed ImagePullFailed',
    ],
    [
      'fails at once for an invalid image name',
      { ledger: at, pullPod: pulling('InvalidImageName', 'no') },
      'Pull: Failed ImagePullFailed',
    ],
    [
      'fails at its deadline',
      { ledger: reached('Pull', {}, 3600), pullPod: pulling('ContainerCreating', '') },
      'Pull: Failed ImagePullFailed',
    ],
    [
      'waits for a node that is not Ready',
      {
        ledger: at,
        pullPod: pulling('ContainerCreating', ''),
        node: node('n1', { ready: false, since: secondsAgo(599) }),
      },
      'Pull: wait Progressing',
    ],
    [
      'fails when the node is not Ready for startDeadlineSeconds',
      {
        ledger: at,
        pullPod: pulling('ContainerCreating', ''),
        node: node('n1', { ready: false, since: secondsAgo(600) }),
      },
      'Pull: Failed NotStarted',
    ],
  ])('%s', (_sentence, seen, expected) => expect(outcomeOf(facts(PULL, seen))).toBe(expected));
});

describe('A pull Pod to which admission added a container', () => {
  const at = reached('Pull', {}, 40);
  const withProxy = (proxy: object, ours: object) =>
    pod('pull', {
      phase: 'Running',
      startedAt: secondsAgo(40),
      containers: [
        { name: 'istio-proxy', state: proxy },
        { name: 'pull', state: ours },
      ],
    });
  const backOff = (message: string) => ({ waiting: { reason: 'ImagePullBackOff', message } });
  test.each<[string, object, object, string]>([
    ['fails when its own image is refused', { running: {} }, backOff('unauthorized'), 'Pull: Failed ImagePullFailed'],
    [
      'continues while its own image is retried',
      { terminated: { exitCode: 0 } },
      backOff('timeout'),
      'Pull: wait Pulling',
    ],
    [
      'is done when only the image of the other one is refused',
      backOff('unauthorized'),
      { terminated: { exitCode: 0 } },
      'Cordon: record Cordon',
    ],
    [
      'continues when only the image of the other one is refused',
      backOff('unauthorized'),
      { waiting: { reason: 'ContainerCreating' } },
      'Pull: wait Pulling',
    ],
  ])('%s', (_title, proxy, ours, expected) =>
    expect(outcomeOf(facts({ cordon: true }, { ledger: at, pullPod: withProxy(proxy, ours) }))).toBe(expected),
  );
});

describe('A pull before a reboot', () => {
  const REBOOT = { cordon: true, rebootOnSuccess: true };
  const at = { ledger: reached('Pull', {}, 40), sentinelImage: 'registry.example/agent:1' };
  const withImages = (...images: string[]) => node('n1', { images });
  const ended = { terminated: { exitCode: 0 } };
  const withSentinel = (state: object) =>
    pod('pull', {
      startedAt: secondsAgo(40),
      containers: [
        { name: 'pull', state: ended },
        { name: 'pull-sentinel', state },
      ],
    });
  test.each<[string, Partial<Facts>, string]>([
    [
      'is not needed where both images are on the node',
      { ...at, node: withImages('registry.example/tool:1', 'registry.example/agent:1') },
      'Cordon: record Cordon',
    ],
    [
      'creates a Pod when only the image of the sentinel is missing',
      { ...at, node: withImages('registry.example/tool:1') },
      'Pull: createPod',
    ],
    ['is done when both containers could start', { ...at, pullPod: withSentinel(ended) }, 'Cordon: record Cordon'],
    [
      'continues while the image of the sentinel is pulled',
      { ...at, pullPod: withSentinel({ waiting: { reason: 'ContainerCreating' } }) },
      'Pull: wait Pulling',
    ],
    [
      'fails before the cordon when the image of the sentinel is refused',
      { ...at, pullPod: withSentinel({ waiting: { reason: 'ErrImagePull', message: '401 Unauthorized' } }) },
      'Pull: Failed ImagePullFailed',
    ],
  ])('%s', (_title, seen, expected) => expect(outcomeOf(facts(REBOOT, seen))).toBe(expected));
});
