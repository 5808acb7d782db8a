import { beforeAll, expect, jest, test } from '@jest/globals';
import { type Operator, operator } from './operator.js';
import { type Releases, releases, replacedAt } from './skew-steps.js';

jest.setTimeout(300_000);

let it: Operator;
let two: Releases;
beforeAll(async () => {
  it = await operator(3);
  two = await releases(it);
});

test('the operator is updated while the first of three nodes is at its Job: one reboot each, nothing left', async () => {
  await replacedAt(it, { name: 'forth', node: 'n1', step: 'Run', to: two.next });
  expect((await it.kubectl.getJson('nodeopupgrade', 'forth'))?.status?.['progress']).toBe('3/3');
});
