/**
 * The walk of one node through the table of steps, from top to bottom and never backwards. A node is at the first needed step that is
 * not done, starting from the furthest step that its ledger has recorded.
 */
import type { StepName } from '../../../api/node-status.js';
import { claim } from './claim.js';
import { controlPlane } from './control-plane.js';
import { cordon } from './cordon.js';
import { drain } from './drain.js';
import { release } from './release.js';
import { stop } from './stop.js';
import { uncordon } from './uncordon.js';
import { withdraw } from './withdraw.js';
import { preflight } from './preflight.js';
import { pull } from './pull.js';
import { reboot } from './reboot.js';
import { run } from './run.js';
import type { Step } from './step.js';
import { verify } from './verify.js';
import { DONE, fail, type Facts, type LedgerChange, type StepResult } from '../facts/facts.js';
import { lostNode } from '../facts/lost-node.js';
import { ownValue } from '../../../program/own-value.js';

export type StepTable = Readonly<Record<StepName, Step>>;

/** In the order of STEP_NAMES. The steps from `Stop` on undo things; a node reaches them only with a result. */
export const STEPS: StepTable = {
  Claim: claim,
  Preflight: preflight,
  Pull: pull,
  ControlPlane: controlPlane,
  Cordon: cordon,
  Drain: drain,
  Run: run,
  Reboot: reboot,
  Verify: verify,
  Stop: stop,
  Withdraw: withdraw,
  Uncordon: uncordon,
  Release: release,
};

const FIRST_ENDING_STEP: StepName = 'Stop';

export interface Walk {
  step: StepName;
  result: StepResult;
}

export function walk(facts: Facts, table: StepTable = STEPS): Walk {
  const { ledger } = facts;
  const current = ledger?.step ?? 'Claim';
  const interruption = interrupted(facts);
  if (interruption) return { step: current, result: interruption };
  const hasResult = ledger?.result !== undefined;
  for (const step of remainingSteps(ledger, Object.keys(table) as StepName[])) {
    if (!table[step].isNeeded(facts)) continue;
    const result = table[step].evaluate(facts);
    if (result.is !== 'done') return { step, result: recordFirst(facts, { step, result }, table[step]) };
  }
  return hasResult ? { step: 'Release', result: DONE } : { step: current, result: success(facts) };
}

/** Before there is a result, the steps up to the last one that works on the node; with a result, the steps that undo things. */
function remainingSteps(ledger: Facts['ledger'], names: readonly StepName[]): StepName[] {
  const recorded = furthestStep(ledger, names);
  const ending = names.indexOf(FIRST_ENDING_STEP);
  return ledger?.result === undefined ? names.slice(recorded, ending) : names.slice(Math.max(recorded, ending));
}

/** A step that only a newer release knows is ignored: after a rollback, the walk continues from the last step that this release knows. */
function furthestStep(ledger: Facts['ledger'], names: readonly StepName[]): number {
  const recorded = names.indexOf(ledger?.step ?? 'Claim');
  if (recorded >= 0) return recorded;
  return Math.max(
    0,
    names.findLastIndex(name => ledger?.stepTimes[name] !== undefined),
  );
}

/** A step that acts or waits is recorded in the ledger, with its time, before its first action. */
function recordFirst(facts: Facts, { step, result }: Walk, row: Step): StepResult {
  const { ledger, now } = facts;
  const isRecorded = ledger === undefined || ledger.step === step || step === 'Release';
  if (isRecorded || result.is === 'end' || result.is === 'done') return result;
  const change: LedgerChange = {
    ...row.onEnter?.(facts),
    ...(ledger.notReadySince === undefined ? {} : { notReadySince: null }),
    step,
    stepTimes: { ...ledger.stepTimes, [step]: now.toISOString() },
  };
  return { is: 'act', action: { do: 'record', change }, reason: result.reason, message: result.message };
}

/**
 * What ends or holds up a walk whatever its step: a final status that outlived the ledger, a deletion of the operation before anything was
 * done, and a node that was removed or replaced since it was claimed.
 */
function interrupted(facts: Facts): StepResult | undefined {
  const { ledger, name, nodeOp } = facts;
  if (ledger === undefined || ledger.result !== undefined) return undefined;
  const entry = ownValue(nodeOp.status.nodeStatuses, name);
  if (entry?.phase === 'Completed' || entry?.phase === 'Failed')
    return { is: 'end', phase: entry.phase, reason: entry.reason ?? 'Done', message: entry.message ?? '' };
  if (nodeOp.isAbandoned) return fail('Deleted', 'the operation was deleted and abandoned');
  if (nodeOp.isDeleting && ledger.stepTimes.Run === undefined)
    return fail('Deleted', 'the operation was deleted before its Job started');
  return lostNode(facts);
}

function success({ nodeOp }: Facts): StepResult {
  const message = nodeOp.spec.rebootOnSuccess ? 'Job and reboot completed successfully' : 'Job completed successfully';
  return { is: 'end', phase: 'Completed', reason: 'Done', message };
}
