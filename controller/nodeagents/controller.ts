/** Keeps one NodeAgent for every Linux node. The node owns it, so that it is garbage-collected with the node. */
import { NODE_AGENT } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import type { NodeAgent } from '../../api/objects.js';
import { NO_BACKUP } from '../../api/pod-metadata.js';
import { isAlreadyExists } from '../../kube/errors.js';
import type { Recorder } from '../../kube/event-recorder.js';
import type { Kube } from '../../kube/kube.js';
import { controllerReference } from '../../kube/owner.js';
import { withResourceVersion } from '../../kube/patch.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import { NODES } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import { cordonOwnerOf, hasStaleMark } from '../cluster/cordon.js';
import { releaseOrphanedClaim, removeStaleMark, undoOrphanedCordon } from './orphaned-claims.js';
import { isLinux, type CachedNode } from '../cluster/node.js';
import { agentNotFenced, isNewlyUnfenced } from './fence-events.js';

export interface NodeAgentDeps {
  kube: Kube;
  caches: Caches;
  recorder: Recorder;
  log: Log;
  clock: Clock;
}

export async function nodeAgentController(deps: NodeAgentDeps, leading: AbortSignal): Promise<void> {
  const { caches, log, clock } = deps;
  const loop = reconciler({ name: 'nodeagent', reconcile: name => reconcile(name, deps), log, clock, workers: 4 });
  caches.nodes.onChange(({ old, new: now }) => {
    if (old && now && isSameForNodeAgent(old, now)) return;
    loop.enqueue((now ?? old)?.metadata.name ?? '');
  });
  caches.nodeAgents.onChange(({ old, new: now }) => {
    const name = (now ?? old)?.metadata.name ?? '';
    reportUnfenced(deps, old, now);
    if (now === undefined || isClaimOrphaned(now, caches)) loop.enqueue(name);
  });
  caches.nodeOps.onChange(({ old, new: now }) => {
    if (now || !old) return;
    for (const agent of caches.nodeAgents.byIndex('operation', old.metadata.uid)) loop.enqueue(agent.metadata.name);
    for (const node of caches.nodes.list())
      if (cordonOwnerOf(node)?.uid === old.metadata.uid) loop.enqueue(node.metadata.name);
  });
  for (const agent of caches.nodeAgents.list()) reportUnfenced(deps, undefined, agent);
  for (const { metadata } of [...caches.nodes.list(), ...caches.nodeAgents.list()]) loop.enqueue(metadata.name);
  await loop.run(leading);
}

function reportUnfenced({ caches, recorder }: NodeAgentDeps, old: NodeAgent | undefined, now: NodeAgent | undefined) {
  if (now === undefined || !isNewlyUnfenced(old, now)) return;
  const node = caches.nodes.get({ name: now.metadata.name });
  if (node) recorder.record(agentNotFenced(node, now));
}

/** By the caches alone, which may be behind: `releaseOrphanedClaim` asks the API server. */
function isClaimOrphaned({ spec: { operation } }: NodeAgent, caches: Caches): boolean {
  return operation !== undefined && caches.nodeOps.get(operation.nodeOp)?.metadata.uid !== operation.nodeOp.uid;
}

/** A node may get the labels that say what it is only after it has registered. */
const isSameForNodeAgent = (a: CachedNode, b: CachedNode): boolean =>
  a.metadata.uid === b.metadata.uid &&
  wantsLabels(a) === wantsLabels(b) &&
  isLinux(a) === isLinux(b) &&
  hasStaleMark(a) === hasStaleMark(b);

const wantsLabels = (node: CachedNode): boolean => node.metadata.labels?.[LABELS.managed] !== 'false';

async function reconcile(name: string, deps: NodeAgentDeps): Promise<Outcome> {
  const { kube, caches, log } = deps;
  const found = caches.nodes.get({ name });
  if (found && hasStaleMark(found)) await removeStaleMark(found, deps);
  const node = caches.nodes.get({ name });
  const existing = caches.nodeAgents.get({ name });
  if (existing && isClaimOrphaned(existing, caches)) return releaseOrphanedClaim(existing, node, deps);
  if (node && existing?.spec.operation === undefined) await undoOrphanedCordon(node, deps);
  if (node === undefined || !isLinux(node)) return { then: 'settled' };
  const agent = caches.nodeAgents.get({ name });
  if (agent === undefined) {
    const created = await create(node, kube);
    if (created) caches.nodeAgents.put(created);
    log.info({ node: name }, 'NodeAgent created');
    return { then: 'settled' };
  }
  const owner = controllerReference(NODES, node);
  const isOwned = agent.metadata.ownerReferences?.some(each => each.uid === node.metadata.uid) ?? false;
  if (isOwned && agent.spec.labels === wantsLabels(node)) return { then: 'settled' };
  const patch = { metadata: { labels: NO_BACKUP, ownerReferences: [owner] }, spec: { labels: wantsLabels(node) } };
  caches.nodeAgents.put(await kube.patch<NodeAgent>(NODE_AGENT, { name }, withResourceVersion(patch, agent)));
  return { then: 'settled' };
}

async function create(node: CachedNode, kube: Kube): Promise<NodeAgent | undefined> {
  const { name } = node.metadata;
  const manifest = {
    apiVersion: `${NODE_AGENT.group}/${NODE_AGENT.version}`,
    kind: NODE_AGENT.kind,
    metadata: { name, labels: NO_BACKUP, ownerReferences: [controllerReference(NODES, node)] },
    spec: { labels: wantsLabels(node) },
  };
  try {
    return await kube.create<NodeAgent>(NODE_AGENT, manifest);
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}
