/** A claim whose NodeOp is gone, by a finalizer that was forced off: what is left to undo, from the ledger alone. Pure. */
import type { NodeAgent } from '../../api/objects.js';
import { LABELS } from '../../api/names.js';
import { cordonMarkOf } from '../cluster/cordon.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import { isReady, type CachedNode } from '../cluster/node.js';

export type OrphanedClaimStep = 'withdraw' | 'wait' | 'uncordon' | 'release';

export function orphanedClaimStep(
  agent: NodeAgent,
  node: CachedNode | undefined,
  pods: readonly CachedPod[],
): OrphanedClaimStep {
  const operation = agent.spec.operation;
  if (operation === undefined) return 'release';
  const { reboot, rebootWithdrawn, id, nodeUid, nodeOp } = operation;
  const same = node !== undefined && node.metadata.uid === nodeUid;
  if (reboot !== undefined) return 'withdraw';
  const answer = agent.status?.operation?.id === id ? agent.status.operation.reboot?.state : undefined;
  if (same && rebootWithdrawn === true && answer !== 'Cancelled' && answer !== 'Rebooted') return 'wait';
  const running = pods.some(pod => pod.metadata.labels?.[LABELS.nodeOpUid] === nodeOp.uid && isAlive(pod));
  if (same && isReady(node) && running) return 'wait';
  return cordonMarkOf(node) === `${nodeOp.namespace}/${nodeOp.name}@${nodeOp.uid}` ? 'uncordon' : 'release';
}
