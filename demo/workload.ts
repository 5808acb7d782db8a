/** What runs on the cluster while it is upgraded, and the upgrade itself. */
import { apiVersion, NODE_OP_UPGRADE } from '../api/kinds.js';

export const NAMESPACE = 'default';
export const SAMPLE = 'web';
export const UPGRADE = 'tour';
export const REPLICAS = 2;
export const MUST_ANSWER = 1;
/** One that is newer than what the nodes start with. */
export const TARGET = { ref: 'localhost/kairos:v3.6.0', version: 'v3.6.0', softwareVersion: 'v1.34.5+k3s1' } as const;

const labels = { app: SAMPLE };

/** Busybox does not end on a signal by itself when it is process 1. */
const SERVE = 'trap exit TERM; echo hello >/tmp/index.html; httpd -f -p 8080 -h /tmp & wait';

/** A small web server in two Pods that may move, and a budget that wants one of them to answer at any time. */
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
      spec: { minAvailable: MUST_ANSWER, selector: { matchLabels: labels } },
    },
  ];
}

/** All nodes to the newer version, one after the other. */
export const upgrade = (): object => ({
  apiVersion: apiVersion(NODE_OP_UPGRADE),
  kind: NODE_OP_UPGRADE.kind,
  metadata: { name: UPGRADE, namespace: NAMESPACE },
  spec: { image: TARGET.ref, concurrency: 1, stopOnFailure: true, settleSeconds: 0 },
});
