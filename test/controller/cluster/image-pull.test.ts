import { describe, expect, test } from '@jest/globals';
import { imagePullState } from '../../../controller/cluster/image-pull.js';
import { after } from '../../../program/clock.js';
import { NOW, pod, secondsAgo, nodeOp } from '../../builders.js';

/** What is said `seconds` after the Pod was taken up by its kubelet. */
function said(reason: string, message: string | undefined, seconds: number, pullDeadlineSeconds = 3600) {
  const waiting = { name: 'pull', state: { waiting: { reason, message } } };
  const seen = pod('pull', { phase: 'Pending', startedAt: secondsAgo(seconds), containers: [waiting] });
  return imagePullState(seen, { now: NOW, nodeOp: nodeOp({ pullDeadlineSeconds }) }, new Date(secondsAgo(seconds)));
}

describe('A pull', () => {
  test.each<[string, Parameters<typeof said>, string]>([
    ['goes on while nothing is said', ['ContainerCreating', undefined, 100], 'pulling'],
    ['goes on while the network is down', ['ErrImagePull', 'connection refused', 3599], 'pulling'],
    ['goes on while the registry is busy', ['ImagePullBackOff', 'toomanyrequests', 3599], 'pulling'],
    ['ends at its deadline', ['ErrImagePull', 'connection refused', 3600], 'failed'],
    ['ends at its deadline, with nothing said', ['ContainerCreating', undefined, 3600], 'failed'],
    ['ends at once on a name that is none', ['InvalidImageName', 'cannot parse', 0], 'failed'],
    ['has three tries when credentials are refused', ['ErrImagePull', '401 Unauthorized', 29], 'pulling'],
    ['ends after them', ['ImagePullBackOff', '401 Unauthorized', 30], 'failed'],
    ['ends after them when there is no such image', ['ErrImagePull', 'manifest unknown', 30], 'failed'],
    ['ends after them when there is no such registry', ['ErrImagePull', 'lookup x: no such host', 30], 'failed'],
    ['has no more time than its deadline', ['ErrImagePull', 'denied', 10, 10], 'failed'],
  ])('%s', (_sentence, args, is) => expect(said(...args).is).toBe(is));

  test('is told in the kubelet’s words', () =>
    expect(said('ErrImagePull', 'manifest unknown', 40)).toEqual({ is: 'failed', message: 'manifest unknown' }));

  test('is told in our words where the kubelet has none', () =>
    expect(said('ContainerCreating', undefined, 3600)).toEqual({
      is: 'failed',
      message: 'the image was not pulled within pullDeadlineSeconds',
    }));

  test('is looked at again at the third try, or at the deadline', () => {
    expect(said('ErrImagePull', 'denied', 10)).toMatchObject({ until: after(NOW, 20) });
    expect(said('ErrImagePull', 'timeout', 10)).toMatchObject({ until: after(NOW, 3590) });
  });

  test('of an init container counts, too', () => {
    const seen = pod('job', { phase: 'Pending', startedAt: secondsAgo(40), containers: [] });
    const init = [{ name: 'nodeop', state: { waiting: { reason: 'ErrImagePull', message: 'denied' } } }];
    const both = { ...seen, status: { ...seen.status, initContainerStatuses: init } };
    expect(imagePullState(both, { now: NOW, nodeOp: nodeOp() }, new Date(secondsAgo(40))).is).toBe('failed');
  });
});
