import { describe, expect, test } from '@jest/globals';
import { backoffMs } from '../../kube/backoff.js';
import { isRefusal, KubeError } from '../../kube/errors.js';
import { keyOf, parseKey } from '../../kube/object-key.js';
import { splitLines } from '../../kube/line-stream.js';
import { applyMergePatch, mergeDiff, isSameJson } from '../../kube/merge-patch.js';
import { controllerOf, isControlledBy, controllerReference, ownerNameOf } from '../../kube/owner.js';
import { collectionPath, objectPath, query } from '../../kube/url-path.js';
import { isLater } from '../../kube/resource-version.js';
import { JOBS, NODES, PODS } from '../../kube/resources.js';
import { type LabelSelector, matches, selectorText } from '../../kube/selector.js';
import { errorFromResponse } from '../../kube/error-response.js';
import { THINGS, thing } from './samples.js';

describe('object keys', () => {
  test.each([
    [{ namespace: 'ns', name: 'a' }, 'ns/a'],
    [{ name: 'a' }, 'a'],
  ])('%j has the key %s, and parses back', (at, key) => {
    expect(keyOf(at)).toBe(key);
    expect(parseKey(key)).toEqual(at);
  });
});

describe('resource versions', () => {
  test.each([
    ['2', '1', true],
    ['1', '2', false],
    ['1', '1', false],
    ['1000', '999', true],
    ['999', '1000', false],
    ['90071992547409931234', '90071992547409931233', true],
    ['abc', 'abd', true],
    ['abc', 'abc', false],
  ])('%s is later than %s: %s', (a, b, later) => expect(isLater(a, b)).toBe(later));
});

describe('backoff', () => {
  const limits = { firstMs: 100, longestMs: 5_000 };
  test.each([
    [0, 100],
    [1, 100],
    [2, 200],
    [6, 3_200],
    [7, 5_000],
    [5_000, 5_000],
  ])('after %i failures lies between half of %i ms and all of it', (failures, most) => {
    expect(backoffMs(failures, limits, () => 1)).toBe(most);
    expect(backoffMs(failures, limits, () => 0)).toBe(most / 2);
  });
});

describe('URL paths', () => {
  test.each([
    [collectionPath(NODES), '/api/v1/nodes'],
    [collectionPath(PODS), '/api/v1/pods'],
    [collectionPath(PODS, 'a b'), '/api/v1/namespaces/a%20b/pods'],
    [collectionPath(JOBS, 'ns'), '/apis/batch/v1/namespaces/ns/jobs'],
    [objectPath(NODES, { name: 'n', namespace: 'ignored' }, 'status'), '/api/v1/nodes/n/status'],
    [objectPath(THINGS, { name: 't', namespace: 'ns' }), '/apis/example.org/v1/namespaces/ns/things/t'],
    [query({}), ''],
    [query({ a: undefined, b: '', c: 0, d: true, e: 'x=y,z' }), '?c=0&d=true&e=x%3Dy%2Cz'],
  ])('%s', (path, expected) => expect(path).toBe(expected));

  test('cannot be built for a namespaced object without a namespace', () =>
    expect(() => objectPath(PODS, { name: 'p' })).toThrow('namespace'));
});

describe('merge patches', () => {
  const cases: [string, object, object, unknown][] = [
    ['no difference', { a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }, undefined],
    ['a changed field', { a: 1, b: 2 }, { a: 1, b: 3 }, { b: 3 }],
    ['a removed field', { a: 1, b: 2 }, { a: 1 }, { b: null }],
    ['a field that becomes undefined', { a: 1, b: 2 }, { a: 1, b: undefined }, { b: null }],
    ['an added field', { a: 1 }, { a: 1, b: { c: 1 } }, { b: { c: 1 } }],
    ['a nested field', { a: { b: { c: 1, d: 2 } } }, { a: { b: { c: 1, d: 3 } } }, { a: { b: { d: 3 } } }],
    ['a changed list is replaced as a whole', { a: [1, 2] }, { a: [1, 3] }, { a: [1, 3] }],
    ['an object in place of a string', { a: 'x' }, { a: { b: 1 } }, { a: { b: 1 } }],
    ['a string in place of an object', { a: { b: 1 } }, { a: 'x' }, { a: 'x' }],
    ['an object that becomes empty', { a: { b: 1 } }, { a: {} }, { a: { b: null } }],
  ];
  test.each(cases)('%s', (_title, from, to, patch) => {
    expect(mergeDiff(from, to)).toEqual(patch);
    expect(isSameJson(applyMergePatch(from, patch ?? {}), to)).toBe(true);
  });
});

