/** Whether the pull of an image continues or has failed, by what the kubelet reports. */
import type { FirstSeen } from '../../api/meta.js';
import { after } from '../../program/clock.js';
import { firstSeen } from './first-seen.js';
import { awaitedContainersOf, type CachedPod, type ContainerStatus } from './pod.js';
import { isPermanentPullError } from './pull-error.js';

export interface PullContext {
  now: Date;
  pullDeadlineSeconds: number;
  /** Since when the Pod could pull, at the earliest. */
  since: Date;
  /** What is recorded of refusals. */
  known: readonly (FirstSeen | undefined)[];
}

export type PullState =
  | { is: 'failed'; message: string }
  /** `refusal`: what to record, because `until` is computed from it. */
  | { is: 'pulling'; until: Date; message?: string; refusal?: FirstSeen };

/** The kubelet retries after 10 and after 20 s: this long after its first try it has tried three times. */
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
export function imagePullState(pod: CachedPod, context: PullContext): PullState {
  const { now, pullDeadlineSeconds, since } = context;
  const deadline = after(since, pullDeadlineSeconds);
  const container = awaitedContainersOf(pod).find(hasPullError);
  const waiting = container?.state?.waiting;
  const message = waiting?.message ?? waiting?.reason;
  if (waiting?.reason === 'InvalidImageName') return { is: 'failed', message: message ?? 'InvalidImageName' };
  if (now >= deadline)
    return { is: 'failed', message: message ?? 'the image was not pulled within pullDeadlineSeconds' };
  if (container === undefined || !isPermanentPullError(message ?? ''))
    return { is: 'pulling', until: deadline, message };
  const refusal = firstSeen(`${pod.metadata.uid} ${container.name}`, context.known, now);
  const thirdTry = after(new Date(refusal.since), THREE_TRIES_SECONDS);
  return now >= thirdTry
    ? { is: 'failed', message: message ?? '' }
    : { is: 'pulling', until: thirdTry, message, refusal };
}
