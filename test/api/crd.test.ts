import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { crdManifest, KIND_DEFINITIONS } from '../../api/crd.js';
import { crdFiles } from '../../manifests/generate.js';

type Schema = Record<string, unknown>;

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const recordOf = (value: unknown): Schema => (isSchema(value) ? value : {});

/** Every schema in the tree with its path. */
function walk(schema: Schema, path: string): [string, Schema][] {
  const children: [string, unknown][] = [
    ...Object.entries(recordOf(schema.properties)).map(([name, child]): [string, unknown] => [
      `${path}.${name}`,
      child,
    ]),
    [`${path}[]`, schema.items],
    [`${path}{}`, schema.additionalProperties],
  ];
  return [[path, schema], ...children.flatMap(([at, child]) => (isSchema(child) ? walk(child, at) : []))];
}

const rootOf = (definition: (typeof KIND_DEFINITIONS)[number]): Schema => {
  const [version] = Object.values(recordOf(recordOf(crdManifest(definition)).spec)).find(Array.isArray) ?? [];
  return recordOf(recordOf(recordOf(version).schema).openAPIV3Schema);
};

const kinds = KIND_DEFINITIONS.map(definition => ({ kind: definition.kind.kind, nodes: walk(rootOf(definition), '') }));
const at = (kind: string, path: string): Schema | undefined =>
  kinds.find(each => each.kind === kind)?.nodes.find(([own]) => own === path)?.[1];
const paths = (nodes: [string, Schema][], test_: (schema: Schema, path: string) => boolean) =>
  nodes.filter(([path, schema]) => test_(schema, path)).map(([path]) => path);

describe.each(kinds)('The schema of $kind', ({ nodes }) => {
  test('has a type everywhere, or accepts integers and strings', () => {
    expect(paths(nodes, s => s.type === undefined && s['x-kubernetes-int-or-string'] !== true)).toEqual([]);
  });

  test('never combines properties with additionalProperties', () => {
    expect(paths(nodes, s => s.properties !== undefined && s.additionalProperties !== undefined)).toEqual([]);
    expect(paths(nodes, s => s.additionalProperties === false)).toEqual([]);
  });

  test('has no anyOf where integers and strings are accepted', () => {
    expect(paths(nodes, s => s['x-kubernetes-int-or-string'] === true && s.anyOf !== undefined)).toEqual([]);
  });

  test('has no keyword that structural schemas forbid', () => {
    const forbidden = ['$ref', '$schema', 'definitions', 'const', 'id', 'patternProperties', 'exclusiveMinimum'];
    const found = nodes.flatMap(([path, schema]) =>
      forbidden
        .filter(keyword => typeof schema[keyword] === 'string' || isSchema(schema[keyword]))
        .map(keyword => `${path} ${keyword}`),
    );
    expect(found).toEqual([]);
  });

  test('describes every field', () => {
    const named = /^$|\.metadata$|\[\]$|\{\}$/;
    expect(paths(nodes, (s, path) => !named.test(path) && (s.description ?? '') === '')).toEqual([]);
  });

  test('requires only existing fields', () => {
    const missing = nodes.flatMap(([path, { required, properties }]) =>
      (Array.isArray(required) ? required : [])
        .filter(name => recordOf(properties)[String(name)] === undefined)
        .map(String)
        .map(name => `${path}.${name}`),
    );
    expect(missing).toEqual([]);
  });

  test('requires no field that has a default', () => {
    const both = nodes.flatMap(([path, { required, properties }]) =>
      (Array.isArray(required) ? required : [])
        .map(String)
        .filter(name => recordOf(recordOf(properties)[name]).default !== undefined)
        .map(name => `${path}.${name}`),
    );
    expect(both).toEqual([]);
  });

  test('gives every integer a format', () => {
    expect(paths(nodes, s => s.type === 'integer' && s.format === undefined)).toEqual([]);
  });
});

describe('The compatibility with the Go operator', () => {
  test.each([
    ['NodeOp', '.spec.concurrency', { 'x-kubernetes-int-or-string': true, default: 0 }],
    ['NodeOp', '.spec.hostMountPath', { default: '/host' }],
    ['NodeOp', '.spec.backoffLimit', { type: 'integer', format: 'int32', default: 3 }],
    ['NodeOp', '.spec.drainOptions.timeoutSeconds', { default: 300 }],
    ['NodeOp', '.spec.drainOptions.ignoreDaemonSets', { default: true }],
    ['NodeOp', '.status.nodeStatuses', { 'x-kubernetes-map-type': 'atomic' }],
    ['NodeOp', '.status.conditions', { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }],
    ['NodeOpUpgrade', '.spec.activeDeadlineSeconds', { default: 3600 }],
    ['NodeOpUpgrade', '.status.phase', { enum: ['Initializing', 'Pending', 'Running', 'Completed', 'Failed'] }],
  ])('keeps the default and the type of %s %s', (kind, path, expected) =>
    expect(at(kind, path)).toMatchObject(expected),
  );

  test.each([
    ['NodeOp', ['command']],
    ['NodeOpUpgrade', ['image']],
  ])('requires in a %s only %j', (kind, required) => expect(at(kind, '.spec')?.required).toEqual(required));
});

describe('The committed manifests', () => {
  test.each(crdFiles())('include $path as generated from the schemas', ({ path, text }) => {
    expect(parse(readFileSync(path, 'utf8'))).toEqual(parse(text));
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
