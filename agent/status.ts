/** Facts and answers → the status of the NodeAgent, whole. */
import type { CheckAnswer, CONTRACT, NodeAgentStatus, RebootAnswer } from '../api/node-agent.js';
import type { NodeAgent } from '../api/objects.js';
import type { Facts } from './observe.js';
import { bootFallback } from './boot-fallback.js';
import { checkAnswer } from './preflight.js';

/** The number both sides compare. Its own file would bring the schemas with it, so only its type comes from there. */
const contract: typeof CONTRACT = 1;

export interface StatusInput {
  agentVersion: string;
  stateDir: string;
  facts: Facts;
  /** What became of the wish to reboot, as decided now. */
  reboot?: RebootAnswer;
  /** The release known so far stays, where the host tells of none. */
  keepRelease?: boolean;
}

export function statusOf(agent: NodeAgent, telling: StatusInput): NodeAgentStatus {
  const { agentVersion, stateDir, facts, reboot, keepRelease } = telling;
  const known = agent.status;
  const operation = operationStatus(agent, facts, reboot);
  return {
    observedGeneration: agent.metadata.generation,
    agentVersion,
    contract,
    stateDir,
    /* Reckoned from the uptime, it would differ by a second from start to start. */
    boot: known?.boot?.id === facts.boot.id ? { ...facts.boot, since: known.boot.since } : facts.boot,
    release: facts.release ?? (keepRelease ? known?.release : undefined),
    system: facts.system,
    operation,
    fellBack: bootFallback(facts, known?.fellBack, agent.spec.operation, operation),
  };
}

function operationStatus(agent: NodeAgent, facts: Facts, reboot?: RebootAnswer): NodeAgentStatus['operation'] {
  const asked = agent.spec.operation;
  if (!asked) return undefined;
  const answered = agent.status?.operation?.id === asked.id ? agent.status.operation : undefined;
  return { id: asked.id, check: asked.check && (answered?.check ?? check(agent, facts)), reboot };
}

/** Given once per operation: after the upgrade the same question would have another answer. */
function check(agent: NodeAgent, facts: Facts): CheckAnswer | undefined {
  const ask = agent.spec.operation?.check;
  if (!ask) return undefined;
  return checkAnswer(ask, { release: facts.release, state: facts.boot.state, fellBack: agent.status?.fellBack });
}
