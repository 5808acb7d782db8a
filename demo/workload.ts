/** The workload that runs during the upgrade, and the upgrade itself. */
import { apiVersion, NODE_OP_UPGRADE } from '../api/kinds.js';

export const NAMESPACE = 'default';
export const SAMPLE = 'web';
export const UPGRADE = 'tour';
export const REPLICAS = 2;
export const MIN_AVAILABLE = 1;
/** The image to upgrade to; the nodes start with an older version. */
export const TARGET = { ref: 'localhost/kairos:v3.6.0', version: 'v3.6.0', softwareVersion: 'v1.34.5+k3s1' } as const;

const labels = { app: SAMPLE };

/** As process 1, busybox ignores SIGTERM unless a handler is installed. */
const SERVE = 'trap exit TERM; echo hello >/tmp/index.html; httpd -f -p 8080 -h /tmp & wait';

/** A small web server with two Pods that can move between nodes, and a disruption budget that keeps one of them available. */
export function sample(): object[] {
  const container = {
    name: 'web',
    image: 'localhost/busybox:1',
    command: ['sh', '-c', SERVE],
    ports: [{ containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: SAMPLE, namespace: NAMESPACE },
      spec: {
        replicas: REPLICAS,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container], terminationGracePeriodSeconds: 5 } },
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: SAMPLE, namespace: NAMESPACE },
      spec: { minAvailable: MIN_AVAILABLE, selector: { matchLabels: labels } },
    },
  ];
}

/** Upgrades all nodes to the target version, one at a time. */
export const upgrade = (): object => ({
  apiVersion: apiVersion(NODE_OP_UPGRADE),
  kind: NODE_OP_UPGRADE.kind,
  metadata: { name: UPGRADE, namespace: NAMESPACE },
  spec: { image: TARGET.ref, concurrency: 1, stopOnFailure: true, settleSeconds: 0 },
});
