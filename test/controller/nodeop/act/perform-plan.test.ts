import { expect, test } from '@jest/globals';
import { ControlPlaneTurnTakenError } from '../../../../controller/nodeop/act/control-plane-lease.js';
import { refusalMessage } from '../../../../controller/nodeop/act/perform-plan.js';
import { JobSuspendedError } from '../../../../controller/nodeop/act/workloads.js';
import type { Action } from '../../../../controller/nodeop/facts/facts.js';
import { KubeError } from '../../../../kube/errors.js';

const CORDON: Action = { do: 'cordon' };
const TAKE_TURN: Action = { do: 'takeControlPlane', change: {} };
const conflict = new KubeError(409, 'the object has been modified', 'Conflict');

test.each<[string, Error, Action, string | undefined]>([
  ['a write that the API server refused', new KubeError(403, 'quota exceeded', 'Forbidden'), CORDON, 'quota exceeded'],
  ['a Job that was suspended again', new JobSuspendedError('suspended again'), CORDON, 'suspended again'],
  [
    'a control plane whose turn is taken',
    new ControlPlaneTurnTakenError('n2'),
    TAKE_TURN,
    'the turn of the control planes is that of node n2',
  ],
  ['no conflict that the next pass resolves', conflict, CORDON, undefined],
  ['no broken connection', new Error('socket hang up'), CORDON, undefined],
])('the status reports %s', (_sentence, error, action, message) => {
  expect(refusalMessage(error, action)).toBe(message);
});