describe('owners', () => {
  const owner = thing('a');
  const child = { metadata: { ...thing('child').metadata, ownerReferences: [controllerReference(THINGS, owner)] } };
  test('are referenced by their children as controller', () => {
    expect(controllerReference(THINGS, owner)).toEqual({
      apiVersion: 'example.org/v1',
      kind: 'Thing',
      name: 'a',
      uid: 'uid-of-a',
      controller: true,
      blockOwnerDeletion: true,
    });
    expect(controllerReference(NODES, owner).apiVersion).toBe('v1');
  });

  test('are recognised by uid, not by name', () => {
    expect(controllerOf(child)?.name).toBe('a');
    expect(isControlledBy(child, owner)).toBe(true);
    expect(isControlledBy(child, thing('a', { uid: 'another' }))).toBe(false);
    expect(isControlledBy(owner, owner)).toBe(false);
    expect(isControlledBy(child, thing('a', { ...owner.metadata, namespace: 'another' }))).toBe(false);
  });

  test.each([
    ['its own type', THINGS, { namespace: 'default', name: 'a' }],
    ['a later version of it', { ...THINGS, version: 'v2' }, { namespace: 'default', name: 'a' }],
    ['a cluster-scoped owner', { ...THINGS, namespaced: false }, { name: 'a' }],
    ['the same kind of another group', { ...THINGS, group: 'other.org' }, undefined],
    ['another kind', JOBS, undefined],
  ])('are looked up by kind and group of the reference: %s', (_title, resource, expected) =>
    expect(ownerNameOf(resource, child)).toEqual(expected),
  );
});

describe('label selectors', () => {
  const labels = { app: 'x', tier: 'front' };
  test.each<[LabelSelector, boolean, string]>([
    [{}, true, ''],
    [{ matchLabels: { app: 'x' } }, true, 'app=x'],
    [{ matchLabels: { app: 'x', tier: 'back' } }, false, 'app=x,tier=back'],
    [{ matchLabels: { toString: 'x' } }, false, 'toString=x'],
    [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['x', 'y'] }] }, true, 'app in (x,y)'],
    [{ matchExpressions: [{ key: 'none', operator: 'In', values: ['x', 'y'] }] }, false, 'none in (x,y)'],
    [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['x'] }] }, false, 'app notin (x)'],
    [{ matchExpressions: [{ key: 'none', operator: 'NotIn', values: ['x'] }] }, true, 'none notin (x)'],
    [{ matchExpressions: [{ key: 'app', operator: 'Exists' }] }, true, 'app'],
    [{ matchExpressions: [{ key: 'none', operator: 'Exists' }] }, false, 'none'],
    [{ matchExpressions: [{ key: 'none', operator: 'DoesNotExist' }] }, true, '!none'],
    [
      { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] },
      false,
      'app=x,!tier',
    ],
  ])('%j: %s, %s', (selector, picks, text) => {
    expect(matches(selector, labels)).toBe(picks);
    expect(selectorText(selector)).toBe(text);
  });
});

describe('error responses', () => {
  test.each<[number, boolean]>([
    [400, true],
    [403, true],
    [422, true],
    [500, true],
    [404, false],
    [409, false],
    [429, false],
    [503, false],
  ])('with code %i count as a rejection: %s', (code, expected) => {
    expect(isRefusal(new KubeError(code, 'no'))).toBe(expected);
  });

  test('with a Status body carry reason, causes and retry delay', () => {
    const text = JSON.stringify({
      reason: 'TooManyRequests',
      message: 'budget',
      details: { causes: [{ reason: 'DisruptionBudget', message: 'needs 2' }], retryAfterSeconds: 10 },
    });
    expect(errorFromResponse({ code: 429, text }, 'evict')).toMatchObject({
      code: 429,
      message: 'evict: 429 budget',
      reason: 'TooManyRequests',
      causes: [{ reason: 'DisruptionBudget', message: 'needs 2' }],
      retryAfterSeconds: 10,
    });
    expect(errorFromResponse({ code: 429, text, retryAfter: '3' }, 'evict').retryAfterSeconds).toBe(3);
  });

  test('have no more of the words of an admission webhook than fits into the status of many nodes', () => {
    const text = JSON.stringify({ message: 'x'.repeat(100_000) });
    const { message } = errorFromResponse({ code: 403, text }, 'evict');
    expect(message).toMatch(/^evict: 403 x{950,} … \(99\d{3} more bytes\)$/);
    expect(Buffer.byteLength(message)).toBeLessThan(1_100);
  });

  test.each([
    ['<html>bad gateway</html>', 'get: 502 <html>bad gateway</html>'],
    ['', 'get: 502 no reason given'],
    ['null', 'get: 502 null'],
    ['{"message":{"detail":"down"}}', 'get: 502 {"message":{"detail":"down"}}'],
  ])('of a proxy with the body %j are quoted in the message', (text, message) =>
    expect(errorFromResponse({ code: 502, text }, 'get').message).toBe(message),
  );
});

test('a stream is split into whole lines wherever its chunks are cut, and an unterminated line is dropped', async () => {
  const pieces = async function* () {
    yield* ['{"a"', ':1}\n{"b":2}', '\n\n', '{"c"'];
  };
  const lines: string[] = [];
  for await (const line of splitLines(pieces())) lines.push(line);
  expect(lines).toEqual(['{"a":1}', '{"b":2}']);
});
