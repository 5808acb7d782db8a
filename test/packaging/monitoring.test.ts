/** Alerts and dashboard speak of numbers that there are. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { MetricsRegistry } from '../../program/metrics.js';
import { webhookMetrics } from '../../webhook/metrics.js';
import { repository } from '../cluster/places.js';

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

/** Series with their labels, as a webhook that has judged one wish of each verdict tells them. */
let series: string;
beforeAll(async () => {
  const registry = new MetricsRegistry();
  const see = webhookMetrics(registry, () => new Date());
  for (const verdict of ['allowed', 'denied', 'failed'] as const)
    see({ webhook: 'validate', kind: 'NodeOp', verdict, seconds: 0.001 });
  series = await registry.text();
});

describe.each(expressions)('%s', (_name, expression) => {
  test('asks for numbers that the webhook has', () => {
    const names = [...expression.matchAll(/\b(?:kairos_operator|process|nodejs)_\w+/g)].map(([name]) => name);
    expect(names.length > 0 || expression.includes('up{')).toBe(true);
    expect(names.filter(name => !new RegExp(`^${name}[ {]`, 'm').test(series))).toEqual([]);
  });

  test('and by labels that they have', () => {
    const grouped = [...expression.matchAll(/by \((\w+)\)/g)].map(([, label = '']) => label);
    const chosen = [...expression.matchAll(/\{(\w+)!?="(\w+)"\}/g)].map(([, label = '', value = '']) => [label, value]);
    for (const label of grouped) expect(series).toContain(`${label}="`);
    for (const [label, value] of chosen.filter(([each]) => each !== 'job'))
      expect(series).toContain(`${label}="${value}"`);
  });

  test('and closes what it opens', () => {
    expect(expression.split('(')).toHaveLength(expression.split(')').length);
    expect(expression.split('{')).toHaveLength(expression.split('}').length);
  });
});

test('every alert says how bad it is, what it means and what to do', () => {
  for (const { alert, labels, annotations, for: time } of rules) {
    expect(alert).toMatch(/^KairosOperator\w+$/);
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(annotations).toEqual({ summary: expect.stringMatching(/\.$/), description: expect.stringMatching(/\.$/) });
    expect(time).toMatch(/^\d+[mh]$/);
  }
});

test('panels are told apart', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

test('it is the Service of the webhook that is asked', () => {
  const monitor = parse(textOf('service-monitor.yaml')) as { spec: { endpoints: { port: string; path: string }[] } };
  expect(monitor.spec.endpoints).toMatchObject([{ port: 'webhook', path: '/metrics', scheme: 'https' }]);
});
