/** Whether a Node that was registered anew under the name of a claimed one belongs to the same machine. Pure. */
import { agentAnswer } from '../../cluster/agent-answer.js';
import { bootIdOf } from '../../cluster/node.js';
import { compareSystemUUID } from '../../cluster/system-uuid.js';
import type { Facts } from './facts.js';

/** `unknown` until the agent of the new Node has answered. */
export function compareMachines(facts: Facts): 'same' | 'other' | 'unknown' {
  const { node, ledger, isSystemUUIDShared } = facts;
  if (node === undefined || ledger === undefined) return 'unknown';
  /* A boot id is random: the machine never went down, and only its kubelet was restarted. */
  if (bootIdOf(node) !== undefined && bootIdOf(node) === ledger.bootIdBefore) return 'same';
  const byUUID = compareSystemUUID(ledger.systemUUID, node, isSystemUUIDShared);
  return byUUID === 'unknown' ? byAgent(facts) : byUUID;
}

/** The journal on the disk of the machine proves that the operation ran there. An answer from another boot may be of another machine. */
function byAgent({ node, agent, ledger }: Facts): 'same' | 'other' | 'unknown' {
  const answer = agentAnswer(agent, ledger)?.reboot;
  if (agent?.status?.boot?.id !== bootIdOf(node) || answer?.state !== 'Rebooted') return 'unknown';
  return answer.recordedOnHost === true ? 'same' : 'other';
}
