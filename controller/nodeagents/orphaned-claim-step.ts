/** Decides the next step in undoing a claim whose NodeOp is deleted, which happens when its finalizer is removed by force. Pure. */
import type { NodeAgent } from '../../api/objects.js';
import { LABELS } from '../../api/names.js';
import { agentAnswer } from '../cluster/agent-answer.js';
import { cordonMarkOf, formatCordonMark } from '../cluster/cordon.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import { isReady, type CachedNode } from '../cluster/node.js';

export type OrphanedClaimStep = 'withdraw' | 'wait' | 'uncordon' | 'release';

/** Only the ledger is left to decide by. The node is free when it cannot reboot any more and no Pod of the operation runs on it. */
export function orphanedClaimStep(
  agent: NodeAgent,
  node: CachedNode | undefined,
  pods: readonly CachedPod[],
): OrphanedClaimStep {
  const ledger = agent.spec.operation;
  if (ledger === undefined) return 'release';
  const { reboot, rebootWithdrawn, nodeUid, nodeOp } = ledger;
  if (reboot !== undefined) return 'withdraw';
  const isSameNode = node !== undefined && node.metadata.uid === nodeUid;
  const state = agentAnswer(agent, ledger)?.reboot?.state;
  if (isSameNode && rebootWithdrawn === true && state !== 'Cancelled' && state !== 'Rebooted') return 'wait';
  const isRunning = pods.some(pod => pod.metadata.labels?.[LABELS.nodeOpUid] === nodeOp.uid && isAlive(pod));
  if (isSameNode && isReady(node) && isRunning) return 'wait';
  return cordonMarkOf(node) === formatCordonMark(nodeOp) ? 'uncordon' : 'release';
}
