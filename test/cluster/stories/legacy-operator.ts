/** What the legacy operator leaves on a real cluster, following its published contract. Its Pods are stand-ins that record what they would do. */
import type { Kubectl } from '../kubectl.js';

const NAMESPACE = 'default';
const IMAGE = 'localhost/busybox:1';
export const FINALIZER = 'nodeop-reboot.kairos.io/clusterrolebinding';

/** Its Deployment, its labeler and its ClusterRole. */
export const legacyInstallation = (): object[] => [
  workload('Deployment', { name: 'operator-kairos-operator', replicas: 1 }),
  workload('DaemonSet', { name: 'kairos-node-labeler' }),
  {
    ...rbac('ClusterRole', 'nodeop-reboot'),
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'patch'] }],
  },
];

const rbac = (kind: string, name: string) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name },
});

function workload(kind: string, { name, replicas }: { name: string; replicas?: number }): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'operator-system' },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 5,
          /* It ignores SIGTERM, so the migration has to wait for the grace period. */
          containers: [{ name: 'main', image: IMAGE, command: ['sh', '-c', 'while :; do sleep 1; done'] }],
        },
      },
    },
  };
}

export interface LegacyNodeOp {
  name: string;
  node: string;
  spec?: object;
  phase: 'Running' | 'Completed' | 'Failed';
  entry: object;
}

/** A NodeOp with the status, finalizer and ClusterRoleBinding of the legacy operator; returns its uid. */
export async function createLegacyNodeOp(
  kubectl: Kubectl,
  { name, node, spec = {}, phase, entry }: LegacyNodeOp,
): Promise<string> {
  await kubectl.apply([
    {
      apiVersion: 'operator.kairos.io/v1alpha1',
      kind: 'NodeOp',
      metadata: { name, namespace: NAMESPACE, finalizers: [FINALIZER] },
      spec: {
        image: IMAGE,
        command: ['true'],
        rebootOnSuccess: true,
        nodeSelector: { matchLabels: { 'kubernetes.io/hostname': node } },
        ...spec,
      },
    },
    {
      ...rbac('ClusterRoleBinding', `nodeop-reboot-${name}`),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'nodeop-reboot' },
      subjects: [{ kind: 'ServiceAccount', name: `${name}-reboot`, namespace: NAMESPACE }],
    },
  ]);
  const status = { phase, nodeStatuses: { [node]: { lastUpdated: '2026-01-01T00:00:00Z', ...entry } } };
  await kubectl.do(['patch', 'nodeop', name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]);
  return String((await kubectl.getJson('nodeop', name))?.metadata?.['uid']);
}

const owned = (name: string, uid: string) => [
  { apiVersion: 'operator.kairos.io/v1alpha1', kind: 'NodeOp', name, uid, controller: true },
];
const labels = (name: string, node: string) => ({ 'kairos.io/nodeop': name, 'kairos.io/node': node });

/** The Job of one node: it runs the command and writes its sentinel. */
export const legacyJob = (
  { name, node }: Pick<LegacyNodeOp, 'name' | 'node'>,
  uid: string,
  command: string,
): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name: `${name}-${node}-x7k2p`,
    namespace: NAMESPACE,
    labels: labels(name, node),
    ownerReferences: owned(name, uid),
  },
  spec: {
    template: {
      metadata: { labels: labels(name, node) },
      spec: {
        nodeName: node,
        restartPolicy: 'Never',
        tolerations: [{ operator: 'Exists' }],
        initContainers: [
          {
            name: 'nodeop',
            image: IMAGE,
            command: ['sh', '-c', command],
            env: [{ name: 'HOST_DIR', value: '/host' }],
            volumeMounts: [{ name: 'host-root', mountPath: '/host' }],
          },
        ],
        containers: [
          {
            name: 'sentinel-creator',
            image: IMAGE,
            command: ['sh', '-c', `touch /sentinel/${name}-${node}-x7k2p-$(date +%s)`],
            volumeMounts: [{ name: 'sentinel-volume', mountPath: '/sentinel' }],
          },
        ],
        volumes: [
          { name: 'host-root', hostPath: { path: '/' } },
          { name: 'sentinel-volume', hostPath: { path: '/usr/local/.kairos', type: 'DirectoryOrCreate' } },
        ],
      },
    },
  },
});

/** Waits for the sentinel longer than the real one, so that it still waits when the migration starts. Where the real one reboots its node, it writes `legacy` into the diary of the node. */
export const legacyRebootPod = ({ name, node }: Pick<LegacyNodeOp, 'name' | 'node'>, uid: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `${name}-reboot-q9w8e`,
    namespace: NAMESPACE,
    labels: { ...labels(name, node), 'kairos.io/reboot': 'true' },
    ownerReferences: owned(name, uid),
  },
  spec: {
    nodeName: node,
    restartPolicy: 'OnFailure',
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        name: 'reboot',
        image: IMAGE,
        command: [
          'sh',
          '-c',
          `sleep 60; until ls /sentinel/${name}-${node}-x7k2p-*; do sleep 10; done; echo legacy >>/story/log; sleep 3600`,
        ],
        volumeMounts: [
          { name: 'sentinel-volume', mountPath: '/sentinel' },
          { name: 'story', mountPath: '/story' },
        ],
      },
    ],
    volumes: [
      { name: 'sentinel-volume', hostPath: { path: '/usr/local/.kairos', type: 'DirectoryOrCreate' } },
      { name: 'story', hostPath: { path: '/var/lib/story', type: 'DirectoryOrCreate' } },
    ],
  },
});
