import { describe, expect, test } from '@jest/globals';
import { BudgetWatch, type PodSeen } from '../../demo/budget.js';
import { NOW } from './snapshots.js';

const pod = (name: string, change: Partial<PodSeen> = {}): PodSeen => ({
  name,
  ready: true,
  leaving: false,
  ...change,
});

function after(...moments: (PodSeen | string)[]): BudgetWatch {
  const watch = new BudgetWatch(1);
  for (const moment of moments) {
    if (typeof moment === 'string') watch.remove(moment);
    else watch.put(moment);
    watch.look(NOW);
  }
  return watch;
}

describe('a budget that wants one Pod', () => {
  test.each([
    ['holds while both answer', [pod('a'), pod('b')], 0],
    ['holds while one leaves and the other answers', [pod('a'), pod('b'), pod('a', { leaving: true }), 'a'], 0],
    ['is broken when both leave', [pod('a'), pod('b'), pod('a', { leaving: true }), pod('b', { leaving: true })], 1],
    ['does not count a Pod that is not Ready', [pod('a'), pod('b', { ready: false }), pod('a', { leaving: true })], 1],
    ['counts each moment in which it is broken', [pod('a', { ready: false }), 'a'], 2],
    ['holds again with the replacement', [pod('a'), pod('b'), 'a', pod('c'), pod('b', { leaving: true })], 0],
  ] as const)('%s', (_sentence, moments, broken) =>
    expect(after(...moments).verdict().violations).toHaveLength(broken),
  );

  test('remembers the fewest that answered, and how often it looked', () => {
    expect(after(pod('a'), pod('b'), 'a').verdict()).toEqual({ looks: 3, fewest: 1, violations: [] });
  });

  test('without a look there is no verdict to trust', () => {
    expect(new BudgetWatch(1).verdict()).toEqual({ looks: 0, fewest: undefined, violations: [] });
  });

  test('says when it was broken', () => {
    expect(after(pod('a', { ready: false })).verdict().violations).toEqual(['2030-01-01T00:01:00.000Z: 0 of 1']);
  });
});
