/** Gathers what the caches know of an upgrade. Only where a conclusion would be final is the API server itself asked. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import type { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import { isNotFound } from '../../kube/errors.js';
import type { Kube, Name } from '../../kube/kube.js';
import { controllerOf, isControlledBy } from '../../kube/owner.js';
import { targetsOf } from '../cluster/targets.js';
import { isReady, type CachedNode } from '../cluster/node.js';
import type { CachedPod } from '../cluster/pod.js';
import type { Facts, NodeOpSeen, Target } from './facts.js';
import type { Refusals } from './refusals.js';

export interface View {
  kube: Pick<Kube, 'get'>;
  nodeOps: Pick<Cache<NodeOp>, 'get' | 'put'>;
  nodes: Pick<Cache<CachedNode>, 'get' | 'list'>;
  /** With an index `owner`: uids of a Pod's owners. */
  pods: Pick<Cache<CachedPod>, 'byIndex'>;
  refusals: Pick<Refusals, 'of'>;
}

export async function observe(upgrade: NodeOpUpgrade, spec: NodeOpUpgradeSpec, now: Date, view: View): Promise<Facts> {
  return {
    now,
    upgrade,
    spec,
    nodeOp: nodeOpSeen(upgrade, await nodeOpOf(upgrade, view)),
    targets: targetsSeen(spec, view.nodes),
    probes: view.pods
      .byIndex('owner', upgrade.metadata.uid)
      .filter(pod => pod.metadata.labels?.[LABELS.probe] !== undefined && isControlledBy(pod, upgrade)),
    refusal: view.refusals.of(upgrade),
  };
}

/** A NodeOp that was there and is not seen any more is asked for: a cache may be behind. */
async function nodeOpOf(upgrade: NodeOpUpgrade, { kube, nodeOps }: View): Promise<NodeOp | undefined> {
  const at: Name = { namespace: upgrade.metadata.namespace, name: upgrade.metadata.name };
  const seen = nodeOps.get(at);
  const wasThere = upgrade.status?.nodeOpName !== undefined;
  if (!wasThere || (seen && isControlledBy(seen, upgrade))) return seen;
  try {
    const found = await kube.get<NodeOp>(NODE_OP, at);
    nodeOps.put(found);
    return found;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function nodeOpSeen(upgrade: NodeOpUpgrade, nodeOp: NodeOp | undefined): NodeOpSeen {
  if (nodeOp === undefined) return { is: 'absent' };
  if (isControlledBy(nodeOp, upgrade)) return { is: 'ours', nodeOp };
  const owner = controllerOf(nodeOp);
  const ofNamesake = owner?.kind === NODE_OP_UPGRADE.kind && owner.name === upgrade.metadata.name;
  return { is: ofNamesake || nodeOp.metadata.deletionTimestamp !== undefined ? 'leaving' : 'foreign' };
}

const targetsSeen = (spec: NodeOpUpgradeSpec, nodes: View['nodes']): Target[] =>
  targetsOf(spec, nodes.list())
    .toSorted((a, b) => a.localeCompare(b))
    .map(node => {
      const seen = nodes.get({ name: node });
      return { node, arch: seen?.status?.nodeInfo?.architecture ?? '', ready: isReady(seen) };
    });
