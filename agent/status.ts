/** Builds the complete status of the NodeAgent from the observed facts and the answers to the controller. */
import type { CheckAnswer, CONTRACT, NodeAgentStatus, RebootAnswer } from '../api/node-agent.js';
import type { NodeAgent } from '../api/objects.js';
import type { Facts } from './observe.js';
import { bootFallback } from './boot-fallback.js';
import { checkRelease } from './release-check.js';

/** The contract version that controller and agent compare. Importing the value would pull the schemas into the bundle, hence only its type. */
const contract: typeof CONTRACT = 1;

export interface StatusParts {
  agentVersion: string;
  stateDir: string;
  facts: Facts;
  /** The answer to the reboot request, as decided in this reconciliation. */
  reboot?: RebootAnswer;
  /** Whether what the status says about a release so far stays when none was found on the host. */
  keepRelease?: boolean;
}

/** The status to store. Fields whose value is undefined are to be removed. */
export function statusOf(agent: NodeAgent, parts: StatusParts): NodeAgentStatus {
  const { agentVersion, stateDir, facts, reboot, keepRelease } = parts;
  const previous = agent.status;
  const isSameBoot = previous?.boot?.id === facts.boot.id;
  /* A boot may have started another system: what was read in an earlier one is no release of this one. */
  const release = facts.release ?? (keepRelease && isSameBoot ? previous.release : undefined);
  const operation = operationStatus(agent, { ...facts, release }, reboot);
  const isLabeled = facts.release !== undefined || (keepRelease === true && mayBeLabeled(agent));
  return {
    observedGeneration: agent.metadata.generation,
    agentVersion,
    contract,
    stateDir,
    stateDirError: facts.stateDirError,
    fileErrors: facts.fileErrors,
    /* The start of a boot is computed from the uptime, which may differ by a second each time: the first value stays. */
    boot: { ...facts.boot, since: (isSameBoot ? previous.boot?.since : undefined) ?? facts.boot.since },
    release,
    labeled: isLabeled || undefined,
    system: facts.system,
    operation,
    fence: facts.fence ?? previous?.fence,
    fellBack: bootFallback(facts, previous?.fellBack, agent.spec.operation, operation),
  };
}

/** Whether the Node may have labels of the agent, according to the status. An agent before this field wrote only the release. */
export const mayBeLabeled = ({ status }: NodeAgent): boolean =>
  status?.labeled === true || status?.release !== undefined;

function operationStatus(agent: NodeAgent, facts: Facts, reboot?: RebootAnswer): NodeAgentStatus['operation'] {
  const operation = agent.spec.operation;
  if (!operation) return undefined;
  const previous = agent.status?.operation?.id === operation.id ? agent.status.operation : undefined;
  const isSameBoot = agent.status?.boot?.id === facts.boot.id;
  const rebootSeen = (isSameBoot ? previous?.rebootSeenUptimeSeconds : undefined) ?? facts.uptimeSeconds;
  return {
    id: operation.id,
    /* Both are written once, together with what changes anyway: an idle agent sends no request. */
    seenAt: previous ? previous.seenAt : facts.now?.toISOString(),
    rebootSeenUptimeSeconds: operation.reboot?.timeoutSeconds === undefined ? undefined : rebootSeen,
    check: operation.check && (previous?.check ?? answerCheck(agent, facts)),
    reboot,
  };
}

/** Answered once per operation: after the upgrade, the same question would get another answer. */
function answerCheck(agent: NodeAgent, facts: Facts): CheckAnswer | undefined {
  const question = agent.spec.operation?.check;
  if (!question) return undefined;
  const { release, identityUnknown, boot } = facts;
  return checkRelease(question, { release, identityUnknown, state: boot.state, fellBack: agent.status?.fellBack });
}
