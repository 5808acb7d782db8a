import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { mutate } from '../../webhook/admit.js';
import { missingDefaults, pointer } from '../../webhook/defaults.js';
import { patchIn, type PatchOperation, request } from './reviews.js';

type Json = Record<string, unknown>;

/** Applies the add operations of a patch, as the API server would. */
function patched(spec: Json, operations: readonly PatchOperation[]): Json {
  const object: Json = { spec: structuredClone(spec) };
  for (const { path, value } of operations) {
    const keys = path.split('/').slice(1);
    const last = keys.pop() ?? '';
    let target: Json = object;
    for (const key of keys) target = target[key] as Json;
    target[last] = value;
  }
  return object.spec as Json;
}

const CASES: [string, 'NodeOp' | 'NodeOpUpgrade', Json][] = [
  ['a bare NodeOp', 'NodeOp', { command: ['true'] }],
  [
    'a NodeOp with drain options and preflight',
    'NodeOp',
    { command: ['true'], cordon: true, drainOptions: { enabled: true }, preflight: { command: ['a'] } },
  ],
  ['a NodeOp with explicit defaults', 'NodeOp', { command: ['true'], concurrency: 0, cordon: false, paused: false }],
  ['a bare NodeOpUpgrade', 'NodeOpUpgrade', { image: 'a' }],
  ['a NodeOpUpgrade with drain options', 'NodeOpUpgrade', { image: 'a', drainOptions: {} }],
];

describe('defaults', () => {
  test.each(CASES)('only add fields to %s', (_title, kind, spec) => {
    const operations = patchIn(mutate(request({ kind, spec })));
    expect(new Set(operations.map(({ op }) => op))).toEqual(new Set(['add']));
    expect(patched(spec, operations)).toMatchObject(spec);
  });

  test.each(CASES)('are complete after one patch for %s', (_title, kind, spec) => {
    const once = patched(spec, patchIn(mutate(request({ kind, spec }))));
    expect(mutate(request({ kind, spec: once })).response.patch).toBeUndefined();
  });

  test('have the documented values', () =>
    expect(
      patched(
        { command: ['true'], drainOptions: {} },
        patchIn(mutate(request({ spec: { command: ['true'], drainOptions: {} } }))),
      ),
    ).toMatchObject({
      concurrency: 0,
      cordon: false,
      rebootOnSuccess: false,
      hostMountPath: '/host',
      backoffLimit: 3,
      drainOptions: {
        enabled: false,
        force: false,
        ignoreDaemonSets: true,
        deleteEmptyDirData: false,
        onTimeout: 'Fail',
      },
    }));

  test('do not create optional objects', () =>
    expect(patchIn(mutate(request())).map(({ path }) => path)).not.toContain('/spec/drainOptions'));

  test('are sent as a JSON patch in base64', () => {
    const { response } = mutate(request());
    expect(response).toMatchObject({ allowed: true, patchType: 'JSONPatch' });
    expect(patchIn({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response })).toContainEqual({
      op: 'add',
      path: '/spec/concurrency',
      value: 0,
    });
  });

  test('are not added on updates that do not change the spec', () => {
    const spec = { command: ['true'] };
    expect(
      mutate(request({ spec, before: { spec }, metadata: { labels: { a: 'b' } } })).response.patch,
    ).toBeUndefined();
  });

  test('are added to objects inside lists', () => {
    const schema = z.object({ list: z.array(z.object({ a: z.string(), b: z.number().default(1) })) });
    expect(missingDefaults(schema, { list: [{ a: 'x', b: 2 }, { a: 'y' }] }, ['spec'])).toEqual([
      { op: 'add', path: '/spec/list/1/b', value: 1 },
    ]);
  });

  test('have slashes and tildes in their paths escaped', () =>
    expect(pointer(['spec', 'a/b', 'c~d', 0])).toBe('/spec/a~1b/c~0d/0'));
});
