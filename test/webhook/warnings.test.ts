import { describe, expect, test } from '@jest/globals';
import { NodeOpSpec } from '../../api/nodeop.js';
import { mutate, validate } from '../../webhook/admit.js';
import { unknownFields } from '../../webhook/unknown-fields.js';
import { request } from './reviews.js';

const ok = { command: ['true'], concurrency: 1 };
const warnings = (spec: unknown, kind: 'NodeOp' | 'NodeOpUpgrade' = 'NodeOp') =>
  validate(request({ kind, spec })).response.warnings ?? [];

describe('a warning', () => {
  test.each<[string, unknown, string[]]>([
    [
      'for a misspelled field',
      { ...ok, concurency: 1 },
      ['spec.concurency: unknown field, will be ignored; did you mean "concurrency"?'],
    ],
    [
      'for a misspelled nested field',
      { ...ok, drainOptions: { timeoutSecond: 5 } },
      ['spec.drainOptions.timeoutSecond: unknown field, will be ignored; did you mean "timeoutSeconds"?'],
    ],
    [
      'for a misspelled field in a list',
      { ...ok, imagePullSecrets: [{ name: 'a', nmae: 'b' }] },
      ['spec.imagePullSecrets[0].nmae: unknown field, will be ignored; did you mean "name"?'],
    ],
    [
      'for an unknown field without a similar one',
      { ...ok, gardening: true },
      ['spec.gardening: unknown field, will be ignored'],
    ],
    [
      'for a drain without cordon',
      { ...ok, drainOptions: { enabled: true } },
      ['spec.drainOptions.enabled: has no effect unless spec.cordon is true; no node will be drained'],
    ],
    [
      'for cordoning all workers at the same time',
      { command: ['a'], cordon: true },
      [
        'spec.concurrency: 0 means that all matching workers are cordoned at the same time; set a number or a percentage',
      ],
    ],
    [
      'for rebooting all workers at the same time',
      { command: ['a'], concurrency: 0, rebootOnSuccess: true },
      [
        'spec.rebootOnSuccess: pods are not evicted before the reboot; set spec.cordon and spec.drainOptions.enabled to drain the nodes first',
        'spec.concurrency: 0 means that all matching workers reboot at the same time; set a number or a percentage',
      ],
    ],
    [
      'for an uncordon without cordon',
      { ...ok, uncordonOnFailure: true },
      ['spec.uncordonOnFailure: has no effect unless spec.cordon is true'],
    ],
    [
      'for stopOnFailure without a concurrency limit',
      { command: ['a'], stopOnFailure: true },
      [
        'spec.stopOnFailure: has little effect while spec.concurrency is 0, because all matching workers start at the same time',
      ],
    ],
    [
      'for a drain without a timeout',
      { ...ok, cordon: true, drainOptions: { enabled: true, timeoutSeconds: 0 } },
      [
        'spec.drainOptions.timeoutSeconds: 0 means no timeout; a PodDisruptionBudget that allows no disruption blocks the node indefinitely',
      ],
    ],
    [
      'for a drain that deletes pods before their grace period ends',
      {
        ...ok,
        cordon: true,
        drainOptions: { enabled: true, timeoutSeconds: 10, gracePeriodSeconds: 30, onTimeout: 'Delete' },
      },
      [
        'spec.drainOptions.onTimeout: Delete removes pods without regard to their PodDisruptionBudgets',
        'spec.drainOptions.gracePeriodSeconds: is longer than timeoutSeconds, so the drain times out before the pods have terminated',
      ],
    ],
  ])('is given %s', (_title, spec, expected) => expect(warnings(spec)).toEqual(expected));

  test.each<[string, unknown]>([
    ['labels of any name', { ...ok, nodeSelector: { matchLabels: { anything: 'goes' } } }],
    ['a drain with cordon', { ...ok, cordon: true, drainOptions: { enabled: true } }],
    ['an unlimited concurrency without disruption', { command: ['a'] }],
    ['a percentage', { command: ['a'], cordon: true, concurrency: '10%' }],
  ])('is not given for %s', (_title, spec) => expect(warnings(spec)).toEqual([]));

  test('is given for an upgrade of all workers at the same time', () =>
    expect(warnings({ image: 'a' }, 'NodeOpUpgrade')).toEqual([
      'spec.concurrency: 0 means that all matching workers are drained and rebooted at the same time; set a number or a percentage',
    ]));

  test('is given for an upgrade without guards', () =>
    expect(warnings({ image: 'a', concurrency: 1, force: true, allow: ['FallenBack'] }, 'NodeOpUpgrade')).toEqual([
      'spec.force: every matching node runs the upgrade; versions are not compared and no guard applies',
      'spec.allow: has no effect while spec.force is true',
    ]));

  test('is given for a name that is too long for labels', () => {
    const metadata = { name: 'n'.repeat(64) };
    expect(validate(request({ spec: ok, metadata })).response.warnings).toEqual([
      'metadata.name: is longer than 63 characters; the labels of its Jobs and Pods contain a truncated name',
    ]);
    expect(
      validate(request({ spec: ok, before: { spec: { command: ['a'] } }, metadata })).response.warnings,
    ).toBeUndefined();
  });

  test('is given for a new object with the mark of one that was started', () => {
    const metadata = { annotations: { 'operator.kairos.io/started': 'uid-of-another' } };
    expect(validate(request({ spec: ok, metadata })).response.warnings).toEqual([
      'metadata.annotations: "operator.kairos.io/started" marks an object that was started before, so this one will not run; remove the annotation to run it',
    ]);
    expect(
      validate(request({ spec: ok, before: { spec: { command: ['a'] } }, metadata })).response.warnings,
    ).toBeUndefined();
  });

  test('is given for a field in the last-applied annotation that the API server dropped', () => {
    const annotation = JSON.stringify({ spec: { ...ok, cordn: true } });
    const metadata = { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': annotation } };
    expect(validate(request({ spec: ok, metadata })).response.warnings).toEqual([
      'spec.cordn: unknown field, will be ignored; did you mean "cordon"?',
    ]);
  });

  test('is not derived from an invalid annotation', () => {
    const metadata = { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{' } };
    expect(validate(request({ spec: ok, metadata })).response.warnings).toBeUndefined();
  });

  test('is given by the validating webhook only', () =>
    expect(mutate(request({ spec: { ...ok, cordn: true } })).response.warnings).toBeUndefined());

  test('is limited to the length and number that the API server accepts', () => {
    const spec = { ...ok, ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${'z'.repeat(300)}${i}`, 1])) };
    expect(warnings(spec)).toHaveLength(12);
    for (const warning of warnings(spec)) expect(warning.length).toBeLessThanOrEqual(256);
  });

  test('is given for the first twelve unknown fields, and later fields are not read', () => {
    const secret = (n: number) => ({
      get nmae() {
        if (n >= 13) throw new Error(`field ${n} was read`);
        return n;
      },
    });
    const imagePullSecrets = Array.from({ length: 30_000 }, (_, n) => secret(n));
    const found = unknownFields(NodeOpSpec, { imagePullSecrets }, ['spec'], 12);
    expect(found).toHaveLength(12);
    expect(found[11]).toContain('spec.imagePullSecrets[11].nmae: unknown field');
  });

  test('about the operation is not displaced by many misspelled fields', () => {
    const misspelled = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`field${i}`, 1]));
    const given = warnings({ ...ok, ...misspelled, drainOptions: { enabled: true } });
    expect(given).toHaveLength(12);
    expect(given.at(-1)).toContain('spec.drainOptions.enabled: has no effect unless spec.cordon is true');
  });
});
