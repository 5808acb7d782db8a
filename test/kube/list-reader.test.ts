import { describe, expect, test } from '@jest/globals';
import { KubeError } from '../../kube/errors.js';
import type { ListOptions, Page, Stored } from '../../kube/kube.js';
import { splitLines } from '../../kube/line-stream.js';
import { listAll } from '../../kube/list-pages.js';
import { ListReader, MAX_OBJECT_BYTES } from '../../kube/list-reader.js';
import { pageLimit } from '../../kube/page-limit.js';
import { THINGS, type Thing } from './samples.js';

function read(text: string, chunkBytes = text.length): { objects: unknown[]; envelope: object } {
  const objects: unknown[] = [];
  const reader = new ListReader(object => objects.push(object));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes));
  return { objects, envelope: reader.end() };
}

const OBJECTS = [
  { metadata: { name: 'a', annotations: { text: 'a "quoted" \\ text with } ] { [ and ü語😀' } } },
  { items: [{ items: [] }], empty: {}, none: null },
  {},
];
const LIST = {
  kind: 'List',
  note: 'items',
  other: [{ items: [1] }],
  metadata: { continue: 'x' },
  items: OBJECTS,
  z: [],
};

describe('a list that is read as it arrives', () => {
  test.each([1, 2, 3, 7, 64, 100_000])('gives the objects and the rest of the list, in chunks of %d bytes', size => {
    expect(read(JSON.stringify(LIST), size)).toEqual({ objects: OBJECTS, envelope: { ...LIST, items: [] } });
    expect(read(JSON.stringify(LIST, undefined, 2), size).objects).toEqual(OBJECTS);
  });

  test.each([
    ['an empty list', { metadata: {}, items: [] }],
    ['a list without items', { metadata: {} }],
    ['a list of the Go client without objects', { metadata: {}, items: null }],
  ])('gives no object of %s', (_what, list) =>
    expect(read(JSON.stringify(list))).toEqual({ objects: [], envelope: list }),
  );

  test.each([
    ['one that ends in an object', '{"items":[{"a":1}'],
    ['one that ends in a string', '{"items":[{"a":"'],
    ['one that is no JSON', '<html></html>'],
    ['one with a broken object', '{"items":[{"a":}]}'],
    ['an empty response', ''],
  ])('throws at %s', (_what, text) => expect(() => read(text)).toThrow(/incomplete|JSON/));

  test('throws at an object that is larger than the API server can store', () => {
    const reader = new ListReader(() => undefined);
    reader.push(Buffer.from('{"items":[{"a":"'));
    const half = Buffer.alloc(MAX_OBJECT_BYTES / 2, 'x');
    reader.push(half);
    expect(() => reader.push(half)).toThrow('an object of the list is larger than');
  });
});

test('a watch event that is longer than any object ends the watch', async () => {
  async function* chunks() {
    for (let sent = 0; sent <= MAX_OBJECT_BYTES; sent += 1024 * 1024) yield Buffer.alloc(1024 * 1024, 'x');
  }
  await expect(splitLines(chunks()).next()).rejects.toThrow('a line of the response is longer than');
});

describe('the number of objects in a page', () => {
  const after = (...pages: { count: number; bytes?: number }[]) => {
    const limit = pageLimit();
    for (const page of pages) limit.read(page);
    return limit.current();
  };
  const MIB = 1024 * 1024;

  test.each([
    ['starts small', after(), 20],
    ['grows with small objects', after({ count: 20, bytes: 20_000 }), 100],
    ['has an upper limit', after(...Array.from({ length: 9 }, () => ({ count: 20, bytes: 2_000 }))), 500],
    ['shrinks with large objects', after({ count: 20, bytes: 20 * MIB }), 4],
    ['is at least one', after({ count: 1, bytes: 10 * MIB }), 1],
    ['stays the same after an empty page', after({ count: 0, bytes: 100 }), 20],
  ])('%s', (_what, limit, expected) => expect(limit).toBe(expected));

  test('is halved when a page does not arrive', () => {
    const limit = pageLimit();
    limit.failed(false);
    expect(limit.current()).toBe(10);
  });

  test('doubles after the version of the list has expired', () => {
    const limit = pageLimit();
    limit.failed(true);
    limit.read({ count: 20, bytes: 20 * MIB });
    expect(limit.current()).toBe(8);
  });
});

describe('a list of all objects', () => {
  const thing = (name: string): Thing => ({ metadata: { name, uid: name, resourceVersion: '1' }, spec: { size: 1 } });

  /** Has two pages; the version of the list expires as often as told before the second one. */
  const kubeExpiring = (times: number) => {
    const requests: ListOptions[] = [];
    const list = async <T extends Stored>(_resource: object, options: ListOptions<T> = {}): Promise<Page<T>> => {
      const { limit, continue: next } = options;
      requests.push({ limit, continue: next });
      if (next !== undefined && (times -= 1) >= 0) throw new KubeError(410, 'expired', 'Expired');
      const items: object[] = [thing(next === undefined ? 'a' : 'b')];
      return { items: items as T[], resourceVersion: '1', continue: next === undefined ? 'more' : undefined };
    };
    return { list, requests };
  };

  test('has those of all pages', async () => {
    const { items } = await listAll<Thing>(kubeExpiring(0), THINGS);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  });

  test('fails when its version expires, and the next one starts from the beginning with the learned size', async () => {
    const [kube, limit] = [kubeExpiring(1), pageLimit()];
    await expect(listAll(kube, THINGS, { limit })).rejects.toMatchObject({ code: 410 });
    expect((await listAll(kube, THINGS, { limit })).items).toHaveLength(2);
    expect(kube.requests).toEqual([
      { limit: 20 },
      { limit: 100, continue: 'more' },
      { limit: 100 },
      { limit: 500, continue: 'more' },
    ]);
  });
});
