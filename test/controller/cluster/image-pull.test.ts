import { describe, expect, test } from '@jest/globals';
import { imagePullState } from '../../../controller/cluster/image-pull.js';
import { after } from '../../../program/clock.js';
import { NOW, pod, secondsAgo, nodeOp } from '../../builders.js';

/** The state of a pull `seconds` after the kubelet accepted the Pod. */
function stateAfter(reason: string, message: string | undefined, seconds: number, pullDeadlineSeconds = 3600) {
  const waiting = { name: 'pull', state: { waiting: { reason, message } } };
  const seen = pod('pull', { phase: 'Pending', startedAt: secondsAgo(seconds), containers: [waiting] });
  return imagePullState(seen, { now: NOW, nodeOp: nodeOp({ pullDeadlineSeconds }) }, new Date(secondsAgo(seconds)));
}

describe('A pull', () => {
  test.each<[string, Parameters<typeof stateAfter>, string]>([
    ['continues while the kubelet reports nothing', ['ContainerCreating', undefined, 100], 'pulling'],
    ['continues while the network is down', ['ErrImagePull', 'connection refused', 3599], 'pulling'],
    ['continues while the registry is busy', ['ImagePullBackOff', 'toomanyrequests', 3599], 'pulling'],
    ['fails at its deadline', ['ErrImagePull', 'connection refused', 3600], 'failed'],
    ['fails at its deadline if the kubelet reports nothing', ['ContainerCreating', undefined, 3600], 'failed'],
    ['fails at once for an invalid name', ['InvalidImageName', 'cannot parse', 0], 'failed'],
    ['has three tries when credentials are refused', ['ErrImagePull', '401 Unauthorized', 29], 'pulling'],
    ['fails after three tries when credentials are refused', ['ImagePullBackOff', '401 Unauthorized', 30], 'failed'],
    ['fails after three tries when there is no such image', ['ErrImagePull', 'manifest unknown', 30], 'failed'],
    ['continues while names are not resolved', ['ErrImagePull', 'lookup x: no such host', 3599], 'pulling'],
    ['fails at its deadline even before the third try', ['ErrImagePull', 'denied', 10, 10], 'failed'],
  ])('%s', (_sentence, args, is) => expect(stateAfter(...args).is).toBe(is));

  test('has the kubelet’s message when it failed', () =>
    expect(stateAfter('ErrImagePull', 'manifest unknown', 40)).toEqual({ is: 'failed', message: 'manifest unknown' }));

  test('has a message of its own when the kubelet has none', () =>
    expect(stateAfter('ContainerCreating', undefined, 3600)).toEqual({
      is: 'failed',
      message: 'the image was not pulled within pullDeadlineSeconds',
    }));

  test('is evaluated again at the third try or at the deadline', () => {
    expect(stateAfter('ErrImagePull', 'denied', 10)).toMatchObject({ until: after(NOW, 20) });
    expect(stateAfter('ErrImagePull', 'timeout', 10)).toMatchObject({ until: after(NOW, 3590) });
  });

  test('fails when the image of an init container fails', () => {
    const seen = pod('job', { phase: 'Pending', startedAt: secondsAgo(40), containers: [] });
    const init = [{ name: 'nodeop', state: { waiting: { reason: 'ErrImagePull', message: 'denied' } } }];
    const both = { ...seen, status: { ...seen.status, initContainerStatuses: init } };
    expect(imagePullState(both, { now: NOW, nodeOp: nodeOp() }, new Date(secondsAgo(40))).is).toBe('failed');
  });
});
