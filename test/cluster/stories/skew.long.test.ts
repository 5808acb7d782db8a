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

/** One after the other, there and back. */
test.each([
  ['updated', 'while the first node reboots', { name: 'reboot-1', node: 'n1', step: 'Reboot', to: () => two.next }],
  ['taken back', 'while a command runs on the second', { name: 'run-2', node: 'n2', step: 'Run', to: () => two.old }],
  ['updated', 'while the second reboots', { name: 'reboot-2', node: 'n2', step: 'Reboot', to: () => two.next }],
  ['taken back', 'while the last one reboots', { name: 'reboot-3', node: 'n3', step: 'Reboot', to: () => two.old }],
] as const)('the operator is %s %s: one reboot each, nothing left', async (_what, _when, { to, ...how }) => {
  await replacedAt(it, { ...how, to: to() });
  expect((await it.kubectl.getJson('nodeopupgrade', how.name))?.status?.['phase']).toBe('Completed');
});
