/** Pods that cannot start, or cannot continue with their next container. */
import { type CachedPod, containersOf, type ContainerStatus, isAlive } from '../../cluster/pod.js';
import { startError } from './start-errors.js';

/** A Pod starts faster than this, unless an image is pulled or something is missing. */
const SLOW_START_MS = 60_000;

const isRunning = ({ state }: ContainerStatus) => state?.running !== undefined;

/** A waiting Pod has been waiting since it was created, or since its last container terminated. */
export function blockedSince(pod: CachedPod): Date {
  const { metadata, status } = pod;
  const ends = containersOf(pod).map(({ state }) => state?.terminated?.finishedAt);
  const times = [metadata.creationTimestamp, status.startTime, ...ends].map(time => (time ? Date.parse(time) : 0));
  return new Date(Math.max(...times));
}

/** Why a Pod does not run; undefined if it does. The status has nothing about a missing volume: the kubelet reports that in Events only. */
export function blockedReason(pod: CachedPod, now: Date): string | undefined {
  const { metadata, status } = pod;
  const unscheduled = status.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  if (unscheduled) return `the Pod cannot be scheduled: ${unscheduled.message ?? unscheduled.reason ?? ''}`;
  const containers = containersOf(pod);
  const error = startError(containers);
  if (error !== undefined || containers.some(isRunning) || !isAlive(pod)) return error;
  const since = blockedSince(pod);
  const next = containers.find(({ state }) => !state?.terminated)?.name;
  if (next === undefined || now.getTime() - since.getTime() < SLOW_START_MS) return undefined;
  return `container ${next} has been starting since ${since.toISOString()}: its image is being pulled, or a volume is missing; kubectl describe pod ${metadata.name} says which`;
}
