/** User workloads for drain tests: pods on a given node, and disruption budgets for them. */

const IMAGE = 'localhost/busybox:1';
const EXIT_ON_TERM = 'trap exit TERM; while :; do sleep 1; done';

export interface PodPlan {
  name: string;
  /** The only node on which the pod may run; any node by default. */
  node?: string;
  /** Shell script; by default one that exits at once on SIGTERM. */
  script?: string;
  graceSeconds?: number;
  emptyDir?: boolean;
  /** How long the pod tolerates a node that is not Ready; 300 by default in Kubernetes. */
  tolerationSeconds?: number;
  /** Tolerates every taint, the cordon included. */
  toleratesAll?: boolean;
}

/** A pod without a controller. */
export const barePod = (plan: PodPlan): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: plan.name, namespace: 'default', labels: { app: plan.name } },
  spec: podSpec(plan),
});

/** A Deployment with one replica. */
export const deployment = (plan: PodPlan): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: plan.name, namespace: 'default' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: plan.name } },
    template: { metadata: { labels: { app: plan.name } }, spec: podSpec(plan) },
  },
});

/** A disruption budget that allows no disruption of a Deployment with one replica. */
export const strictBudget = (name: string): object => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: 'default' },
  spec: { minAvailable: 1, selector: { matchLabels: { app: name } } },
});

function podSpec({
  name,
  node,
  script = EXIT_ON_TERM,
  graceSeconds = 1,
  emptyDir,
  tolerationSeconds,
  toleratesAll,
}: PodPlan): object {
  const mounts = [
    { name: 'host', mountPath: '/story' },
    ...(emptyDir === true ? [{ name: 'scratch', mountPath: '/scratch' }] : []),
  ];
  const volumes = [
    { name: 'host', hostPath: { path: '/var/lib/story', type: 'DirectoryOrCreate' } },
    ...(emptyDir === true ? [{ name: 'scratch', emptyDir: {} }] : []),
  ];
  const tolerations = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map(key => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds,
  }));
  return {
    ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
    terminationGracePeriodSeconds: graceSeconds,
    containers: [{ name, image: IMAGE, command: ['sh', '-c', script], volumeMounts: mounts }],
    volumes,
    ...(tolerationSeconds === undefined ? {} : { tolerations }),
    ...(toleratesAll === true ? { tolerations: [{ operator: 'Exists' }] } : {}),
  };
}

/** Manifest of a static pod that is Ready while a file exists in /run/node, which is empty after each boot. */
export const staticPod = (name: string, readyFile: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'kube-system' },
  spec: {
    hostNetwork: true,
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name,
        image: IMAGE,
        command: ['sh', '-c', EXIT_ON_TERM],
        volumeMounts: [{ name: 'run', mountPath: '/node' }],
        readinessProbe: {
          exec: { command: ['test', '-e', `/node/${readyFile}`] },
          periodSeconds: 1,
          failureThreshold: 1,
        },
      },
    ],
    volumes: [{ name: 'run', hostPath: { path: '/run/node' } }],
  },
});
