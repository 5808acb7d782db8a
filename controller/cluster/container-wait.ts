/** What a container waits for, by what the kubelet reports about it. */
import { isOnNode } from './image-name.js';
import { imagesOf, type CachedNode } from './node.js';
import { hasRun } from './pod-end.js';
import { awaitedContainersOf, type CachedPod, type ContainerStatus } from './pod.js';

/** Reasons of containers that wait normally: for earlier containers, or to be created. Both include the pull of the image. */
const NORMAL_REASONS: ReadonlySet<string> = new Set(['PodInitializing', 'ContainerCreating']);

/** The container that keeps the Pod from continuing: the first one that has neither started nor ended. */
export const waitingContainerOf = (pod: CachedPod): ContainerStatus | undefined => {
  const waiting = awaitedContainersOf(pod).filter(({ state }) => !state?.running && !state?.terminated);
  return waiting.find(each => startError(each) !== undefined) ?? waiting[0];
};

/** Such as `CreateContainerConfigError: secret "x" not found`; undefined while nothing is wrong. */
export function startError({ state }: ContainerStatus): string | undefined {
  const { reason, message } = state?.waiting ?? {};
  if (reason === undefined || NORMAL_REASONS.has(reason)) return undefined;
  return message === undefined ? reason : `${reason}: ${message}`;
}

/**
 * Whether the image of the container may still be pulled. The state of the Pod counts before the list of images on the Node, which has only
 * the largest ones, under the names that they were pulled by. The kubelet reports the sandbox of a new Pod only after the pull of its first
 * image; a Pod that has lost its sandbox is not pulling.
 */
export function mayBePulling(pod: CachedPod, image: string, node: CachedNode | undefined): boolean {
  const container = waitingContainerOf(pod);
  const sandbox = pod.status.conditions?.find(({ type }) => type === 'PodReadyToStartContainers');
  const hasLostSandbox = sandbox?.status === 'False' && awaitedContainersOf(pod).some(hasRun);
  if (hasLostSandbox || (container && startError(container) !== undefined)) return false;
  return !isOnNode(container?.image ?? image, imagesOf(node));
}
