/** Pods as the controller's caches keep them: only the fields that the controller reads. */
import { CONTAINERS } from '../../api/names.js';
import type { Stored } from '../../kube/kube.js';
import { boundedText } from './bounds.js';
import { KEPT_ANNOTATIONS, MIRROR } from './kept-annotations.js';
import { isOwnKey, pruneMetadata } from './metadata.js';

/** `startedAt` and `finishedAt` are of the clock of the node: they are shown to users, and subtracted from each other, but nothing else. */
export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { exitCode: number; reason?: string; message?: string; startedAt?: string; finishedAt?: string };
}

export interface ContainerStatus {
  name: string;
  ready?: boolean;
  restartCount?: number;
  image?: string;
  imageID?: string;
  containerID?: string;
  state?: ContainerState;
}

export interface CachedPod extends Stored {
  spec: {
    nodeName?: string;
    volumes?: readonly { name: string; emptyDir?: object }[];
    /** Kept, as `containers` is, only for Pods with a label of this operator or of Kairos. */
    hostPID?: boolean;
    containers?: readonly { name: string }[];
  };
  status: {
    phase?: string;
    reason?: string;
    message?: string;
    conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
    containerStatuses?: readonly ContainerStatus[];
    initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** More than the nodes of any cluster are given. */
const MAX_CONTAINERS = 100;
/** The names of images are as long as their author likes. */
const MAX_IMAGE_LENGTH = 512;
/** A kubelet writes up to 12 KiB of termination messages for all containers together. */
const MAX_MESSAGE_LENGTH = 12 * 1024;

const withoutMessage = <T extends { message?: string }>(state: T | undefined): T | undefined =>
  state && { ...state, message: undefined };

const pruneContainer =
  (isOwn: boolean) =>
  ({ name, ready, restartCount, image, imageID, containerID, state = {} }: ContainerStatus): ContainerStatus => ({
    name,
    ready,
    restartCount,
    ...(isOwn && {
      image: boundedText(image, MAX_IMAGE_LENGTH),
      imageID: boundedText(imageID, MAX_IMAGE_LENGTH),
    }),
    containerID: boundedText(containerID, MAX_IMAGE_LENGTH),
    state: isOwn
      ? state
      : { ...state, waiting: withoutMessage(state.waiting), terminated: withoutMessage(state.terminated) },
  });

/**
 * Conditions of this operator's own Pods that are read besides Ready: not scheduled yet, evicted or preempted by the cluster, and whether
 * the kubelet has made the volumes and the network of the Pod.
 */
const OWN_POD_CONDITIONS: ReadonlySet<string> = new Set([
  'PodScheduled',
  'DisruptionTarget',
  'PodReadyToStartContainers',
]);

/** The messages and images of foreign Pods are dropped: they are never read, and messages take up to 12 KiB each. */
export function prunePod(pod: CachedPod): CachedPod {
  const { phase, reason, message, conditions, containerStatuses, initContainerStatuses } = pod.status;
  const isOwn = Object.keys(pod.metadata.labels ?? {}).some(isOwnKey);
  return {
    metadata: pruneMetadata(pod.metadata, KEPT_ANNOTATIONS),
    spec: {
      nodeName: pod.spec.nodeName,
      /* Whether there is one decides; an author may list thousands, with labels and claims of their own in them. */
      volumes: firstEmptyDir(pod.spec.volumes),
      ...(isOwn && {
        hostPID: pod.spec.hostPID,
        containers: pod.spec.containers?.slice(0, MAX_CONTAINERS).map(({ name }) => ({ name })),
      }),
    },
    status: {
      phase,
      reason,
      message: isOwn ? boundedText(message, MAX_MESSAGE_LENGTH) : undefined,
      conditions: conditions?.filter(c => c.type === 'Ready' || (isOwn && OWN_POD_CONDITIONS.has(c.type))),
      containerStatuses: containerStatuses?.slice(0, MAX_CONTAINERS).map(pruneContainer(isOwn)),
      initContainerStatuses: initContainerStatuses?.slice(0, MAX_CONTAINERS).map(pruneContainer(isOwn)),
    },
  };
}

const firstEmptyDir = (volumes: CachedPod['spec']['volumes']): CachedPod['spec']['volumes'] => {
  const found = volumes?.find(volume => volume.emptyDir !== undefined);
  return volumes && (found ? [{ name: found.name, emptyDir: {} }] : []);
};

const OWN_CONTAINERS: ReadonlySet<string> = new Set(Object.values(CONTAINERS));

/** A container of this operator, by its name: admission may add others, and the statuses are sorted by name. */
export const containerNamed = (pod: CachedPod, name: string): ContainerStatus | undefined =>
  containersOf(pod).find(container => container.name === name);

/** The containers that this operator put into the Pod. */
export const ownContainersOf = (pod: CachedPod): ContainerStatus[] =>
  containersOf(pod).filter(({ name }) => OWN_CONTAINERS.has(name));

/** Containers that something else added to the Pod, and that have not ended. */
export const addedContainersOf = (pod: CachedPod): string[] =>
  containersOf(pod)
    .filter(({ name, state }) => !OWN_CONTAINERS.has(name) && state?.terminated === undefined)
    .map(({ name }) => name);

/** A container that something else added and that failed. */
export const failedAddedContainerOf = (pod: CachedPod): ContainerStatus | undefined =>
  containersOf(pod).find(({ name, state }) => !OWN_CONTAINERS.has(name) && (state?.terminated?.exitCode ?? 0) !== 0);

/** The containers that one of ours may wait for, and our own: init containers run before all others, even those that admission added. */
export const awaitedContainersOf = (pod: CachedPod): ContainerStatus[] => [
  ...(pod.status.initContainerStatuses ?? []),
  ...(pod.status.containerStatuses ?? []).filter(({ name }) => OWN_CONTAINERS.has(name)),
];

/** Statuses of all containers, init containers first. */
export const containersOf = ({ status }: CachedPod): ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
];

/** In the order of their creation, by the clock of the API server. */
export const oldestFirst = (pods: readonly CachedPod[]): CachedPod[] =>
  pods.toSorted((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''));

export const newestOf = (pods: readonly CachedPod[]): CachedPod | undefined => oldestFirst(pods).at(-1);

export const isAlive = (pod: CachedPod): boolean => pod.status.phase === 'Pending' || pod.status.phase === 'Running';

/**
 * One of this operator's Pods, which are never restarted, whose phase follows: the kubelet reports it some time after the end of the last container.
 * A command that is an init container and fails ends its Pod as well.
 */
export const isEnding = (pod: CachedPod): boolean => {
  const states = containersOf(pod).map(({ state }) => state?.terminated);
  const command = pod.status.initContainerStatuses?.find(({ name }) => name === CONTAINERS.work)?.state?.terminated;
  const hasFailed = command !== undefined && command.exitCode !== 0 && addedContainersOf(pod).length === 0;
  return isAlive(pod) && states.length > 0 && (hasFailed || states.every(each => each !== undefined));
};

export const isMirror = (pod: CachedPod): boolean => pod.metadata.annotations?.[MIRROR] !== undefined;

export const isPodReady = (pod: CachedPod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status.conditions?.some(c => c.type === 'Ready' && c.status === 'True') ?? false);
