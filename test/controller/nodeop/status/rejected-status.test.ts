import { expect, test } from '@jest/globals';
import { rejectedStatus } from '../../../../controller/nodeop/status/rejected-status.js';
import { NOW, op } from '../../../builders.js';

const rejection = { fault: 'spec.command: required', reason: 'InvalidSpec', now: NOW } as const;

test('an invalid operation without claims is Failed with the fault as message', () => {
  const status = rejectedStatus(op(), { ...rejection, hasClaims: false });
  expect(status).toMatchObject({ phase: 'Failed', message: rejection.fault });
  expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Failed', reason: 'InvalidSpec' }));
});

test.each([
  ['keeps its phase', { phase: 'Pending' as const }, 'Pending'],
  ['is Running when its status is empty', undefined, 'Running'],
])('an invalid operation with claims %s', (_sentence, before, phase) => {
  const status = rejectedStatus(op({}, { status: before }), { ...rejection, hasClaims: true });
  expect(status).toMatchObject({ phase, message: `${rejection.fault}; delete the object to release its nodes` });
});
