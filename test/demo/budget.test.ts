import { describe, expect, test } from '@jest/globals';
import { BudgetWatch, type PodState } from '../../demo/budget.js';
import { NOW } from './snapshots.js';

const pod = (name: string, change: Partial<PodState> = {}): PodState => ({
  name,
  ready: true,
  terminating: false,
  ...change,
});

/** Applies the changes in order and checks after each; a string removes the Pod of that name. */
function budgetAfter(...changes: (PodState | string)[]): BudgetWatch {
  const watch = new BudgetWatch(1);
  for (const change of changes) {
    if (typeof change === 'string') watch.remove(change);
    else watch.set(change);
    watch.check(NOW);
  }
  return watch;
}

describe('a budget that requires one ready Pod', () => {
  test.each([
    ['is met while both Pods are ready', [pod('a'), pod('b')], 0],
    [
      'is met while one Pod terminates and the other is ready',
      [pod('a'), pod('b'), pod('a', { terminating: true }), 'a'],
      0,
    ],
    [
      'is violated when both Pods are terminating',
      [pod('a'), pod('b'), pod('a', { terminating: true }), pod('b', { terminating: true })],
      1,
    ],
    [
      'does not count a Pod that is not Ready',
      [pod('a'), pod('b', { ready: false }), pod('a', { terminating: true })],
      1,
    ],
    ['counts every check in which it is violated', [pod('a', { ready: false }), 'a'], 2],
    [
      'is met when a replacement is ready before the next Pod terminates',
      [pod('a'), pod('b'), 'a', pod('c'), pod('b', { terminating: true })],
      0,
    ],
  ] as const)('%s', (_sentence, changes, violations) =>
    expect(budgetAfter(...changes).report().violations).toHaveLength(violations),
  );

  test('reports the lowest number of ready Pods and the number of checks', () => {
    expect(budgetAfter(pod('a'), pod('b'), 'a').report()).toEqual({ checks: 3, fewestReady: 1, violations: [] });
  });

  test('reports zero checks before the first one', () => {
    expect(new BudgetWatch(1).report()).toEqual({ checks: 0, fewestReady: undefined, violations: [] });
  });

  test('reports the time of each violation', () => {
    expect(budgetAfter(pod('a', { ready: false })).report().violations).toEqual(['2030-01-01T00:01:00.000Z: 0 of 1']);
  });
});
