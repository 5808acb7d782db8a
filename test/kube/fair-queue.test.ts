import { describe, expect, test } from '@jest/globals';
import { FairQueue } from '../../kube/fair-queue.js';

const filled = (entries: readonly [string, string][]): FairQueue<string> => {
  const queue = new FairQueue<string>();
  for (const [group, entry] of entries) queue.add(group, entry);
  return queue;
};
const drained = (queue: FairQueue<string>): string[] => {
  const entries: string[] = [];
  for (let entry = queue.take(); entry !== undefined; entry = queue.take()) entries.push(entry);
  return entries;
};
const ENTRIES: [string, string][] = [
  ['a', 'a1'],
  ['a', 'a2'],
  ['a', 'a3'],
  ['b', 'b1'],
];

describe('a queue of several groups', () => {
  test('gives one entry of each in turn', () => expect(drained(filled(ENTRIES))).toEqual(['a1', 'b1', 'a2', 'a3']));

  test('holds an entry once', () => expect(filled([...ENTRIES, ['a', 'a1']]).size).toBe(4));

  test('lets a group that may have no turn keep its place', () => {
    const queue = filled(ENTRIES);
    expect(queue.take(group => group !== 'a')).toBe('b1');
    expect(queue.take(group => group !== 'a')).toBeUndefined();
    expect(drained(queue)).toEqual(['a1', 'a2', 'a3']);
  });

  test('drops the newest entry of the longest group', () => {
    const queue = filled(ENTRIES);
    queue.dropFromLongest();
    expect(queue.has('a', 'a3')).toBe(false);
    expect(drained(queue)).toEqual(['a1', 'b1', 'a2']);
  });

  test('is empty after it was cleared', () => {
    const queue = filled(ENTRIES);
    queue.clear();
    expect([queue.size, queue.take()]).toEqual([0, undefined]);
  });
});
