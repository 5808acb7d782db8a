/** Releases nodes whose NodeOp is deleted. The caches may be behind, so that the API server itself is asked before anything is written. */
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import type { NodeAgent } from '../../api/objects.js';
import { isNotFound } from '../../kube/errors.js';
import type { Kube } from '../../kube/kube.js';
import { withResourceVersion } from '../../kube/patch.js';
import type { Outcome } from '../../kube/reconciler.js';
import { NODES } from '../../kube/resources.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import {
  cordonMarkOf,
  type CordonOwner,
  cordonOwnerOf,
  releasePatch,
  UNCORDON_PATCH,
  UNMARK_PATCH,
} from '../cluster/cordon.js';
import type { CachedNode } from '../cluster/node.js';
import { orphanedClaimStep } from './orphaned-claim-step.js';

/** The agent answers the withdrawal of a reboot that it has already called only when the node stays up long enough. */
const ANSWER_RECHECK_MS = 10_000;

export async function releaseOrphanedClaim(
  agent: NodeAgent,
  node: CachedNode | undefined,
  { kube, caches, log }: { kube: Kube; caches: Caches; log: Log },
): Promise<Outcome> {
  if (!(await isOrphaned(agent, kube, caches))) return { then: 'settled' };
  const { name } = agent.metadata;
  const step = orphanedClaimStep(agent, node, caches.pods.byIndex('node', name));
  log.warn(
    { node: name, operation: agent.spec.operation?.nodeOp, step },
    'the NodeOp that claimed the node is deleted; undoing the claim',
  );
  const swap = async (patch: object) =>
    caches.nodeAgents.put(await kube.patch<NodeAgent>(NODE_AGENT, { name }, withResourceVersion(patch, agent)));
  switch (step) {
    case 'withdraw':
      await swap({ spec: { operation: { reboot: null, rebootWithdrawn: true } } });
      break;
    case 'wait':
      return { then: 'requeue', afterMs: ANSWER_RECHECK_MS };
    case 'uncordon':
      if (node)
        caches.nodes.put(await kube.patch<CachedNode>(NODES, { name }, withResourceVersion(UNCORDON_PATCH, node)));
      break;
    case 'release':
      await swap(releasePatch(agent));
      return { then: 'settled' };
  }
  return { then: 'requeue', afterMs: 0 };
}

/** Uncordons a node whose mark names a deleted NodeOp. A failed NodeOp that still exists keeps its cordon, for inspection. */
export async function undoOrphanedCordon(
  node: CachedNode,
  { kube, caches, log }: { kube: Kube; caches: Caches; log: Log },
): Promise<void> {
  const owner = cordonOwnerOf(node);
  if (owner === undefined || !(await isDeleted(owner, kube, caches))) return;
  log.warn(
    { node: node.metadata.name, nodeOp: `${owner.namespace}/${owner.name}` },
    'the NodeOp that cordoned the node is deleted; uncordoning the node',
  );
  const at = { name: node.metadata.name };
  caches.nodes.put(await kube.patch<CachedNode>(NODES, at, withResourceVersion(UNCORDON_PATCH, node)));
}

/**
 * Somebody has uncordoned the node. A later cordon of theirs would look like that of the operation: it would be undone by it, or by the next
 * one that takes over the cordons of finished operations.
 */
export async function removeStaleMark(
  node: CachedNode,
  { kube, caches, log }: { kube: Kube; caches: Caches; log: Log },
): Promise<void> {
  const at = { name: node.metadata.name };
  log.info({ node: at.name, mark: cordonMarkOf(node) }, 'the node was uncordoned from outside; removing the mark');
  caches.nodes.put(await kube.patch<CachedNode>(NODES, at, withResourceVersion(UNMARK_PATCH, node)));
}

const isOrphaned = async ({ spec: { operation } }: NodeAgent, kube: Kube, caches: Caches): Promise<boolean> =>
  operation !== undefined && (await isDeleted(operation.nodeOp, kube, caches));

async function isDeleted({ namespace, name, uid }: CordonOwner, kube: Kube, caches: Caches): Promise<boolean> {
  if (caches.nodeOps.get({ namespace, name })?.metadata.uid === uid) return false;
  try {
    return (await kube.get(NODE_OP, { namespace, name })).metadata.uid !== uid;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}
