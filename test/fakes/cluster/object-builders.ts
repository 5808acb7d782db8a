/** The options of a fake cluster, and builders for the objects in it. */
import { CONTROL_PLANE_LABELS } from '../../../api/names.js';
import { apiVersion, NODE_OP, NODE_OP_UPGRADE } from '../../../api/kinds.js';
import type { ImageOptions, BehaviorOverride } from './container-behavior.js';
import type { AfterPowerCut, Rejects } from './kubelet.js';
import type { Machine, MachineOptions } from './machine.js';
import type { MutatingAdmission, SidecarOptions } from './mutating-admission.js';
import type { PodSpec, Taint, Toleration } from './object-types.js';
import { DAEMON_TOLERATIONS } from './node-fit.js';

export interface NodeOptions extends Partial<Omit<MachineOptions, 'name' | 'number' | 'clock'>> {
  name: string;
  controlPlane?: boolean;
  labels?: Record<string, string>;
  taints?: readonly Taint[];
  /** How many Pods its kubelet admits. */
  maxPods?: number;
}

/** A DaemonSet that does not want every node. */
export interface DaemonSetOptions extends Pick<PodSpec, 'nodeSelector' | 'affinity'> {
  name: string;
  /** Besides those that the DaemonSet controller adds. */
  tolerations?: readonly Toleration[];
}

export interface WorkloadOptions {
  name: string;
  replicas: number;
  /** The grace period of its Pods. */
  graceSeconds?: number;
  emptyDir?: boolean;
  /** Its Pods are bound to this node, even when it is cordoned. */
  pinnedTo?: string;
}

export interface BudgetOptions {
  name: string;
  /** The workload that its selector matches. */
  workload: string;
  minAvailable?: number;
  maxUnavailable?: number;
}

export interface ClusterOptions {
  nodes: readonly NodeOptions[];
  /** Created in the namespace `default`, with a label `app`. */
  workloads?: readonly WorkloadOptions[];
  /** A name alone is a DaemonSet for every node that tolerates everything. */
  daemonSets?: readonly (string | DaemonSetOptions)[];
  budgets?: readonly BudgetOptions[];
  images?: Readonly<Record<string, ImageOptions>>;
  /** What containers do that differs from their defaults. */
  behavior?: BehaviorOverride;
  /** Containers that a webhook adds to every Pod that is created from then on by the operator or a Job. */
  sidecars?: readonly SidecarOptions[];
  /** Other changes that webhooks make to new objects, before the sidecars are added. */
  mutating?: MutatingAdmission;
  /** Pods that kubelets reject. */
  rejects?: Rejects;
  afterPowerCut?: AfterPowerCut;
  /** By replica of the controller, such as `controller-b`, or `kube-controller-manager`: how many seconds its wall clock is ahead. */
  clockOffsets?: Readonly<Record<string, number>>;
  /** Seed of the random numbers that the programs use. */
  seed?: number;
  /** The namespaces that the controller is restricted to; all when absent. */
  allowedNamespaces?: readonly string[];
}

export const nodeObject = (
  { name, controlPlane = false, labels = {}, taints, maxPods }: NodeOptions,
  ids: Machine['ids'],
) => ({
  metadata: {
    name,
    labels: {
      'kubernetes.io/os': 'linux',
      'kubernetes.io/hostname': name,
      ...(controlPlane ? { [CONTROL_PLANE_LABELS[0]]: '' } : {}),
      ...labels,
    },
  },
  spec: taints ? { taints } : {},
  status: {
    conditions: [],
    ...(maxPods === undefined ? {} : { allocatable: { pods: String(maxPods) } }),
    nodeInfo: { ...ids, architecture: 'amd64', operatingSystem: 'linux', kubeletVersion: 'v1.34.1+k3s1' },
    images: [],
  },
});

const template = (name: string, spec: object) => ({
  metadata: { labels: { app: name } },
  spec: { restartPolicy: 'Always', containers: [{ name: 'main', image: `registry.example/${name}:1` }], ...spec },
});

export const replicaSetObject = ({ name, replicas, graceSeconds, emptyDir = false, pinnedTo }: WorkloadOptions) => ({
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    template: template(name, {
      nodeName: pinnedTo,
      terminationGracePeriodSeconds: graceSeconds,
      volumes: emptyDir ? [{ name: 'cache', emptyDir: {} }] : undefined,
    }),
  },
});

export function daemonSetObject(set: string | DaemonSetOptions) {
  const { name, ...wants }: DaemonSetOptions =
    typeof set === 'string' ? { name: set, tolerations: [{ operator: 'Exists' }] } : set;
  const tolerations = typeof set === 'string' ? wants.tolerations : [...DAEMON_TOLERATIONS, ...(set.tolerations ?? [])];
  const metadata = { name, namespace: 'kube-system' };
  return { metadata, spec: { template: template(name, { ...wants, tolerations }) } };
}

export const budgetObject = ({ name, workload, minAvailable, maxUnavailable }: BudgetOptions) => ({
  metadata: { name, namespace: 'default' },
  spec: { selector: { matchLabels: { app: workload } }, minAvailable, maxUnavailable },
});

export const nodeOp = (name: string, spec: object = {}) => ({
  apiVersion: apiVersion(NODE_OP),
  kind: NODE_OP.kind,
  metadata: { name, namespace: 'default' },
  spec: { image: 'registry.example/tool:1', command: ['true'], ...spec },
});

export const nodeOpUpgrade = (name: string, spec: object = {}) => ({
  apiVersion: apiVersion(NODE_OP_UPGRADE),
  kind: NODE_OP_UPGRADE.kind,
  metadata: { name, namespace: 'default' },
  spec: { image: 'registry.example/kairos:2', ...spec },
});
