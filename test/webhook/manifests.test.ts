/** The manifests of the webhook: two replicas that are never unavailable together, and that do not block other operations. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { NODE_OP, NODE_OP_UPGRADE, OS_ARTIFACT } from '../../api/kinds.js';

interface Webhook {
  name: string;
  failurePolicy: string;
  sideEffects: string;
  timeoutSeconds: number;
  admissionReviewVersions: string[];
  rules: { apiGroups: string[]; resources: string[]; operations: string[]; scope: string }[];
  matchConditions: { name: string }[];
  namespaceSelector?: object;
}

interface PodSpec {
  priorityClassName: string;
  affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: object[] } };
  terminationGracePeriodSeconds?: number;
  containers: { command: string[]; readinessProbe: object; livenessProbe: object; resources: object }[];
}

interface Manifest {
  kind: string;
  spec: {
    replicas?: number;
    strategy?: object;
    selector: { matchLabels: object };
    maxUnavailable?: number;
    minAvailable?: number;
    unhealthyPodEvictionPolicy?: string;
    template: { metadata: { labels: object }; spec: PodSpec };
  };
  webhooks: Webhook[];
}

const manifestsIn = (name: string) =>
  parseAllDocuments(readFileSync(`manifests/default/${name}`, 'utf8')).map(document => document.toJS() as Manifest);
const of = (kind: string) => {
  const found = manifestsIn('webhook.yaml').find(each => each.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} in webhook.yaml`);
  return found.spec;
};

describe('the webhook replicas', () => {
  const { replicas, strategy, template } = of('Deployment');

  test('are two, and a rollout starts a new one before it stops an old one', () => {
    expect(replicas).toBe(2);
    expect(strategy).toMatchObject({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  });

  test('prefer different nodes but do not require them', () =>
    expect(template.spec.affinity.podAntiAffinity).toMatchObject({
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          podAffinityTerm: {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: template.metadata.labels },
          },
        },
      ],
    }));

  test('have a high priority', () => expect(template.spec.priorityClassName).toBe('system-cluster-critical'));

  test('have a grace period longer than the 5 s of further requests and 10 s of open ones', () =>
    expect(template.spec.terminationGracePeriodSeconds ?? 30).toBeGreaterThan(5 + 10));

  test('have separate readiness and liveness probes', () => {
    const [container] = template.spec.containers;
    expect(container).toMatchObject({
      readinessProbe: { httpGet: { path: '/readyz' } },
      livenessProbe: { httpGet: { path: '/healthz' } },
    });
  });
});

test('the disruption budget allows one eviction at a time, and always that of an unhealthy replica', () => {
  const budget = of('PodDisruptionBudget');
  expect(budget).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  expect(budget.minAvailable).toBeUndefined();
  expect(budget.selector.matchLabels).toEqual(of('Deployment').selector.matchLabels);
});

describe('the webhook configurations', () => {
  const webhooks = manifestsIn('webhook-configurations.yaml').flatMap(one => one.webhooks);

  test("select creations and updates of the operator's kinds, without subresources", () => {
    expect(webhooks).toHaveLength(2);
    const ours: string[] = [NODE_OP.plural, NODE_OP_UPGRADE.plural, OS_ARTIFACT.plural];
    for (const { rules } of webhooks) {
      const asked = rules.flatMap(({ resources }) => resources);
      expect(asked).toEqual(expect.arrayContaining([NODE_OP.plural, NODE_OP_UPGRADE.plural]));
      expect(asked.filter(resource => !ours.includes(resource))).toEqual([]);
      expect(new Set(rules.flatMap(({ operations }) => operations))).toEqual(new Set(['CREATE', 'UPDATE']));
    }
  });

  test('have a timeout of five seconds, one review version and no side effects', () => {
    for (const webhook of webhooks)
      expect(webhook).toMatchObject({
        failurePolicy: 'Fail',
        sideEffects: 'None',
        timeoutSeconds: 5,
        admissionReviewVersions: ['v1'],
      });
  });

  test('exclude the operator, terminating objects and updates that do not change the spec', () => {
    for (const { matchConditions } of webhooks)
      expect(matchConditions.map(({ name }) => name)).toEqual(['not-the-operator', 'not-being-deleted', 'a-new-wish']);
  });
});
