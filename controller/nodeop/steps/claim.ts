/** Claims the node for this operation and, where the walk depends on the agent, waits for its answer. */
import { CONTRACT } from '../../../api/node-agent.js';
import { after } from '../../../program/clock.js';
import { agentAnswer } from '../../cluster/agent-answer.js';
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { newLedger, isLedgerLost, rebuiltLedger } from '../facts/ledger.js';
import { needsAgent } from '../facts/parsed-nodeop.js';
import type { Step } from './step.js';

/** Long enough for an agent whose Pod is being replaced, and short enough that a broken agent is reported soon. */
const ANSWER_SECONDS = 60;

export const claim: Step = {
  isNeeded: () => true,
  evaluate: facts => (facts.ledger === undefined ? claimNode(facts) : awaitAgent(facts)),
};

function claimNode(facts: Facts): StepResult {
  const { claimedBy, agent, node, hasTurn } = facts;
  if (claimedBy !== undefined) return wait('WaitingForOperation', `waiting for operation ${claimedBy}`);
  if (node === undefined || agent === undefined) return wait('WaitingForAgent', 'the node has no NodeAgent yet');
  if (isLedgerLost(facts)) return act({ do: 'claim', ledger: rebuiltLedger(facts, node.metadata.uid) });
  if (!hasTurn) return wait('WaitingForTurn', 'waiting for its turn');
  return act({ do: 'claim', ledger: newLedger(facts, node.metadata.uid) });
}

function awaitAgent(facts: Facts): StepResult {
  const { agent, ledger, nodeOp, name, now } = facts;
  if (!needsAgent(nodeOp.spec)) return DONE;
  const mismatch = contractMismatch(facts);
  if (agentAnswer(agent, ledger) !== undefined && mismatch === undefined) return DONE;
  const until = after(stepStartedAt(facts, 'Claim'), ANSWER_SECONDS);
  if (now < until) return wait('WaitingForAgent', mismatch ?? 'waiting for the agent of the node', until);
  return fail('AgentNotAnswering', mismatch ?? `the agent of node ${name} did not answer within ${ANSWER_SECONDS} s`);
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
