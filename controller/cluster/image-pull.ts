/** What the kubelet says about an image that is not there yet. */
import type { CachedPod } from './pod.js';
import { after } from '../../program/clock.js';

export interface PullDeadlines {
  now: Date;
  nodeOp: { spec: { pullDeadlineSeconds: number } };
}

export type PullState = { is: 'failed'; message: string } | { is: 'going'; until: Date; message?: string };

/** The kubelet tries again after 10 and 20 s: by now it has tried three times. */
const THREE_TRIES_SECONDS = 30;

const PULL_REASONS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'RegistryUnavailable',
  'InvalidImageName',
]);

/** Answers of registries that another try will not change. */
const FINAL_WORDS =
  /not found|unauthorized|authentication required|denied|forbidden|manifest unknown|no basic auth|no such host|invalid reference/i;

/** Waiting for an image, or given up on it: a name that can't be parsed at once, a refusal after three tries, anything else at the deadline. */
export function imagePullState(pod: CachedPod, { now, nodeOp }: PullDeadlines, since: Date): PullState {
  const deadline = after(since, nodeOp.spec.pullDeadlineSeconds);
  const waiting = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]
    .map(container => container.state?.waiting)
    .find(state => PULL_REASONS.has(state?.reason ?? ''));
  const message = waiting?.message ?? waiting?.reason;
  if (waiting?.reason === 'InvalidImageName') return { is: 'failed', message: message ?? 'InvalidImageName' };
  if (now >= deadline)
    return { is: 'failed', message: message ?? 'the image was not pulled within pullDeadlineSeconds' };
  if (waiting === undefined || !FINAL_WORDS.test(message ?? '')) return { is: 'going', until: deadline, message };
  const third = after(new Date(pod.status.startTime ?? since), THREE_TRIES_SECONDS);
  return now >= third ? { is: 'failed', message: message ?? '' } : { is: 'going', until: third, message };
}
