/** Pods that cannot start, or cannot continue with their next container. */
import { type CachedPod, containersOf, type ContainerStatus, isAlive } from '../../cluster/pod.js';
import { startError } from './start-errors.js';

/** A Pod starts faster than this, unless an image is pulled or something is missing. */
const SLOW_START_MS = 60_000;

const isRunning = ({ state }: ContainerStatus) => state?.running !== undefined;

/** How far the Pod is, for the record of when that was first seen: the ends of its containers have times of another clock. */
export const progressKey = (pod: CachedPod): string =>
  `${pod.metadata.uid} ${containersOf(pod).filter(({ state }) => state?.terminated !== undefined).length}`;

/**
 * Why a Pod does not run; undefined if it does. The status has nothing about a missing volume: the kubelet reports that in Events only. `since`:
 * when it made its last progress, if that is known.
 */
export function blockedReason(pod: CachedPod, since: Date | undefined, now: Date): string | undefined {
  const { metadata, status } = pod;
  const unscheduled = status.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  if (unscheduled) return `the Pod cannot be scheduled: ${unscheduled.message ?? unscheduled.reason ?? ''}`;
  const containers = containersOf(pod);
  const error = startError(containers);
  if (error !== undefined || containers.some(isRunning) || !isAlive(pod)) return error;
  const next = containers.find(({ state }) => !state?.terminated)?.name;
  if (next === undefined || since === undefined || now.getTime() - since.getTime() < SLOW_START_MS) return undefined;
  return `container ${next} has been starting since ${since.toISOString()}: its image is being pulled, or a volume is missing; kubectl describe pod ${metadata.name} says which`;
}
