/** The options of a fake cluster, and builders for the objects in it. */
import { CONTROL_PLANE_LABELS } from '../../../api/names.js';
import { apiVersion, NODE_OP, NODE_OP_UPGRADE } from '../../../api/kinds.js';
import type { ImageOptions, BehaviorOverride } from './container-behavior.js';
import type { MachineOptions } from './machine.js';

export interface NodeOptions extends Partial<Pick<MachineOptions, 'bootSeconds' | 'shutdownSeconds' | 'files'>> {
  name: string;
  controlPlane?: boolean;
  labels?: Record<string, string>;
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
  /** Names of DaemonSets, whose Pods also run on cordoned nodes. */
  daemonSets?: readonly string[];
  budgets?: readonly BudgetOptions[];
  images?: Readonly<Record<string, ImageOptions>>;
  /** What containers do that differs from their defaults. */
  behavior?: BehaviorOverride;
  /** Seed of the random numbers that the programs use. */
  seed?: number;
  /** The namespaces that the controller is restricted to; all when absent. */
  allowedNamespaces?: readonly string[];
}

export const nodeObject = ({ name, controlPlane = false, labels = {} }: NodeOptions, bootID: string) => ({
  metadata: {
    name,
    labels: {
      'kubernetes.io/os': 'linux',
      'kubernetes.io/hostname': name,
      ...(controlPlane ? { [CONTROL_PLANE_LABELS[0]]: '' } : {}),
      ...labels,
    },
  },
  spec: {},
  status: {
    conditions: [],
    nodeInfo: { bootID, architecture: 'amd64', operatingSystem: 'linux', kubeletVersion: 'v1.34.1+k3s1' },
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

export const daemonSetObject = (name: string) => ({
  metadata: { name, namespace: 'kube-system' },
  spec: { template: template(name, { tolerations: [{ operator: 'Exists' }] }) },
});

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
