/** A field that is added to the schemas alone is defaulted, checked, copied from an upgrade to its NodeOp, and fixed or changeable after start. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { openApi } from '../../api/crd.js';
import { NodeOpSpec } from '../../api/nodeop.js';
import { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import { operationFields } from '../../api/operation-fields.js';
import { changeable, isChangeable, sharedFields } from '../../api/spec-fields.js';
import { changeableValues, nodeOpSpec } from '../../controller/upgrade/nodeop.js';
import { missingDefaults } from '../../webhook/defaults.js';
import { immutableFieldFaults } from '../../webhook/immutable-fields.js';
import { sourceFiles } from '../imports.js';

const CHANGEABLE = ['concurrency', 'paused', 'settleSeconds', 'stopOnFailure', 'ttlSecondsAfterFinished'];

const SPECS = [
  ['NodeOp', NodeOpSpec],
  ['NodeOpUpgrade', NodeOpUpgradeSpec],
] as const;

describe('fields that may change after the start of an operation', () => {
  test.each(SPECS)('of a %s are those that its schema marks', (_kind, spec) => {
    const marked = Object.keys(spec.shape).filter(field => isChangeable(spec, field));
    expect(marked.toSorted()).toEqual(CHANGEABLE);
  });

  test.each(['docs/admission.md', 'docs/operations.md'])('are all named in %s', page => {
    const text = readFileSync(page, 'utf8');
    expect(CHANGEABLE.filter(field => !new RegExp(`\`${field}\\b`).test(text))).toEqual([]);
  });

  test.each(['constructor', '__proto__', 'toString', 'unknown'])('do not include %s, which is no field', name =>
    expect(isChangeable(NodeOpSpec, name)).toBe(false),
  );

  test('are marked outside the metadata that is printed into the CRDs', () =>
    expect(JSON.stringify(openApi(NodeOpSpec))).not.toContain('changeable'));
});

describe('fields that a NodeOp and a NodeOpUpgrade share', () => {
  const text = readFileSync('controller/upgrade/nodeop.ts', 'utf8');

  test('include every common field', () =>
    expect(sharedFields(NodeOpUpgradeSpec, NodeOpSpec)).toEqual(expect.arrayContaining(Object.keys(operationFields))));

  test('are copied without being named, if they are common fields', () => {
    const named = Object.keys(operationFields).filter(field => new RegExp(`\\b${field}\\b`).test(text));
    expect(named).toEqual([]);
  });

  test('are listed by name in no source file outside api/', () => {
    const fields = sharedFields(NodeOpUpgradeSpec, NodeOpSpec);
    const named = (source: string) =>
      fields.filter(field => new RegExp(`'${field}'|\\b${field}: \\w+\\.${field}\\b`).test(source));
    const lists = ['controller', 'webhook', 'agent', 'kube', 'program']
      .flatMap(sourceFiles)
      .map(file => [file, named(readFileSync(file, 'utf8'))] as const)
      .filter(([, names]) => names.length > 2);
    expect(lists).toEqual([]);
  });
});

describe('a field that only the schemas know', () => {
  const added = {
    greeting: z.string().default('hello').describe('Fixed after start.'),
    pace: changeable(z.object({ nodes: z.int32() }).optional().describe('Changeable after start.')),
  };
  const upgrade = z.object({ ...NodeOpUpgradeSpec.shape, ...added });
  const nodeOp = z.object({ ...NodeOpSpec.shape, ...added });
  const schemas = { upgrade, nodeOp };
  const spec = upgrade.parse({ image: 'kairos:v2', pace: { nodes: 2 } });

  test('gets its default from the webhook', () =>
    expect(missingDefaults(nodeOp, { command: ['true'] }, ['spec'])).toContainEqual({
      op: 'add',
      path: '/spec/greeting',
      value: 'hello',
    }));

  test('is copied from the upgrade to its NodeOp', () =>
    expect(nodeOpSpec(spec, {}, schemas)).toMatchObject({ greeting: 'hello', pace: { nodes: 2 } }));

  test('is refused after start unless it is marked as changeable', () => {
    const after = { ...spec, greeting: 'bye', pace: { nodes: 3 } };
    expect(immutableFieldFaults(nodeOp, spec, after).map(({ path }) => path)).toEqual([['spec', 'greeting']]);
  });

  test('is carried to a running NodeOp if it is marked as changeable', () => {
    const values = changeableValues(spec, schemas);
    expect(values).toHaveProperty('pace', { nodes: 2 });
    expect(values).not.toHaveProperty('greeting');
  });
});
