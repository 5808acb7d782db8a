/**
 * The walk of one node: one table, read from top to bottom, never backwards.
 * The node is at the first wanted row that is not done, beginning with the furthest row that its ledger has recorded.
 */
import { STEP_NAMES, type StepName } from '../../../api/node-status.js';
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

const ENDED: Step = { isNeeded: () => true, evaluate: facts => (facts.ledger?.result ? DONE : conclude(facts)) };

/** The order is STEP_NAMES'. `Stop` opens the end: it is reached by a result only. */
export const STEPS: Record<StepName, Step> = {
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

const FIRST_ENDING = STEP_NAMES.indexOf('Stop');

export interface Walk {
  step: StepName;
  result: StepResult;
}

export function walk(facts: Facts): Walk {
  const gone = interrupted(facts);
  if (gone) return { step: facts.ledger?.step ?? 'Claim', result: gone };
  const ended = facts.ledger?.result !== undefined;
  const recorded = furthest(facts.ledger);
  const from = ended ? Math.max(recorded, FIRST_ENDING) : recorded;
  const to = ended ? STEP_NAMES.length : FIRST_ENDING;
  for (const step of STEP_NAMES.slice(from, to)) {
    if (!STEPS[step].isNeeded(facts)) continue;
    const result = STEPS[step].evaluate(facts);
    if (result.is !== 'done') return { step, result: entered(facts, step, result) };
  }
  return ended
    ? { step: 'Release', result: DONE }
    : { step: facts.ledger?.step ?? 'Claim', result: ENDED.evaluate(facts) };
}

/** A step that only a newer release knows does not count: an older one goes on from the last that it knows itself. */
function furthest(ledger: Facts['ledger']): number {
  const recorded = STEP_NAMES.indexOf(ledger?.step ?? 'Claim');
  return recorded >= 0
    ? recorded
    : Math.max(
        0,
        STEP_NAMES.findLastIndex(name => ledger?.stepTimes[name] !== undefined),
      );
}

/** A step that has something to do or to wait for is written down with its time first. */
function entered(facts: Facts, at: StepName, look: StepResult): StepResult {
  const { ledger, now } = facts;
  if (ledger === undefined || ledger.step === at || look.is === 'end' || at === 'Release') return look;
  const change: LedgerChange = {
    ...STEPS[at].onEnter?.(facts),
    step: at,
    stepTimes: { ...ledger.stepTimes, [at]: now.toISOString() },
  };
  const told = look.is === 'wait' || look.is === 'act' ? { reason: look.reason, message: look.message } : {};
  return { is: 'act', action: { do: 'record', change }, ...told };
}

/** Ended already, in a report that outlived the ledger; deleted before anything was done; or another node, or none, under the name that was claimed. */
function interrupted({ node, ledger, name, nodeOp }: Facts): StepResult | undefined {
  if (ledger === undefined || ledger.result !== undefined) return undefined;
  const before = nodeOp.status.nodeStatuses?.[name];
  if (before?.phase === 'Completed' || before?.phase === 'Failed')
    return { is: 'end', phase: before.phase, reason: before.reason ?? 'Done', message: before.message ?? '' };
  if (nodeOp.isAbandoned) return fail('Deleted', 'the operation was deleted, and abandoned as it was');
  if (nodeOp.isDeleting && ledger.stepTimes.Run === undefined)
    return fail('Deleted', 'the operation was deleted before its Job began');
  if (node === undefined)
    return {
      is: 'end',
      phase: 'Failed',
      reason: 'NodeRemoved',
      message: `node ${name} was removed while it was worked on`,
    };
  if (node.metadata.uid !== ledger.nodeUid)
    return { is: 'end', phase: 'Failed', reason: 'NodeReplaced', message: `another node registered as ${name}` };
  return undefined;
}

function conclude({ nodeOp }: Facts): StepResult {
  const message = nodeOp.spec.rebootOnSuccess ? 'Job and reboot completed successfully' : 'Job completed successfully';
  return { is: 'end', phase: 'Completed', reason: 'Done', message };
}
