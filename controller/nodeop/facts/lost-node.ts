/**
 * Decides what becomes of a walk whose Node was deleted. Cloud controllers delete the Node of a machine that is down, and so do people. When
 * the command has succeeded and the reboot follows, the same machine may register again under a new Node. Before, the Node has taken the Pod
 * of the command with it, and nothing proves how far that had come.
 */
import { after } from '../../../program/clock.js';
import { conditionOf } from '../../cluster/job.js';
import { cordonState } from './cordon-state.js';
import { act, type Facts, fail, type LedgerChange, stepStartedAt, type StepResult, wait } from './facts.js';
import { compareMachines } from './same-machine.js';

/** Undefined while the Node is the one in the ledger. */
export function lostNode(facts: Facts): StepResult | undefined {
  const { node, ledger, name, now } = facts;
  if (ledger === undefined || node?.metadata.uid === ledger.nodeUid) return undefined;
  if (hasSucceededUnrecorded(facts)) return recordSuccess(facts);
  const until = returnDeadline(facts);
  if (until === undefined)
    return node === undefined
      ? fail('NodeRemoved', `node ${name} was removed while it was worked on`)
      : fail('NodeReplaced', `another node registered as ${name}`);
  if (node === undefined) return now < until ? awaitReturn(facts, until) : fail('NodeRemoved', neverBack(facts, until));
  const machine = compareMachines(facts);
  if (machine === 'same') return continueOnNewNode(facts, until);
  if (machine === 'unknown' && now < until) return wait('Rebooting', unknownMachine(facts, until), until);
  return fail('NodeReplaced', `another machine registered as ${name}${uuidDifference(facts)}`);
}

/** Until when the machine may register again; undefined before a reboot follows for certain. */
function returnDeadline(facts: Facts): Date | undefined {
  const { ledger, nodeOp } = facts;
  const { Reboot, Succeeded } = ledger?.stepTimes ?? {};
  const since = Reboot ?? (nodeOp.spec.rebootOnSuccess ? Succeeded : undefined);
  if (since === undefined) return undefined;
  const rebooted = after(new Date(since), nodeOp.spec.rebootTimeoutSeconds);
  if (ledger?.stepTimes.Verify === undefined) return rebooted;
  const verified = after(stepStartedAt(facts, 'Verify'), nodeOp.spec.verifyTimeoutSeconds);
  return verified > rebooted ? verified : rebooted;
}

/** The controller may have died before it requested the reboot. The times of the Job are of another clock, so that its end counts from when it is seen. */
function hasSucceededUnrecorded({ nodeOp, ledger, job }: Facts): boolean {
  const { Reboot, Succeeded } = ledger?.stepTimes ?? {};
  if (!nodeOp.spec.rebootOnSuccess || Reboot !== undefined || Succeeded !== undefined) return false;
  return job !== undefined && job.metadata.uid === ledger?.job?.uid && conditionOf(job, 'Complete') !== undefined;
}

const recordSuccess = (facts: Facts): StepResult =>
  record(facts, { stepTimes: { ...facts.ledger?.stepTimes, Succeeded: facts.now.toISOString() } });

const awaitReturn = ({ name }: Facts, until: Date): StepResult =>
  wait(
    'Rebooting',
    `Node ${name} was deleted while it was worked on; waiting until ${until.toISOString()} for its machine to register again`,
    until,
  );

const neverBack = ({ name }: Facts, until: Date): string =>
  `Node ${name} was deleted while it was worked on, and its machine did not register again by ${until.toISOString()}`;

const unknownMachine = ({ name }: Facts, until: Date): string =>
  `Node ${name} was registered anew; waiting until ${until.toISOString()} for its agent to confirm that it is the same machine`;

function uuidDifference({ node, ledger }: Facts): string {
  const { systemUUID } = node?.status?.nodeInfo ?? {};
  return systemUUID && ledger?.systemUUID && systemUUID !== ledger.systemUUID
    ? `: its system UUID is ${systemUUID}, not ${ledger.systemUUID}`
    : '';
}

/**
 * The new Node has lost the cordon with its annotation. It is cordoned again before the ledger accepts it, so that no crash in between leaves
 * it schedulable. With a cordon that a user had set, the new Node has lost that one as well; ours takes its place until the end of the walk.
 * A cordon that a policy refuses is not waited for without an end: the machine is back, and a failure would leave it schedulable as well.
 */
function continueOnNewNode(facts: Facts, until: Date): StepResult {
  const { nodeOp, ledger, now, writeRefusal } = facts;
  const state = cordonState(facts);
  const isRefused = writeRefusal !== undefined && now >= until;
  const needsCordon = nodeOp.spec.cordon && !isRefused && (state === 'none' || state === 'leftover');
  if (!needsCordon) return record(facts, newNode(facts));
  return ledger?.cordoned === true
    ? act({ do: 'cordon' }, { reason: 'Rebooting', message: 'cordoning the new Node of the machine' })
    : record(facts, { cordoned: true });
}

const record = ({ name }: Facts, change: LedgerChange): StepResult =>
  act({ do: 'record', change }, { reason: 'Rebooting', message: `the machine has registered Node ${name} anew` });

/** All pods of the old Node were deleted with it, so that what is verified starts again. */
function newNode({ node, ledger, now }: Facts): LedgerChange {
  const isVerifying = ledger?.stepTimes.Verify !== undefined;
  return {
    nodeUid: node?.metadata.uid,
    ...(isVerifying ? { stepTimes: { ...ledger?.stepTimes, Verify: now.toISOString() }, readySince: null } : {}),
  };
}
