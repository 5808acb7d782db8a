import type { NodeAgentStatus, Operation } from '../../api/node-agent.js';
import type { NodeAgent } from '../../api/objects.js';

export type AgentAnswer = NonNullable<NodeAgentStatus['operation']>;

/** What the agent has answered to this ledger; an answer to another operation or an earlier attempt is none. */
export function agentAnswer(
  agent: NodeAgent | undefined,
  ledger: Pick<Operation, 'id'> | undefined,
): AgentAnswer | undefined {
  const answer = agent?.status?.operation;
  return ledger !== undefined && answer?.id === ledger.id ? answer : undefined;
}
