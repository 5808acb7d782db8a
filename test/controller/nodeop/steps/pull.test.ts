import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, node, pod, reached, secondsAgo } from '../../../builders.js';
import { outcomeOf } from './walk-outcome.js';

describe('A pull before the Job', () => {
  const PULL = { cordon: true };
  const at = reached('Pull', {}, 40);
  const refused = (seconds: number) => ({ ...at, pullRefusal: { for: 'uid-pull pull', since: secondsAgo(seconds) } });
  const notReady = (seconds?: number) => (seconds === undefined ? at : { ...at, notReadySince: secondsAgo(seconds) });
  const pulling = (reason: string, message: string) =>
    pod('pull', {
      phase: 'Pending',
      containers: [{ name: 'pull', state: { waiting: { reason, message } } }],
    });
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
      { ledger: at, pullPod: pulling('ErrImagePull', 'connection refused') },
      'Pull: wait Pulling',
    ],
    [
      'continues for three tries when the registry refuses it',
      { ledger: refused(29), pullPod: pulling('ErrImagePull', 'unauthorized') },
      'Pull: wait Pulling',
    ],
    [
      'has the first refusal of the registry recorded',
      { ledger: at, pullPod: pulling('ErrImagePull', 'unauthorized') },
      'Pull: record',
    ],
    [
      'fails after three tries when the registry refuses it',
      { ledger: refused(30), pullPod: pulling('ImagePullBackOff', 'unauthorized') },
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
      'has recorded when the node was first seen not Ready',
      { ledger: notReady(), pullPod: pulling('ContainerCreating', ''), node: node('n1', { ready: false }) },
      'Pull: record',
    ],
    [
      'has recorded that the node is Ready again',
      { ledger: notReady(599), pullPod: pulling('ContainerCreating', '') },
      'Pull: record',
    ],
    [
      'waits for a node that is not Ready',
      { ledger: notReady(599), pullPod: pulling('ContainerCreating', ''), node: node('n1', { ready: false }) },
      'Pull: wait Progressing',
    ],
    [
      'fails when the node is not Ready for startDeadlineSeconds',
      { ledger: notReady(600), pullPod: pulling('ContainerCreating', ''), node: node('n1', { ready: false }) },
      'Pull: Failed NotStarted',
    ],
  ])('%s', (_sentence, seen, expected) => expect(outcomeOf(facts(PULL, seen))).toBe(expected));
});

describe('A pull Pod to which admission added a container', () => {
  const at = reached('Pull', { pullRefusal: { for: 'uid-pull pull', since: secondsAgo(40) } }, 40);
  const withProxy = (proxy: object, ours: object) =>
    pod('pull', {
      phase: 'Running',
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
  const pullRefusal = { for: 'uid-pull pull-sentinel', since: secondsAgo(40) };
  const at = { ledger: reached('Pull', { pullRefusal }, 40), sentinelImage: 'registry.example/agent:1' };
  const withImages = (...images: string[]) => node('n1', { images });
  const ended = { terminated: { exitCode: 0 } };
  const withSentinel = (state: object) =>
    pod('pull', {
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
