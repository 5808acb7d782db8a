/** The webhook as it is installed: two replicas that are never away together, and that stand in nobody's way. */
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
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found.spec;
};

describe('the replicas', () => {
  const { replicas, strategy, template } = of('Deployment');

  test('are two, and a new one is ready before an old one goes', () => {
    expect(replicas).toBe(2);
    expect(strategy).toMatchObject({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  });

  test('keep apart from each other where there are nodes to do so, and need none', () =>
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

  test('go before others when room is short', () =>
    expect(template.spec.priorityClassName).toBe('system-cluster-critical'));

  test('have longer to end than they serve on after they were told to: 5 s, and 10 s for the last requests', () =>
    expect(template.spec.terminationGracePeriodSeconds ?? 30).toBeGreaterThan(5 + 10));

  test('are asked for their readiness and their life by different words', () => {
    const [container] = template.spec.containers;
    expect(container).toMatchObject({
      readinessProbe: { httpGet: { path: '/readyz' } },
      livenessProbe: { httpGet: { path: '/healthz' } },
    });
  });
});

test('the disruption budget lets one go at a time, and never holds up one that does not answer', () => {
  const budget = of('PodDisruptionBudget');
  expect(budget).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  expect(budget.minAvailable).toBeUndefined();
  expect(budget.selector.matchLabels).toEqual(of('Deployment').selector.matchLabels);
});

describe('the API server asks', () => {
  const webhooks = manifestsIn('webhook-configurations.yaml').flatMap(one => one.webhooks);

  test('of new and changed objects of our kinds, and of nothing below them', () => {
    expect(webhooks).toHaveLength(2);
    const ours: string[] = [NODE_OP.plural, NODE_OP_UPGRADE.plural, OS_ARTIFACT.plural];
    for (const { rules } of webhooks) {
      const asked = rules.flatMap(({ resources }) => resources);
      expect(asked).toEqual(expect.arrayContaining([NODE_OP.plural, NODE_OP_UPGRADE.plural]));
      expect(asked.filter(resource => !ours.includes(resource))).toEqual([]);
      expect(new Set(rules.flatMap(({ operations }) => operations))).toEqual(new Set(['CREATE', 'UPDATE']));
    }
  });

  test('for five seconds at most, in the one version it is answered in, and without a side effect', () => {
    for (const webhook of webhooks)
      expect(webhook).toMatchObject({
        failurePolicy: 'Fail',
        sideEffects: 'None',
        timeoutSeconds: 5,
        admissionReviewVersions: ['v1'],
      });
  });

  test('not about our own work, what is being deleted, or a change that wishes nothing new', () => {
    for (const { matchConditions } of webhooks)
      expect(matchConditions.map(({ name }) => name)).toEqual(['not-the-operator', 'not-being-deleted', 'a-new-wish']);
  });
});
