/** What the operator written in Go leaves on a real cluster, made from the published contract; its Pods are stand-ins that note what they would do. */
import type { Kubectl } from '../kubectl.js';

const NAMESPACE = 'default';
const IMAGE = 'localhost/busybox:1';
export const FINALIZER = 'nodeop-reboot.kairos.io/clusterrolebinding';

/** Its Deployment, its labeler, its role; and the right, for the time of the migration, to remove what it made of RBAC. */
export const formerInstallation = (): object[] => [
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
          /* It takes its time to end: whoever takes over must wait. */
          containers: [{ name: 'main', image: IMAGE, command: ['sh', '-c', 'while :; do sleep 1; done'] }],
        },
      },
    },
  };
}

export interface FormerOp {
  name: string;
  node: string;
  spec?: object;
  phase: 'Running' | 'Completed' | 'Failed';
  entry: object;
}

/** A NodeOp with the status that it had, and for one with reboot the finalizer, the binding and its ServiceAccount. */
export async function formerOp(kubectl: Kubectl, { name, node, spec = {}, phase, entry }: FormerOp): Promise<string> {
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

/** The Job of one node: it runs, and leaves its sentinel. */
export const formerJob = ({ name, node }: Pick<FormerOp, 'name' | 'node'>, uid: string, command: string): object => ({
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

/** Waits for the sentinel, with more patience than the real one, so that it is sure to wait still when it is taken over. Where the real one would reboot its node, it writes so into the node's diary. */
export const formerRebootPod = ({ name, node }: Pick<FormerOp, 'name' | 'node'>, uid: string): object => ({
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
          `sleep 60; until ls /sentinel/${name}-${node}-x7k2p-*; do sleep 10; done; echo former >>/story/diary; sleep 3600`,
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
