import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Kube, Stored } from '../../kube/kube.js';
import { applyPatch, mergeChange, mergeStatus, withResourceVersion } from '../../kube/patch.js';
import { NODES } from '../../kube/resources.js';
import { THINGS, type Thing, thing } from './samples.js';

let sent: unknown[][];
const kube: Pick<Kube, 'patch'> = {
  patch: async <T extends Stored>(...[resource, at, body, options]: Parameters<Kube['patch']>) => {
    sent.push([resource.plural, at, body, options]);
    return thing('response') as Stored as T;
  },
};
beforeEach(() => {
  sent = [];
});
const at = { namespace: 'default', name: 'a' };
const stored: Thing = {
  ...thing('a', { resourceVersion: '7', spec: { size: 1 } }),
  status: { phase: 'Old', count: 1 },
};

describe('a status patch', () => {
  test('contains only what changed', async () => {
    await mergeStatus(kube, THINGS, stored, { status: { phase: 'New', count: 1 }, onlyIfUnchanged: false });
    expect(sent).toEqual([
      [
        'things',
        at,
        { status: { phase: 'New' }, metadata: { uid: 'uid-of-a' } },
        { type: 'merge', subresource: 'status' },
      ],
    ]);
  });

  test('is conditional on the resource version by default', async () => {
    await mergeStatus(kube, THINGS, stored, { status: { count: 1 } });
    expect(sent[0]?.[2]).toEqual({
      status: { phase: null },
      metadata: { uid: 'uid-of-a', resourceVersion: '7' },
    });
  });

  test('is not sent when nothing changed', async () => {
    expect(await mergeStatus(kube, THINGS, stored, { status: { count: 1, phase: 'Old' } })).toBe(stored);
    expect(sent).toEqual([]);
  });
});

describe('an object patch', () => {
  test('keeps its own metadata changes beside the preconditions', async () => {
    const to: Thing = { ...stored, metadata: { ...stored.metadata, finalizers: ['x'] } };
    await mergeChange(kube, THINGS, stored, { to, onlyIfUnchanged: true });
    expect(sent[0]?.[2]).toEqual({ metadata: { finalizers: ['x'], uid: 'uid-of-a', resourceVersion: '7' } });
  });

  test('is not sent when nothing changed', async () => {
    expect(await mergeChange(kube, THINGS, stored, { to: structuredClone(stored) })).toBe(stored);
    expect(sent).toEqual([]);
  });

  test('can have the resource version as precondition', () =>
    expect(withResourceVersion({ spec: {} }, stored)).toEqual({
      spec: {},
      metadata: { uid: 'uid-of-a', resourceVersion: '7' },
    }));
});

test('server-side apply sends apiVersion, kind and name, and forces ownership', async () => {
  await applyPatch(kube, NODES, { name: 'n' }, { body: { metadata: { labels: { a: 'b' } } }, owner: 'agent' });
  expect(sent).toEqual([
    [
      'nodes',
      { name: 'n' },
      { apiVersion: 'v1', kind: 'Node', metadata: { labels: { a: 'b' }, name: 'n' } },
      { type: 'apply', fieldManager: 'agent', force: true, subresource: undefined },
    ],
  ]);
});
