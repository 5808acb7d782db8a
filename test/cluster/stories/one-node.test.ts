import { beforeAll, expect, jest, test } from '@jest/globals';
import {
  ended,
  entries,
  expectFree,
  NEXT_VERSION,
  nodes,
  type Operator,
  operator,
  upgradeOf,
  workload,
} from './operator.js';

jest.setTimeout(600_000);

let it: Operator;
beforeAll(async () => {
  it = await operator(1);
});

test('on a cluster of one node the upgrade completes; the drain is left out, and that is said', async () => {
  await it.kubectl.apply(workload());
  await it.kubectl.do(['rollout', 'status', 'deployment/web', '--timeout=60s']);
  const before = it.machines[0]?.bootCount() ?? 0;
  await it.kubectl.apply(upgradeOf('alone', it.next.ref, { settleSeconds: undefined }));
  const upgrade = await ended(it, 'nodeopupgrade', 'alone');
  expect(upgrade.status?.phase).toBe('Completed');
  expect(entries(upgrade).n1).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
  const [settled, ready] = [entries(upgrade).n1?.stepTimes?.Uncordon, entries(upgrade).n1?.stepTimes?.Verify];
  expect(Date.parse(settled ?? '') - Date.parse(ready ?? '')).toBeGreaterThanOrEqual(30_000); // a control plane settles
  expect(it.machines[0]?.bootCount()).toBe(before + 1);
  const [node] = await nodes(it);
  expect(node?.metadata?.annotations?.['kairos.io/version']).toBe(NEXT_VERSION);
  expect(node?.spec?.unschedulable).toBeUndefined();
  const events = (await it.kubectl.getJson('events', '-n', 'default'))?.items ?? [];
  expect(events.filter(event => event.reason === 'DrainSkipped').map(event => event.message)).toEqual([
    'n1: not drained: there is no other Ready, schedulable node',
  ]);
  await expectFree(it);
});
