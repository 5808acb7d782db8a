/** What a fake cluster is made of, in few words. */
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
  /** Seconds that its Pods get to end. */
  graceSeconds?: number;
  emptyDir?: boolean;
  /** Its Pods belong on this node, whatever is wrong with it. */
  pinnedTo?: string;
}

export interface BudgetOptions {
  name: string;
  /** The workload that it guards. */
  workload: string;
  minAvailable?: number;
  maxUnavailable?: number;
}

export interface ClusterOptions {
  nodes: readonly NodeOptions[];
  /** In the namespace `default`, with a label `app`. */
  workloads?: readonly WorkloadOptions[];
  /** One Pod on each node, whatever is wrong with it. */
  daemonSets?: readonly string[];
  budgets?: readonly BudgetOptions[];
  images?: Readonly<Record<string, ImageOptions>>;
  behavior?: BehaviorOverride;
  seed?: number;
  /** Where the controller obeys wishes; everywhere when absent. */
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
