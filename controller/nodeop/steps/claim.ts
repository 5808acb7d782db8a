/** The node becomes this operation's alone; its agent must answer where it will be needed. */
import { CONTRACT } from '../../../api/node-agent.js';
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { after } from '../../../program/clock.js';
import type { Step } from './step.js';
import { newLedger, isLedgerLost, rebuiltLedger } from '../facts/ledger.js';
import { needsAgent } from '../facts/parsed-nodeop.js';

/** Long enough for an agent's Pod that is just being replaced; short enough to be told of before anybody wonders. */
const ECHO_SECONDS = 60;

export const claim: Step = {
  isNeeded: () => true,
  evaluate(facts): StepResult {
    const { ledger, claimedBy, agent, node, hasTurn, nodeOp } = facts;
    if (ledger === undefined) {
      if (claimedBy !== undefined) return wait('WaitingForOperation', `waiting for operation ${claimedBy}`);
      if (node === undefined || agent === undefined) return wait('WaitingForAgent', 'the node has no NodeAgent yet');
      if (isLedgerLost(facts)) return act({ do: 'claim', ledger: rebuiltLedger(facts, node.metadata.uid) });
      if (!hasTurn) return wait('WaitingForTurn', 'waiting for its turn');
      return act({ do: 'claim', ledger: newLedger(facts, node.metadata.uid) });
    }
    const stranger = foreignContract(facts);
    if (!needsAgent(nodeOp.spec) || (answered(facts) && stranger === undefined)) return DONE;
    const until = after(stepStartedAt(facts, 'Claim'), ECHO_SECONDS);
    if (facts.now < until) return wait('WaitingForAgent', stranger ?? 'waiting for the agent of the node', until);
    const silent = `the agent of node ${facts.name} did not answer within ${ECHO_SECONDS} s`;
    return fail('AgentNotAnswering', stranger ?? silent);
  },
};

const answered = ({ agent, ledger }: Facts) => agent?.status?.operation?.id === ledger?.id;

/** An agent of another release may take our words for something else. It is waited for like a silent one: it may be about to be replaced. */
function foreignContract({ agent, name }: Facts): string | undefined {
  const { contract = CONTRACT, agentVersion = 'unknown' } = agent?.status ?? {};
  if (contract === CONTRACT) return undefined;
  return `the agent of node ${name} (version ${agentVersion}) keeps contract ${contract}, this controller knows ${CONTRACT} only: controller and agents must be of one release`;
}
