/** Pods as users have them, each on the node that its story is about, and budgets over them. */

const IMAGE = 'localhost/busybox:1';
const PLAIN = 'trap exit TERM; while :; do sleep 1; done';

export interface PodPlan {
  name: string;
  /** The only node that it may run on; any, when absent. */
  node?: string;
  /** Shell text; one that ends at once when asked, by default. */
  script?: string;
  graceSeconds?: number;
  emptyDir?: boolean;
  /** For how long it stays on a node that is not Ready; Kubernetes itself says 300 where nothing is said. */
  lostNodeSeconds?: number;
}

/** A pod that no controller would start again. */
export const barePod = (plan: PodPlan): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: plan.name, namespace: 'default', labels: { app: plan.name } },
  spec: podSpec(plan),
});

/** One replica. */
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

/** Allows no disruption of a deployment with one replica. */
export const strictBudget = (name: string): object => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: 'default' },
  spec: { minAvailable: 1, selector: { matchLabels: { app: name } } },
});

function podSpec({ name, node, script = PLAIN, graceSeconds = 1, emptyDir, lostNodeSeconds }: PodPlan): object {
  const mounts = [
    { name: 'host', mountPath: '/story' },
    ...(emptyDir === true ? [{ name: 'scratch', mountPath: '/scratch' }] : []),
  ];
  const volumes = [
    { name: 'host', hostPath: { path: '/var/lib/story', type: 'DirectoryOrCreate' } },
    ...(emptyDir === true ? [{ name: 'scratch', emptyDir: {} }] : []),
  ];
  const patience = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map(key => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: lostNodeSeconds,
  }));
  return {
    ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
    terminationGracePeriodSeconds: graceSeconds,
    containers: [{ name, image: IMAGE, command: ['sh', '-c', script], volumeMounts: mounts }],
    volumes,
    ...(lostNodeSeconds === undefined ? {} : { tolerations: patience }),
  };
}
