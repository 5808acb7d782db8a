import { describe, expect, test } from '@jest/globals';
import { imagePullState } from '../../../controller/cluster/image-pull.js';
import type { CachedPod } from '../../../controller/cluster/pod.js';
import { after } from '../../../program/clock.js';
import { NOW, pod, secondsAgo } from '../../builders.js';

interface Pull {
  reason: string;
  message?: string;
  /** Since when the Pod could pull. */
  seconds?: number;
  pullDeadlineSeconds?: number;
  /** Since when a refusal has been recorded. */
  refusedSeconds?: number;
  refused?: string;
}

const pulling = ({ reason, message }: Pull) =>
  pod('pull', { phase: 'Pending', containers: [{ name: 'pull', state: { waiting: { reason, message } } }] });

function stateOf(pull: Pull, seen: CachedPod = pulling(pull)) {
  const { seconds = 0, pullDeadlineSeconds = 3600, refusedSeconds, refused = 'uid-pull pull' } = pull;
  const known = refusedSeconds === undefined ? [] : [{ for: refused, since: secondsAgo(refusedSeconds) }];
  return imagePullState(seen, { now: NOW, pullDeadlineSeconds, since: new Date(secondsAgo(seconds)), known });
}

const REFUSED = { reason: 'ErrImagePull', message: '401 Unauthorized', seconds: 100 };

describe('A pull', () => {
  test.each<[string, Pull, string]>([
    ['continues while the kubelet reports nothing', { reason: 'ContainerCreating', seconds: 100 }, 'pulling'],
    [
      'continues while the network is down',
      { reason: 'ErrImagePull', message: 'connection refused', seconds: 3599 },
      'pulling',
    ],
    [
      'continues while the registry is busy',
      { reason: 'ImagePullBackOff', message: 'toomanyrequests', seconds: 3599 },
      'pulling',
    ],
    ['fails at its deadline', { reason: 'ErrImagePull', message: 'connection refused', seconds: 3600 }, 'failed'],
    ['fails at its deadline if the kubelet reports nothing', { reason: 'ContainerCreating', seconds: 3600 }, 'failed'],
    ['fails at once for an invalid name', { reason: 'InvalidImageName', message: 'cannot parse' }, 'failed'],
    ['continues when credentials are refused for the first time, however late', REFUSED, 'pulling'],
    ['has three tries when credentials are refused', { ...REFUSED, refusedSeconds: 29 }, 'pulling'],
    [
      'fails after three tries when credentials are refused',
      { ...REFUSED, reason: 'ImagePullBackOff', refusedSeconds: 30 },
      'failed',
    ],
    [
      'fails after three tries when there is no such image',
      { ...REFUSED, message: 'manifest unknown', refusedSeconds: 30 },
      'failed',
    ],
    [
      'has three tries of its own after another container was refused',
      { ...REFUSED, refusedSeconds: 30, refused: 'uid-pull other' },
      'pulling',
    ],
    [
      'continues while names are not resolved',
      { reason: 'ErrImagePull', message: 'lookup x: no such host', seconds: 3599 },
      'pulling',
    ],
    ['fails at its deadline even before the third try', { ...REFUSED, pullDeadlineSeconds: 100 }, 'failed'],
  ])('%s', (_sentence, pull, is) => expect(stateOf(pull).is).toBe(is));

  test('has the kubelet’s message when it failed', () =>
    expect(stateOf({ ...REFUSED, refusedSeconds: 40 })).toEqual({ is: 'failed', message: '401 Unauthorized' }));

  test('has a message of its own when the kubelet has none', () =>
    expect(stateOf({ reason: 'ContainerCreating', seconds: 3600 })).toEqual({
      is: 'failed',
      message: 'the image was not pulled within pullDeadlineSeconds',
    }));

  test('is evaluated again at the third try or at the deadline', () => {
    expect(stateOf({ ...REFUSED, refusedSeconds: 10 })).toMatchObject({ until: after(NOW, 20) });
    expect(stateOf({ reason: 'ErrImagePull', message: 'timeout', seconds: 10 })).toMatchObject({
      until: after(NOW, 3590),
    });
  });

  test('has its first refusal to be recorded', () =>
    expect(stateOf(REFUSED)).toMatchObject({ refusal: { for: 'uid-pull pull', since: NOW.toISOString() } }));

  test('fails when the image of an init container fails', () => {
    const seen = pod('job', { phase: 'Pending', containers: [] });
    const init = [{ name: 'nodeop', state: { waiting: { reason: 'ErrImagePull', message: 'denied' } } }];
    const both = { ...seen, status: { ...seen.status, initContainerStatuses: init } };
    expect(stateOf({ ...REFUSED, refusedSeconds: 30, refused: 'uid-job nodeop' }, both).is).toBe('failed');
  });
});
