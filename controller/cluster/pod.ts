/** Pods as the controller's caches keep them: only the fields that some code here reads. */
import type { Stored } from '../../kube/kube.js';
import { isOwnKey, pruneMetadata } from './metadata.js';

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
    /** These two are kept of Pods with a label of ours. */
    hostPID?: boolean;
    containers?: readonly { name: string }[];
  };
  status: {
    phase?: string;
    reason?: string;
    message?: string;
    startTime?: string;
    conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
    containerStatuses?: readonly ContainerStatus[];
    initContainerStatuses?: readonly ContainerStatus[];
  };
}

const MIRROR = 'kubernetes.io/config.mirror';

const withoutWords = <T extends { message?: string }>(told: T | undefined): T | undefined =>
  told && { ...told, message: undefined };

const pruneContainer =
  (keepWords: boolean) =>
  ({ name, ready, restartCount, image, imageID, containerID, state = {} }: ContainerStatus): ContainerStatus => ({
    name,
    ready,
    restartCount,
    image,
    imageID,
    containerID,
    state: keepWords
      ? state
      : { ...state, waiting: withoutWords(state.waiting), terminated: withoutWords(state.terminated) },
  });

/** Waits for a node; was taken from its node by the cluster. */
const OF_OURS: ReadonlySet<string> = new Set(['PodScheduled', 'DisruptionTarget']);

/** Of Pods that are none of ours nobody reads what they say: up to 12 KiB each. */
export function prunePod(pod: CachedPod): CachedPod {
  const { phase, reason, message, startTime, conditions, containerStatuses, initContainerStatuses } = pod.status;
  const isOurs = Object.keys(pod.metadata.labels ?? {}).some(isOwnKey);
  return {
    metadata: pruneMetadata(pod.metadata, key => isOwnKey(key) || key === MIRROR),
    spec: {
      nodeName: pod.spec.nodeName,
      volumes: pod.spec.volumes?.filter(volume => volume.emptyDir !== undefined),
      ...(isOurs && { hostPID: pod.spec.hostPID, containers: pod.spec.containers?.map(({ name }) => ({ name })) }),
    },
    status: {
      phase,
      reason,
      message: isOurs ? message : undefined,
      startTime,
      conditions: conditions?.filter(c => c.type === 'Ready' || (isOurs && OF_OURS.has(c.type))),
      containerStatuses: containerStatuses?.map(pruneContainer(isOurs)),
      initContainerStatuses: initContainerStatuses?.map(pruneContainer(isOurs)),
    },
  };
}

export const isAlive = (pod: CachedPod): boolean => pod.status.phase === 'Pending' || pod.status.phase === 'Running';

export const isMirror = (pod: CachedPod): boolean => pod.metadata.annotations?.[MIRROR] !== undefined;

export const isPodReady = (pod: CachedPod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status.conditions?.some(c => c.type === 'Ready' && c.status === 'True') ?? false);
