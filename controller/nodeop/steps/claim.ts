/** Claims the node for this operation and, where the walk depends on the agent, waits for its answer. */
import { CONTRACT } from '../../../api/node-agent.js';
import { after } from '../../../program/clock.js';
import { agentAnswer } from '../../cluster/agent-answer.js';
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { lostNode } from '../facts/lost-node.js';
import { newLedger, isLedgerLost, rebuiltLedger } from '../facts/ledger.js';
import { needsAgent } from '../facts/parsed-nodeop.js';
import type { Step } from './step.js';
import { ownValue } from '../../../program/own-value.js';

/** Long enough for an agent whose Pod is being replaced, and short enough that a broken agent is reported soon. */
const ANSWER_SECONDS = 60;

export const claim: Step = {
  isNeeded: () => true,
  evaluate: facts => (facts.ledger === undefined ? claimNode(facts) : awaitAgent(facts)),
};

function claimNode(facts: Facts): StepResult {
  const { agent, node, hasTurn } = facts;
  const other = otherOperation(facts);
  if (other !== undefined) return wait('WaitingForOperation', `waiting for operation ${other}`);
  if (node === undefined && isLedgerLost(facts)) return awaitLostNode(facts);
  if (node === undefined || agent === undefined) return wait('WaitingForAgent', 'the node has no NodeAgent yet');
  if (isLedgerLost(facts)) return act({ do: 'claim', ledger: rebuiltLedger(facts, node.metadata.uid) });
  if (!hasTurn) return wait('WaitingForTurn', 'waiting for its turn');
  return act({ do: 'claim', ledger: newLedger(facts, node.metadata.uid) });
}

/** Node and NodeAgent are gone: only the status still says how far the walk had come. On a node that is gone, nothing has to be undone. */
function awaitLostNode(facts: Facts): StepResult {
  const { nodeOp, name } = facts;
  const { nodeUid = '', stepTimes } = ownValue(nodeOp.status.nodeStatuses, name) ?? {};
  const rebuilt = rebuiltLedger(facts, nodeUid);
  const { result } = rebuilt;
  if (result) return { is: 'end', phase: result.phase, reason: result.reason ?? 'Done', message: result.message };
  /* Of very many active nodes the status keeps no times, from which the end of the wait is computed. */
  const isReturnAwaited = stepTimes !== undefined && !nodeOp.isAbandoned;
  const ledger = isReturnAwaited ? rebuilt : newLedger(facts, nodeUid);
  return lostNode({ ...facts, ledger }) ?? wait('WaitingForAgent', 'the node has no NodeAgent yet');
}

/** The operation that has the node or comes first on it. A node that was started before its ledger was lost keeps its place. */
export const otherOperation = (facts: Facts): string | undefined =>
  facts.claimedBy ?? (isLedgerLost(facts) ? undefined : facts.olderOperation);

function awaitAgent(facts: Facts): StepResult {
  const { agent, ledger, nodeOp, name, now } = facts;
  if (!needsAgent(nodeOp.spec)) return DONE;
  const mismatch = contractMismatch(facts);
  if (agentAnswer(agent, ledger) !== undefined && mismatch === undefined) return checkStateDir(facts);
  const until = after(stepStartedAt(facts, 'Claim'), ANSWER_SECONDS);
  if (now < until) return wait('WaitingForAgent', mismatch ?? 'waiting for the agent of the node', until);
  return fail('AgentNotAnswering', mismatch ?? `the agent of node ${name} did not answer within ${ANSWER_SECONDS} s`);
}

/** A reboot needs the journal, and the Job its sentinel: without a directory for them, the command would run in vain. */
function checkStateDir({ agent, nodeOp, name }: Facts): StepResult {
  const { stateDir = '', stateDirError } = agent?.status ?? {};
  if (!nodeOp.spec.rebootOnSuccess || stateDirError === undefined) return DONE;
  return fail('StateDirNotWritable', `the agent of node ${name} cannot write to ${stateDir}: ${stateDirError}`);
}

/** Certificates and tokens of a node stop working when its clock is far off; the walk itself does not depend on it. */
const MAX_CLOCK_SKEW_SECONDS = 300;

/**
 * How far the clock of the node is off, if it is off for certain: the agent has seen the operation after it was claimed, and before now.
 * An agent of an older release does not report its clock.
 */
export function clockSkewMessage(facts: Facts): string | undefined {
  const { agent, ledger, now } = facts;
  const seenAt = Date.parse(agentAnswer(agent, ledger)?.seenAt ?? '');
  const behind = Math.round((stepStartedAt(facts, 'Claim').getTime() - seenAt) / 1000);
  const ahead = Math.round((seenAt - now.getTime()) / 1000);
  if (ahead > MAX_CLOCK_SKEW_SECONDS) return `the clock of the node is ${ahead} s ahead of the controller's`;
  if (behind > MAX_CLOCK_SKEW_SECONDS) return `the clock of the node is ${behind} s behind the controller's`;
  return undefined;
}

/**
 * An agent with another contract may misunderstand the ledger. The walk waits for it like for an agent that does not answer, because a
 * rollout may be about to replace it.
 */
function contractMismatch({ agent, name }: Facts): string | undefined {
  const { contract = CONTRACT, agentVersion = 'unknown' } = agent?.status ?? {};
  if (contract === CONTRACT) return undefined;
  return `the agent of node ${name} (version ${agentVersion}) has contract ${contract}, this controller supports only ${CONTRACT}: controller and agents must be of the same release`;
}
