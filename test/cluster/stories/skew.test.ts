import { beforeAll, expect, jest, test } from '@jest/globals';
import { type Operator, setUpOperator } from './operator.js';
import { type Releases, tagReleases, replaceOperatorAt } from './skew-steps.js';

jest.setTimeout(300_000);

let operator: Operator;
let releases: Releases;
beforeAll(async () => {
  operator = await setUpOperator(3);
  releases = await tagReleases(operator);
});

test('an upgrade reboots each node once and releases all nodes if the operator is updated while the first Job runs', async () => {
  await replaceOperatorAt(operator, { name: 'updated', node: 'n1', step: 'Run', to: releases.next });
  expect((await operator.kubectl.getJson('nodeopupgrade', 'updated'))?.status?.['progress']).toBe('3/3');
});
