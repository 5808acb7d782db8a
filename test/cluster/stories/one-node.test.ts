import { beforeAll, expect, jest, test } from '@jest/globals';
import {
  waitUntilFinished,
  nodeStatuses,
  expectNodesReleased,
  NEXT_VERSION,
  listNodes,
  type Operator,
  setUpOperator,
  upgradeOf,
  workload,
} from './operator.js';

jest.setTimeout(600_000);

let operator: Operator;
beforeAll(async () => {
  operator = await setUpOperator(1);
});

test('an upgrade on a cluster of one node completes without a drain, with an Event about it', async () => {
  await operator.kubectl.apply(workload());
  await operator.kubectl.do(['rollout', 'status', 'deployment/web', '--timeout=60s']);
  const before = operator.machines[0]?.bootCount() ?? 0;
  await operator.kubectl.apply(upgradeOf('alone', operator.nextImage.ref, { settleSeconds: undefined }));
  const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', 'alone');
  expect(upgrade.status?.phase).toBe('Completed');
  expect(nodeStatuses(upgrade).n1).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
  const [settled, ready] = [nodeStatuses(upgrade).n1?.stepTimes?.Uncordon, nodeStatuses(upgrade).n1?.stepTimes?.Verify];
  expect(Date.parse(settled ?? '') - Date.parse(ready ?? '')).toBeGreaterThanOrEqual(30_000); // The default of settleSeconds for a control plane.
  expect(operator.machines[0]?.bootCount()).toBe(before + 1);
  const [node] = await listNodes(operator);
  expect(node?.metadata?.annotations?.['kairos.io/version']).toBe(NEXT_VERSION);
  expect(node?.spec?.unschedulable).toBeUndefined();
  const events = (await operator.kubectl.getJson('events', '-n', 'default'))?.items ?? [];
  expect(events.filter(event => event.reason === 'DrainSkipped').map(event => event.message)).toEqual([
    'n1: not drained: there is no other Ready, schedulable node',
  ]);
  await expectNodesReleased(operator);
});
