/** Gathers what the caches know of an upgrade. The API server itself is read only where a wrong conclusion could not be corrected. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import type { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import { isNotFound } from '../../kube/errors.js';
import type { Kube, Name } from '../../kube/kube.js';
import { controllerOf, isControlledBy } from '../../kube/owner.js';
import { isReady, type CachedNode } from '../cluster/node.js';
import { ownedBy } from '../cluster/owner-index.js';
import type { CachedPod } from '../cluster/pod.js';
import { targetsOf } from '../cluster/targets.js';
import type { Facts, ObservedNodeOp, Target } from './facts.js';
import type { Refusals } from './refusals.js';

export interface View {
  kube: Pick<Kube, 'get'>;
  nodeOps: Pick<Cache<NodeOp>, 'get' | 'put'>;
  nodes: Pick<Cache<CachedNode>, 'get' | 'list'>;
  /** With an index `owner` (`owner-index.ts`). */
  pods: Pick<Cache<CachedPod>, 'byIndex'>;
  refusals: Pick<Refusals, 'of'>;
}

export async function observe(upgrade: NodeOpUpgrade, spec: NodeOpUpgradeSpec, now: Date, view: View): Promise<Facts> {
  return {
    now,
    upgrade,
    spec,
    nodeOp: classify(upgrade, await findNodeOp(upgrade, view)),
    targets: observeTargets(spec, view.nodes),
    probes: ownedBy(view.pods, upgrade).filter(
      pod => pod.metadata.labels?.[LABELS.probe] !== undefined && isControlledBy(pod, upgrade),
    ),
    refusal: view.refusals.of(upgrade),
  };
}

/** A NodeOp that existed and is missing in the cache is read from the API server, because the cache may be stale. */
async function findNodeOp(upgrade: NodeOpUpgrade, { kube, nodeOps }: View): Promise<NodeOp | undefined> {
  const at: Name = { namespace: upgrade.metadata.namespace, name: upgrade.metadata.name };
  const cached = nodeOps.get(at);
  const hasExisted = upgrade.status?.nodeOpName !== undefined;
  if (!hasExisted || (cached && isControlledBy(cached, upgrade))) return cached;
  try {
    const found = await kube.get<NodeOp>(NODE_OP, at);
    nodeOps.put(found);
    return found;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function classify(upgrade: NodeOpUpgrade, nodeOp: NodeOp | undefined): ObservedNodeOp {
  if (nodeOp === undefined) return { is: 'absent' };
  if (isControlledBy(nodeOp, upgrade)) return { is: 'owned', nodeOp };
  const owner = controllerOf(nodeOp);
  const isOfDeletedUpgrade = owner?.kind === NODE_OP_UPGRADE.kind && owner.name === upgrade.metadata.name;
  return {
    is: isOfDeletedUpgrade || nodeOp.metadata.deletionTimestamp !== undefined ? 'terminating' : 'foreign',
  };
}

const observeTargets = (spec: NodeOpUpgradeSpec, nodes: View['nodes']): Target[] =>
  targetsOf(spec, nodes.list())
    .toSorted((a, b) => a.localeCompare(b))
    .map(name => {
      const node = nodes.get({ name });
      return { node: name, arch: node?.status?.nodeInfo?.architecture ?? '', ready: isReady(node) };
    });
