/** Kubernetes objects, with the fields that the fake controllers read and write. */
import type { Stored } from '../../../kube/kube.js';
import type { LabelSelector } from '../../../kube/selector.js';

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface Taint {
  key: string;
  value?: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
}

export interface NodeObject extends Stored {
  spec: { unschedulable?: boolean; taints?: readonly Taint[] };
  status: {
    conditions: readonly Condition[];
    allocatable?: Record<string, string>;
    nodeInfo: Record<string, string>;
    images: readonly { names: readonly string[] }[];
  };
}

export interface ContainerSpec {
  name: string;
  image: string;
  imagePullPolicy?: string;
  volumeMounts?: readonly { name: string; mountPath: string }[];
  securityContext?: { privileged?: boolean };
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
  /** `Always` in an init container makes it a sidecar: it runs beside the containers and ends after them. */
  restartPolicy?: string;
}

/** The part of a node affinity that the kubelet and the DaemonSet controller obey. */
export interface Affinity {
  nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: readonly LabelSelector[] } };
}

export interface PodSpec {
  nodeName?: string;
  restartPolicy?: string;
  terminationGracePeriodSeconds?: number;
  priorityClassName?: string;
  nodeSelector?: Record<string, string>;
  affinity?: Affinity;
  tolerations?: readonly Toleration[];
  initContainers?: readonly ContainerSpec[];
  containers: readonly ContainerSpec[];
  volumes?: readonly { name: string; emptyDir?: object; hostPath?: { path: string } }[];
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  image: string;
  imageID: string;
  containerID?: string;
  state: {
    waiting?: { reason: string; message?: string };
    running?: { startedAt: string };
    terminated?: { exitCode: number; reason: string; message?: string; startedAt?: string; finishedAt?: string };
  };
}

export interface PodObject extends Stored {
  metadata: Stored['metadata'] & { deletionGracePeriodSeconds?: number };
  spec: PodSpec;
  status: {
    phase: string;
    reason?: string;
    message?: string;
    startTime?: string;
    conditions?: readonly Condition[];
    initContainerStatuses?: readonly ContainerStatus[];
    containerStatuses?: readonly ContainerStatus[];
  };
}

export interface PodFailurePolicyRule {
  action: 'FailJob' | 'Ignore' | 'Count';
  onExitCodes?: { containerName?: string; operator: 'In' | 'NotIn'; values: readonly number[] };
  onPodConditions?: readonly { type: string; status?: string }[];
}

export interface JobObject extends Stored {
  spec: {
    podFailurePolicy?: { rules: readonly PodFailurePolicyRule[] };
    suspend?: boolean;
    backoffLimit?: number;
    activeDeadlineSeconds?: number;
    ttlSecondsAfterFinished?: number;
    template: { metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec };
  };
  status?: {
    startTime?: string;
    completionTime?: string;
    active?: number;
    failed?: number;
    succeeded?: number;
    conditions?: readonly Condition[];
  };
}

export interface BudgetObject extends Stored {
  spec: { selector: LabelSelector; minAvailable?: number; maxUnavailable?: number };
  status?: {
    disruptionsAllowed: number;
    currentHealthy: number;
    desiredHealthy: number;
    expectedPods: number;
    observedGeneration: number;
    disruptedPods?: Record<string, string>;
  };
}

/** Stands for a Deployment and its ReplicaSet: a number of Pods on any schedulable nodes. */
export interface ReplicaSetObject extends Stored {
  spec: { replicas: number; template: { metadata: { labels: Record<string, string> }; spec: PodSpec } };
}

/** One Pod on each node that its template wants. */
export interface DaemonSetObject extends Stored {
  spec: { template: { metadata: { labels: Record<string, string> }; spec: PodSpec } };
}

export const isPodReady = (pod: PodObject): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false);

export const isFinished = ({ status: { phase } }: PodObject): boolean => phase === 'Succeeded' || phase === 'Failed';

export const isNodeReady = (node: NodeObject): boolean =>
  node.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');

export const controllerUid = (object: Stored): string | undefined =>
  object.metadata.ownerReferences?.find(owner => owner.controller === true)?.uid;

/** Sets a condition; its transition time changes only when its status does. */
export function withCondition(
  conditions: readonly Condition[],
  { type, status, reason, message }: Condition,
  now: Date,
): Condition[] {
  const known = conditions.find(each => each.type === type);
  const lastTransitionTime = known?.status === status ? known.lastTransitionTime : now.toISOString();
  return [...conditions.filter(each => each.type !== type), { type, status, reason, message, lastTransitionTime }];
}
