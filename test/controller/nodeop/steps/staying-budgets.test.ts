import { describe, expect, test } from '@jest/globals';
import type { CachedBudget } from '../../../../controller/cluster/budget.js';
import { budgetRefusals } from '../../../../controller/nodeop/steps/staying-budgets.js';
import { pod, type PodTraits } from '../../../builders.js';

interface BudgetTraits {
  spec?: Partial<CachedBudget['spec']>;
  namespace?: string;
  generation?: number;
}

const budget = (name: string, status: CachedBudget['status'], traits: BudgetTraits = {}): CachedBudget => ({
  metadata: {
    name,
    namespace: traits.namespace ?? 'default',
    uid: `uid-${name}`,
    resourceVersion: '1',
    generation: traits.generation ?? 1,
  },
  spec: { selector: { matchLabels: { app: 'db' } }, ...traits.spec },
  status: status && { observedGeneration: 1, ...status },
});

const db = (name: string, traits: PodTraits = {}) => pod(name, { labels: { app: 'db' }, ...traits });

const spent = { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1 };
const broken = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 };
const free = { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1 };
const alwaysAllow = { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } };

describe('The reboot of a node with a staying pod', () => {
  test.each<[string, PodTraits, CachedBudget[], 'allowed' | 'refused']>([
    ['is allowed without a budget', {}, [], 'allowed'],
    ['is allowed by a budget with a disruption left', {}, [budget('b', free)], 'allowed'],
    ['is refused by a budget without one', {}, [budget('b', spent)], 'refused'],
    ['is refused by a budget without a status', {}, [budget('b', undefined)], 'refused'],
    ['is refused while the status belongs to an older budget', {}, [budget('b', free, { generation: 2 })], 'refused'],
    ['is allowed by the budget of another namespace', {}, [budget('b', spent, { namespace: 'other' })], 'allowed'],
    ['is allowed by a budget for other labels', { labels: { app: 'web' } }, [budget('b', spent)], 'allowed'],
    ['is allowed by a budget without selector', {}, [budget('b', spent, { spec: { selector: undefined } })], 'allowed'],
    [
      'is refused by a budget for all pods',
      { labels: {} },
      [budget('b', spent, { spec: { selector: {} } })],
      'refused',
    ],
    ['is allowed for a Pending pod', { phase: 'Pending', ready: false }, [budget('b', broken)], 'allowed'],
    ['is allowed for a terminating pod', { terminating: true }, [budget('b', spent)], 'allowed'],
    ['is allowed for a finished pod', { phase: 'Failed', ready: false }, [budget('b', broken)], 'allowed'],
    [
      'is allowed for an unready pod while enough others are healthy',
      { ready: false },
      [budget('b', spent)],
      'allowed',
    ],
    ['is refused for an unready pod while too few are healthy', { ready: false }, [budget('b', broken)], 'refused'],
    [
      'is refused for an unready pod of a budget that needs none healthy and allows no disruption',
      { ready: false },
      [budget('b', { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0 })],
      'refused',
    ],
    [
      'is refused for an unready pod with the policy IfHealthyBudget',
      { ready: false },
      [budget('b', broken, { spec: { unhealthyPodEvictionPolicy: 'IfHealthyBudget' } })],
      'refused',
    ],
    ['is allowed for an unready pod with AlwaysAllow', { ready: false }, [budget('b', broken, alwaysAllow)], 'allowed'],
    ['is refused for a Ready pod with AlwaysAllow', {}, [budget('b', spent, alwaysAllow)], 'refused'],
    ['is refused by two budgets for the pod', {}, [budget('a', free), budget('b', free)], 'refused'],
    [
      'is refused by two budgets for an unready pod',
      { ready: false },
      [budget('a', free, alwaysAllow), budget('b', free, alwaysAllow)],
      'refused',
    ],
    [
      'is allowed for a Pending pod with two budgets',
      { phase: 'Pending' },
      [budget('a', spent), budget('b', spent)],
      'allowed',
    ],
  ])('%s', (_sentence, traits, budgets, expected) =>
    expect(budgetRefusals([db('one', traits)], budgets)).toHaveLength(expected === 'allowed' ? 0 : 1),
  );

  test('is refused with the names of pod and budget', () => {
    expect(budgetRefusals([db('one')], [budget('b', spent)])).toEqual([
      'default/one stays and budget b allows no disruption',
    ]);
  });

  test('is refused for the second of two pods when their budget allows one disruption', () => {
    expect(budgetRefusals([db('one'), db('two')], [budget('b', free)])).toEqual([
      'default/two stays and budget b allows no further disruption',
    ]);
  });

  test('uses no disruption for an unready pod', () => {
    expect(budgetRefusals([db('one', { ready: false }), db('two')], [budget('b', free)])).toEqual([]);
  });
});
