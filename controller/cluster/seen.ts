/** Objects of Kubernetes as the controller's caches keep them: only what somebody here reads. */
import type { Meta, Stored } from '../../kube/kube.js';
import type { LabelSelector } from '../../kube/selector.js';

export interface SeenNode extends Stored {
  spec?: { unschedulable?: boolean };
  status?: {
    conditions?: readonly { type: string; status: string; lastTransitionTime?: string }[];
    nodeInfo?: { bootID?: string; architecture?: string; operatingSystem?: string; kubeletVersion?: string };
    images?: readonly { names?: readonly string[] }[];
  };
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { exitCode: number; reason?: string; message?: string; startedAt?: string; finishedAt?: string };
}

export interface SeenContainer {
  name: string;
  ready?: boolean;
  restartCount?: number;
  image?: string;
  imageID?: string;
  containerID?: string;
  state?: ContainerState;
}

export interface SeenPod extends Stored {
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
    containerStatuses?: readonly SeenContainer[];
    initContainerStatuses?: readonly SeenContainer[];
  };
}

export interface SeenJob extends Stored {
  spec: { suspend?: boolean; ttlSecondsAfterFinished?: number };
  status?: {
    active?: number;
    failed?: number;
    /** Set by the Job controller when the Job may run. */
    startTime?: string;
    conditions?: readonly {
      type: string;
      status: string;
      reason?: string;
      message?: string;
      lastTransitionTime?: string;
    }[];
  };
}

export interface SeenBudget extends Stored {
  spec: { selector?: LabelSelector };
  status?: { disruptionsAllowed?: number };
}

const MIRROR = 'kubernetes.io/config.mirror';

/** Metadata without `managedFields` and without annotations that nobody here reads. */
export function pruneMeta(meta: Meta, keepAnnotation: (key: string) => boolean): Meta {
  const annotations = Object.entries(meta.annotations ?? {}).filter(([key]) => keepAnnotation(key));
  return {
    name: meta.name,
    namespace: meta.namespace,
    uid: meta.uid,
    resourceVersion: meta.resourceVersion,
    generation: meta.generation,
    creationTimestamp: meta.creationTimestamp,
    deletionTimestamp: meta.deletionTimestamp,
    labels: meta.labels,
    annotations: annotations.length === 0 ? undefined : Object.fromEntries(annotations),
    finalizers: meta.finalizers,
    ownerReferences: meta.ownerReferences,
  };
}

const ours = (key: string) => key.includes('kairos.io/');

export function pruneNode({ metadata, spec, status }: SeenNode): SeenNode {
  const { bootID, architecture, operatingSystem, kubeletVersion } = status?.nodeInfo ?? {};
  return {
    metadata: pruneMeta(metadata, ours),
    spec: { unschedulable: spec?.unschedulable },
    status: {
      conditions: status?.conditions
        ?.filter(condition => condition.type === 'Ready')
        .map(({ type, status: is, lastTransitionTime }) => ({ type, status: is, lastTransitionTime })),
      nodeInfo: { bootID, architecture, operatingSystem, kubeletVersion },
      images: status?.images?.map(({ names }) => ({ names })),
    },
  };
}

export const isReady = (node: SeenNode | undefined): boolean =>
  node?.status?.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') ?? false;

/** Since when the node is not Ready, in the words of the control plane; undefined while it is. */
export function notReadySince(node: SeenNode | undefined): Date | undefined {
  const ready = node?.status?.conditions?.find(condition => condition.type === 'Ready');
  return ready === undefined || ready.status === 'True' || ready.lastTransitionTime === undefined
    ? undefined
    : new Date(ready.lastTransitionTime);
}

export const isCordoned = (node: SeenNode | undefined): boolean => node?.spec?.unschedulable === true;

export const bootIdOf = (node: SeenNode | undefined): string | undefined => node?.status?.nodeInfo?.bootID;

/** Names of the images that the kubelet lists. */
export const imagesOf = (node: SeenNode | undefined): string[] =>
  node?.status?.images?.flatMap(image => image.names ?? []) ?? [];

const withoutWords = <T extends { message?: string }>(told: T | undefined): T | undefined =>
  told && { ...told, message: undefined };

const pruneContainer =
  (keepWords: boolean) =>
  ({ name, ready, restartCount, image, imageID, containerID, state = {} }: SeenContainer): SeenContainer => ({
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
export function prunePod(pod: SeenPod): SeenPod {
  const { phase, reason, message, startTime, conditions, containerStatuses, initContainerStatuses } = pod.status;
  const isOurs = Object.keys(pod.metadata.labels ?? {}).some(ours);
  return {
    metadata: pruneMeta(pod.metadata, key => ours(key) || key === MIRROR),
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

export const pruneJob = (job: SeenJob): SeenJob => ({
  metadata: pruneMeta(job.metadata, ours),
  spec: { suspend: job.spec.suspend, ttlSecondsAfterFinished: job.spec.ttlSecondsAfterFinished },
  status: job.status,
});

export const pruneBudget = (budget: SeenBudget): SeenBudget => ({
  metadata: pruneMeta(budget.metadata, () => false),
  spec: { selector: budget.spec.selector },
  status: { disruptionsAllowed: budget.status?.disruptionsAllowed },
});

/** For kinds of which only existence and identity matter. */
export const pruneToMeta = (object: Stored): Stored => ({ metadata: pruneMeta(object.metadata, () => false) });

export const isAlive = (pod: SeenPod): boolean => pod.status.phase === 'Pending' || pod.status.phase === 'Running';

export const hasEnded = (job: SeenJob): boolean =>
  job.status?.conditions?.some(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed')) ??
  false;

export const isMirror = (pod: SeenPod): boolean => pod.metadata.annotations?.[MIRROR] !== undefined;

export const podReady = (pod: SeenPod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status.conditions?.some(c => c.type === 'Ready' && c.status === 'True') ?? false);

export const isLinux = (node: SeenNode): boolean =>
  (node.metadata.labels?.['kubernetes.io/os'] ?? node.status?.nodeInfo?.operatingSystem) === 'linux' &&
  node.metadata.labels?.type !== 'virtual-kubelet';
