import { beforeEach, describe, expect, test } from '@jest/globals';
import { WorkQueue } from '../../kube/work-queue.js';
import { type FakeClock, fakeClock } from '../fakes/clock.js';

let clock: FakeClock;
let queue: WorkQueue;
beforeEach(() => {
  clock = fakeClock();
  queue = new WorkQueue({ clock, random: () => 1, firstBackoffMs: 100, longestBackoffMs: 1_000 });
});

/** The keys that workers would get now. */
async function ready(): Promise<string[]> {
  await clock.advance(0);
  const keys: string[] = [];
  for (const before = { size: -1 }; before.size !== queue.size; ) {
    before.size = queue.size;
    const key = await Promise.race([queue.take(), clock.advance(0).then(() => undefined)]);
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

describe('adding keys', () => {
  test('queues a key once however often it is added, in the order of the first time', async () => {
    for (const key of ['b', 'a', 'b', 'a']) queue.add(key);
    expect(queue.size).toBe(2);
    expect([await queue.take(), await queue.take()]).toEqual(['b', 'a']);
  });

  test('hands a key to a waiting worker immediately', async () => {
    const waiting = queue.take();
    queue.add('a');
    expect(await waiting).toBe('a');
    expect(queue.size).toBe(0);
  });

  test.each([
    ['later, then earlier', [500, 100]],
    ['earlier, then later', [100, 500]],
  ])('uses the earliest requested time: %s', async (_title, delays) => {
    for (const ms of delays) queue.add('a', ms);
    const got = queue.take();
    let key: string | undefined;
    void got.then(value => (key = value));
    await clock.advance(98);
    expect(key).toBeUndefined();
    await clock.advance(2);
    expect(key).toBe('a');
    queue.done('a');
    await clock.advance(1_000);
    expect(queue.size).toBe(0);
  });

  test('replaces a delayed request by an immediate one', async () => {
    queue.add('a', 500);
    queue.add('a');
    expect(await queue.take()).toBe('a');
    queue.done('a');
    await clock.advance(1_000);
    expect(queue.size).toBe(0);
  });

  test('needs a single timer for all delayed keys', async () => {
    for (let n = 1; n <= 50; n += 1) queue.add(`key-${n}`, n * 10);
    expect(clock.sleeperCount()).toBe(1);
    await clock.advance(255);
    expect(await ready()).toHaveLength(25);
  });
});

describe('a key that is being processed', () => {
  test('is not given to a second worker, and is queued again when it is done', async () => {
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('a');
    const second = queue.take();
    let got: string | undefined;
    void second.then(value => (got = value));
    await clock.advance(0);
    expect(got).toBeUndefined();
    queue.done('a');
    expect(await second).toBe('a');
    queue.done('a');
    expect(queue.size).toBe(0);
  });

  test('can be added with a delay', async () => {
    queue.add('a');
    await queue.take();
    queue.add('a', 100);
    queue.done('a');
    await clock.advance(100);
    expect(await queue.take()).toBe('a');
  });
});

describe('failures', () => {
  test('double the backoff of a key up to a limit, independently of other keys', () => {
    expect([1, 2, 3, 4, 5, 6].map(() => queue.failed('a'))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(queue.failed('b')).toBe(100);
  });

  test('are forgotten after a success', () => {
    queue.failed('a');
    queue.failed('a');
    queue.succeeded('a');
    expect(queue.failed('a')).toBe(100);
  });

  test('get a backoff that jitter shortens by up to a half', () => {
    const jittered = new WorkQueue({ clock, random: () => 0, firstBackoffMs: 100 });
    expect(jittered.failed('a')).toBe(50);
  });
});

test('a closed queue releases its workers and accepts no keys', async () => {
  const waiting = [queue.take(), queue.take()];
  queue.add('later', 100);
  queue.close();
  queue.add('a');
  expect(await Promise.all([...waiting, queue.take()])).toEqual([undefined, undefined, undefined]);
  await clock.advance(1_000);
  expect([queue.size, clock.sleeperCount()]).toEqual([0, 0]);
});

describe('namespaces take turns', () => {
  const taken = async (count: number) => {
    const keys: (string | undefined)[] = [];
    for (let n = 0; n < count; n += 1) keys.push(await queue.take());
    return keys;
  };

  test('so that one with 10,000 keys delays another one by a key at a time', async () => {
    for (let n = 0; n < 10_000; n += 1) queue.add(`noisy/${n}`);
    for (const key of ['quiet/a', 'quiet/b', 'other/a']) queue.add(key);
    expect(await taken(6)).toEqual(['noisy/0', 'quiet/a', 'other/a', 'noisy/1', 'quiet/b', 'noisy/2']);
  });

  test('and one of them never occupies the last worker', async () => {
    queue = new WorkQueue({ clock, maxPerNamespace: 1 });
    for (const key of ['noisy/a', 'noisy/b']) queue.add(key);
    expect(await queue.take()).toBe('noisy/a');
    const next = queue.take();
    queue.add('quiet/a');
    expect(await next).toBe('quiet/a');
    const last = queue.take();
    queue.done('noisy/a');
    expect(await last).toBe('noisy/b');
  });

  test('but keys without a namespace have no limit', async () => {
    queue = new WorkQueue({ clock, maxPerNamespace: 1 });
    for (const key of ['n1', 'n2']) queue.add(key);
    expect(await taken(2)).toEqual(['n1', 'n2']);
  });
});
