/** Alerts and dashboard query metrics that exist. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { MetricsRegistry } from '../../program/metrics.js';
import { webhookMetrics } from '../../webhook/metrics.js';
import { repository } from '../cluster/paths.js';

const textOf = (name: string) => readFileSync(join(repository, 'manifests/monitoring', name), 'utf8');

interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}
interface Panel {
  id: number;
  title: string;
  targets: { expr: string }[];
}

const { spec } = parse(textOf('alerts.yaml')) as { spec: { groups: { rules: Rule[] }[] } };
const rules = spec.groups.flatMap(group => group.rules);
const { data } = parse(textOf('dashboard.yaml')) as { data: Record<string, string> };
const { panels } = JSON.parse(data['kairos-operator.json'] ?? '') as { panels: Panel[] };
const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

/** The metrics of a webhook that has handled one review with each verdict. */
let series: string;
beforeAll(async () => {
  const registry = new MetricsRegistry();
  const observe = webhookMetrics(registry, () => new Date());
  for (const verdict of ['allowed', 'denied', 'failed'] as const)
    observe({ webhook: 'validate', kind: 'NodeOp', verdict, seconds: 0.001 });
  series = await registry.text();
});

describe.each(expressions)('%s', (_name, expression) => {
  test('queries metrics that the webhook exposes', () => {
    const names = [...expression.matchAll(/\b(?:kairos_operator|process|nodejs)_\w+/g)].map(([name]) => name);
    expect(names.length > 0 || expression.includes('up{')).toBe(true);
    expect(names.filter(name => !new RegExp(`^${name}[ {]`, 'm').test(series))).toEqual([]);
  });

  test('uses labels that the metrics have', () => {
    const grouped = [...expression.matchAll(/by \((\w+)\)/g)].map(([, label = '']) => label);
    const chosen = [...expression.matchAll(/\{(\w+)!?="(\w+)"\}/g)].map(([, label = '', value = '']) => [label, value]);
    for (const label of grouped) expect(series).toContain(`${label}="`);
    for (const [label, value] of chosen.filter(([each]) => each !== 'job'))
      expect(series).toContain(`${label}="${value}"`);
  });

  test('has balanced brackets', () => {
    expect(expression.split('(')).toHaveLength(expression.split(')').length);
    expect(expression.split('{')).toHaveLength(expression.split('}').length);
  });
});

test('every alert has a severity, a summary and a description', () => {
  for (const { alert, labels, annotations, for: time } of rules) {
    expect(alert).toMatch(/^KairosOperator\w+$/);
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(annotations).toEqual({ summary: expect.stringMatching(/\.$/), description: expect.stringMatching(/\.$/) });
    expect(time).toMatch(/^\d+[mh]$/);
  }
});

test('dashboard panels have unique ids', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

test('the ServiceMonitor scrapes the Service of the webhook', () => {
  const monitor = parse(textOf('service-monitor.yaml')) as { spec: { endpoints: { port: string; path: string }[] } };
  expect(monitor.spec.endpoints).toMatchObject([{ port: 'webhook', path: '/metrics', scheme: 'https' }]);
});
