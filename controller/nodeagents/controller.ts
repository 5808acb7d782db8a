/** One NodeAgent for every Linux node, owned by it: made when a node joins, gone with it. */
import { NODE_AGENT } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import type { NodeAgent } from '../../api/objects.js';
import { isAlreadyExists } from '../../kube/errors.js';
import type { Kube } from '../../kube/kube.js';
import { ownedBy } from '../../kube/owner.js';
import { withResourceVersion } from '../../kube/patch.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import { NODES } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../caches.js';
import { isLinux, type SeenNode } from '../seen.js';

export interface NodeAgentDeps {
  kube: Kube;
  caches: Caches;
  log: Log;
  clock: Clock;
}

export async function nodeAgentController(deps: NodeAgentDeps, leading: AbortSignal): Promise<void> {
  const { caches, log, clock } = deps;
  const loop = reconciler({ name: 'nodeagent', reconcile: name => reconcile(name, deps), log, clock, workers: 4 });
  caches.nodes.onChange(({ old, new: now }) => {
    if (old && now && old.metadata.uid === now.metadata.uid && wantsLabels(old) === wantsLabels(now)) return;
    loop.enqueue((now ?? old)?.metadata.name ?? '');
  });
  caches.nodeAgents.onChange(({ old, new: now }) => {
    if (now === undefined && old) loop.enqueue(old.metadata.name);
  });
  for (const node of caches.nodes.list()) loop.enqueue(node.metadata.name);
  await loop.run(leading);
}

const wantsLabels = (node: SeenNode): boolean => node.metadata.labels?.[LABELS.managed] !== 'false';

async function reconcile(name: string, { kube, caches, log }: NodeAgentDeps): Promise<Outcome> {
  const node = caches.nodes.get({ name });
  if (node === undefined || !isLinux(node)) return { then: 'settled' };
  const agent = caches.nodeAgents.get({ name });
  if (agent === undefined) {
    const created = await create(node, kube);
    if (created) caches.nodeAgents.put(created);
    log.info({ node: name }, 'NodeAgent created');
    return { then: 'settled' };
  }
  const owner = ownedBy(NODES, node);
  const owned = agent.metadata.ownerReferences?.some(each => each.uid === node.metadata.uid) ?? false;
  if (owned && agent.spec.labels === wantsLabels(node)) return { then: 'settled' };
  const patch = { metadata: { ownerReferences: [owner] }, spec: { labels: wantsLabels(node) } };
  caches.nodeAgents.put(await kube.patch<NodeAgent>(NODE_AGENT, { name }, withResourceVersion(patch, agent)));
  return { then: 'settled' };
}

async function create(node: SeenNode, kube: Kube): Promise<NodeAgent | undefined> {
  const { name } = node.metadata;
  const manifest = {
    apiVersion: `${NODE_AGENT.group}/${NODE_AGENT.version}`,
    kind: NODE_AGENT.kind,
    metadata: { name, ownerReferences: [ownedBy(NODES, node)] },
    spec: { labels: wantsLabels(node) },
  };
  try {
    return await kube.create<NodeAgent>(NODE_AGENT, manifest);
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}
