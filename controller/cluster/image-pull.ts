/** Whether the pull of an image continues or has failed, by what the kubelet reports. */
import { awaitedContainersOf, type CachedPod, type ContainerStatus } from './pod.js';
import { after } from '../../program/clock.js';
import { isPermanentPullError } from './pull-error.js';

export interface PullContext {
  now: Date;
  nodeOp: { spec: { pullDeadlineSeconds: number } };
}

export type PullState = { is: 'failed'; message: string } | { is: 'pulling'; until: Date; message?: string };

/** The kubelet retries after 10 and after 20 s: within this time it has tried three times. */
const THREE_TRIES_SECONDS = 30;

const PULL_REASONS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'RegistryUnavailable',
  'InvalidImageName',
]);

/** Whether the kubelet reports trouble with the pull of this container's image. */
export const hasPullError = ({ state }: ContainerStatus): boolean => PULL_REASONS.has(state?.waiting?.reason ?? '');

/** A name that cannot be parsed fails at once, a permanent error after three tries, and anything else at the deadline. */
export function imagePullState(pod: CachedPod, { now, nodeOp }: PullContext, since: Date): PullState {
  const deadline = after(since, nodeOp.spec.pullDeadlineSeconds);
  const waiting = awaitedContainersOf(pod).find(hasPullError)?.state?.waiting;
  const message = waiting?.message ?? waiting?.reason;
  if (waiting?.reason === 'InvalidImageName') return { is: 'failed', message: message ?? 'InvalidImageName' };
  if (now >= deadline)
    return { is: 'failed', message: message ?? 'the image was not pulled within pullDeadlineSeconds' };
  if (waiting === undefined || !isPermanentPullError(message ?? '')) return { is: 'pulling', until: deadline, message };
  const thirdTry = after(new Date(pod.status.startTime ?? since), THREE_TRIES_SECONDS);
  return now >= thirdTry ? { is: 'failed', message: message ?? '' } : { is: 'pulling', until: thirdTry, message };
}
