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

/** Consecutive updates and rollbacks of the operator. */
test.each([
  [
    'updated',
    'while the first node reboots',
    { name: 'reboot-1', node: 'n1', step: 'Reboot', to: () => releases.next },
  ],
  [
    'rolled back',
    'while a command runs on the second node',
    { name: 'run-2', node: 'n2', step: 'Run', to: () => releases.old },
  ],
  [
    'updated',
    'while the second node reboots',
    { name: 'reboot-2', node: 'n2', step: 'Reboot', to: () => releases.next },
  ],
  [
    'rolled back',
    'while the last node reboots',
    { name: 'reboot-3', node: 'n3', step: 'Reboot', to: () => releases.old },
  ],
] as const)(
  'an upgrade reboots each node once and releases all nodes if the operator is %s %s',
  async (_what, _when, { to, ...how }) => {
    await replaceOperatorAt(operator, { ...how, to: to() });
    expect((await operator.kubectl.getJson('nodeopupgrade', how.name))?.status?.['phase']).toBe('Completed');
  },
);
