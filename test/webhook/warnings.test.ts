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
      'for a misspelt field',
      { ...ok, concurency: 1 },
      ['spec.concurency: unknown field, it has no effect; did you mean "concurrency"?'],
    ],
    [
      'for a misspelt field inside',
      { ...ok, drainOptions: { timeoutSecond: 5 } },
      ['spec.drainOptions.timeoutSecond: unknown field, it has no effect; did you mean "timeoutSeconds"?'],
    ],
    [
      'for a field in a list',
      { ...ok, imagePullSecrets: [{ name: 'a', nmae: 'b' }] },
      ['spec.imagePullSecrets[0].nmae: unknown field, it has no effect; did you mean "name"?'],
    ],
    ['for a field like no other', { ...ok, gardening: true }, ['spec.gardening: unknown field, it has no effect']],
    [
      'for a drain that will not be',
      { ...ok, drainOptions: { enabled: true } },
      ['spec.drainOptions.enabled: has no effect without spec.cordon, nothing will be drained'],
    ],
    [
      'for all workers cordoned at once',
      { command: ['a'], cordon: true },
      [
        'spec.concurrency: 0 means that all matching workers are cordoned at the same time; set a number or a percentage',
      ],
    ],
    [
      'for all workers rebooting at once',
      { command: ['a'], concurrency: 0, rebootOnSuccess: true },
      [
        'spec.rebootOnSuccess: pods are not moved away before the reboot; cordon and drainOptions.enabled would',
        'spec.concurrency: 0 means that all matching workers reboot at the same time; set a number or a percentage',
      ],
    ],
    [
      'for an uncordon of what is not cordoned',
      { ...ok, uncordonOnFailure: true },
      ['spec.uncordonOnFailure: has no effect without spec.cordon'],
    ],
    [
      'for a stop that comes too late',
      { command: ['a'], stopOnFailure: true },
      ['spec.stopOnFailure: has little effect while spec.concurrency is 0: all matching workers start at once'],
    ],
    [
      'for a drain without an end',
      { ...ok, cordon: true, drainOptions: { enabled: true, timeoutSeconds: 0 } },
      ['spec.drainOptions.timeoutSeconds: 0 has no end; a budget that allows nothing holds the node for ever'],
    ],
    [
      'for a drain that ends by force, too soon',
      {
        ...ok,
        cordon: true,
        drainOptions: { enabled: true, timeoutSeconds: 10, gracePeriodSeconds: 30, onTimeout: 'Delete' },
      },
      [
        'spec.drainOptions.onTimeout: Delete takes pods past their disruption budgets',
        'spec.drainOptions.gracePeriodSeconds: longer than timeoutSeconds; the drain is over before the pods are',
      ],
    ],
  ])('is given %s', (_sentence, spec, expected) => expect(warnings(spec)).toEqual(expected));

  test.each<[string, unknown]>([
    ['labels of any name', { ...ok, nodeSelector: { matchLabels: { anything: 'goes' } } }],
    ['a drain with cordon', { ...ok, cordon: true, drainOptions: { enabled: true } }],
    ['all at once where no node is disturbed', { command: ['a'] }],
    ['a percentage', { command: ['a'], cordon: true, concurrency: '10%' }],
  ])('is not given for %s', (_sentence, spec) => expect(warnings(spec)).toEqual([]));

  test('is given for an upgrade of all workers at once', () =>
    expect(warnings({ image: 'a' }, 'NodeOpUpgrade')).toEqual([
      'spec.concurrency: 0 means that all matching workers are drained and reboot at the same time; set a number or a percentage',
    ]));

  test('is given for an upgrade without guards', () =>
    expect(warnings({ image: 'a', concurrency: 1, force: true, allow: ['FallenBack'] }, 'NodeOpUpgrade')).toEqual([
      'spec.force: every target runs the upgrade, versions are not compared and no guard holds',
      'spec.allow: has no effect beside spec.force',
    ]));

  test('is given for a name that labels cannot carry', () => {
    const metadata = { name: 'n'.repeat(64) };
    expect(validate(request({ spec: ok, metadata })).response.warnings).toEqual([
      'metadata.name: longer than 63 characters; the labels of its Jobs and Pods carry it shortened',
    ]);
    expect(
      validate(request({ spec: ok, before: { spec: { command: ['a'] } }, metadata })).response.warnings,
    ).toBeUndefined();
  });

  test('is given for what kubectl apply sent and the API server has dropped since', () => {
    const annotation = JSON.stringify({ spec: { ...ok, cordn: true } });
    const metadata = { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': annotation } };
    expect(validate(request({ spec: ok, metadata })).response.warnings).toEqual([
      'spec.cordn: unknown field, it has no effect; did you mean "cordon"?',
    ]);
  });

  test('is not read out of a broken annotation', () => {
    const metadata = { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{' } };
    expect(validate(request({ spec: ok, metadata })).response.warnings).toBeUndefined();
  });

  test('is given once, by the validating call', () =>
    expect(mutate(request({ spec: { ...ok, cordn: true } })).response.warnings).toBeUndefined());

  test('is never longer than the API server wants', () => {
    const spec = { ...ok, ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${'z'.repeat(300)}${i}`, 1])) };
    expect(warnings(spec)).toHaveLength(12);
    for (const warning of warnings(spec)) expect(warning.length).toBeLessThanOrEqual(256);
  });

  test('is given for the first twelve unknown fields, and nothing after them is looked at', () => {
    const secret = (n: number) => ({
      get nmae() {
        if (n >= 13) throw new Error(`number ${n} was looked at`);
        return n;
      },
    });
    const imagePullSecrets = Array.from({ length: 30_000 }, (_, n) => secret(n));
    const found = unknownFields(NodeOpSpec, { imagePullSecrets }, ['spec'], 12);
    expect(found).toHaveLength(12);
    expect(found[11]).toContain('spec.imagePullSecrets[11].nmae: unknown field');
  });

  test('of what the operation would do is not pushed out by misspelt fields', () => {
    const misspelt = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`field${i}`, 1]));
    const given = warnings({ ...ok, ...misspelt, drainOptions: { enabled: true } });
    expect(given).toHaveLength(12);
    expect(given.at(-1)).toContain('spec.drainOptions.enabled: has no effect without spec.cordon');
  });
});
