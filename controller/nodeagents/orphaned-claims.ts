/** Frees nodes whose NodeOp is gone. Nothing is done before the API server itself has said that it is. */
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import type { NodeAgent } from '../../api/objects.js';
import { isNotFound } from '../../kube/errors.js';
import type { Kube } from '../../kube/kube.js';
import { withResourceVersion } from '../../kube/patch.js';
import type { Outcome } from '../../kube/reconciler.js';
import { NODES } from '../../kube/resources.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import { cordonMarkOf, releasePatch, UNCORDON_PATCH } from '../cluster/cordon.js';
import type { CachedNode } from '../cluster/node.js';
import { orphanedClaimStep } from './orphaned-claim-step.js';

/** The agent may wait out a reboot it has called. */
const ANSWER_RECHECK_MS = 10_000;

export async function releaseOrphanedClaim(
  agent: NodeAgent,
  node: CachedNode | undefined,
  { kube, caches, log }: { kube: Kube; caches: Caches; log: Log },
): Promise<Outcome> {
  if (!(await isOrphaned(agent, kube, caches))) return { then: 'settled' };
  const { name } = agent.metadata;
  const step = orphanedClaimStep(agent, node, caches.pods.byIndex('node', name));
  log.warn({ node: name, operation: agent.spec.operation?.nodeOp, step }, 'the NodeOp that holds the node is gone');
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

/** Undoes a cordon whose NodeOp does not exist any more. The mark of one that failed is kept with it, for inspection. */
export async function undoOrphanedCordon(
  node: CachedNode,
  { kube, caches, log }: { kube: Kube; caches: Caches; log: Log },
): Promise<void> {
  const [, namespace, name, uid] = /^([^/]*)\/([^@]*)@(.*)$/.exec(cordonMarkOf(node) ?? '') ?? [];
  if (namespace === undefined || name === undefined || uid === undefined) return;
  if (!(await isDeleted({ namespace, name, uid }, kube, caches))) return;
  log.warn(
    { node: node.metadata.name, nodeOp: `${namespace}/${name}` },
    'the NodeOp that cordoned the node is gone; uncordoning it',
  );
  const at = { name: node.metadata.name };
  caches.nodes.put(await kube.patch<CachedNode>(NODES, at, withResourceVersion(UNCORDON_PATCH, node)));
}

const isOrphaned = async ({ spec: { operation } }: NodeAgent, kube: Kube, caches: Caches): Promise<boolean> =>
  operation !== undefined && (await isDeleted(operation.nodeOp, kube, caches));

async function isDeleted(
  nodeOp: { namespace: string; name: string; uid: string },
  kube: Kube,
  caches: Caches,
): Promise<boolean> {
  const { namespace, name, uid } = nodeOp;
  if (caches.nodeOps.get({ namespace, name })?.metadata.uid === uid) return false;
  try {
    return (await kube.get(NODE_OP, { namespace, name })).metadata.uid !== uid;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}
