/** Performs one action on one node. Every write carries the resource version or uid of the object that the decision was made on. */
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { FINALIZERS } from '../../../api/names.js';
import type { NodeAgent, NodeOp } from '../../../api/objects.js';
import type { Kube } from '../../../kube/kube.js';
import { withResourceVersion } from '../../../kube/patch.js';
import type { Recorder } from '../../../kube/event-recorder.js';
import { NODES } from '../../../kube/resources.js';
import type { Log } from '../../../program/log.js';
import { cordonPatch, releasePatch, UNCORDON_PATCH } from '../../cluster/cordon.js';
import type { Caches } from '../../cluster/informers.js';
import type { CachedNode } from '../../cluster/node.js';
import { isFinal } from '../../cluster/phases.js';
import type { Action, Facts, LedgerChange } from '../facts/facts.js';
import { isLedgerLost } from '../facts/ledger.js';
import type { JobSettings } from '../facts/manifests.js';
import type { CreatedPods } from '../reads/created-pods.js';
import type { LiveReads } from '../reads/live-reads.js';
import type { ControlPlaneLease } from './control-plane-lease.js';
import * as events from './events.js';
import type { Evictions } from './evictions.js';
import { changeJob, createJob, createPod, deleteJob, deletePods, resumeJob } from './workloads.js';
import { ownValue } from '../../../program/own-value.js';

export interface ActDeps {
  kube: Kube;
  caches: Caches;
  recorder: Recorder;
  evictions: Evictions;
  controlPlane: ControlPlaneLease;
  liveReads: Pick<LiveReads, 'hasChanged'>;
  createdPods: Pick<CreatedPods, 'record'>;
  sentinel: JobSettings['sentinel'];
  log: Log;
}

export async function act(facts: Facts, action: Action, deps: ActDeps): Promise<void> {
  const { nodeOp, name, ledger } = facts;
  const object = `${nodeOp.namespace}/${nodeOp.meta.name}`;
  deps.log.info({ object, node: name, step: ledger?.step ?? 'Claim', ...logFields(action) }, action.do);
  await perform(facts, action, deps);
}

const logFields = (action: Action): object => {
  if (action.do === 'record') return { change: action.change };
  if (action.do === 'evict') return { pods: action.pods.map(pod => pod.metadata.name), past: action.bypassing };
  return {};
};

async function perform(facts: Facts, action: Action, deps: ActDeps): Promise<void> {
  switch (action.do) {
    case 'claim':
      return claim(facts, action.ledger, deps);
    case 'record':
      return record(facts, action.change, deps);
    case 'createPod':
      return createPod(facts, action.pod, deps);
    case 'deletePods':
      return deletePods(action.pods, deps);
    case 'takeControlPlane':
      return takeControlPlane(facts, action.change, deps);
    case 'cordon':
      return cordon(facts, deps);
    case 'uncordon':
      return uncordon(facts, deps);
    case 'evict':
      return deps.evictions.evict(facts, action, deps);
    case 'createJob':
      return createJob(facts, deps);
    case 'resumeJob':
      return resumeJob(action.job, deps);
    case 'suspendJob':
      return changeJob(action.job, { suspend: true }, deps);
    case 'expireJob':
      return changeJob(action.job, { ttlSecondsAfterFinished: action.ttlSeconds }, deps);
    case 'deleteJob':
      return deleteJob(action.job, deps);
    case 'release':
      return release(facts, deps);
    default:
      return unreachable(action);
  }
}

const unreachable = (action: never): never => {
  throw new Error(`unknown action ${JSON.stringify(action)}`);
};

/** Compare-and-swap on the NodeAgent. The saved object goes into the cache, so that the next pass does not decide on the old one. */
async function patchAgent({ agent, name }: Facts, patch: object, { kube, caches }: ActDeps): Promise<void> {
  if (agent === undefined) throw new Error(`NodeAgent ${name} does not exist`);
  caches.nodeAgents.put(await kube.patch<NodeAgent>(NODE_AGENT, { name }, withResourceVersion(patch, agent)));
}

async function claim(facts: Facts, operation: NonNullable<Facts['ledger']>, deps: ActDeps): Promise<void> {
  if (isLedgerLost(facts) && !(await isUnfinished(facts, deps))) return;
  /* The Lease first: a ledger must never claim the turn without having it. */
  if (operation.controlPlane) await deps.controlPlane.acquire({ id: operation.id, node: facts.name });
  const finalizers = [...new Set([...(facts.agent?.metadata.finalizers ?? []), FINALIZERS.claimed])];
  await patchAgent(facts, { metadata: { finalizers }, spec: { operation } }, deps);
  deps.evictions.forgetNode(facts.name);
  deps.recorder.record(events.started(facts));
}

/** A ledger that seems lost may have been released instead: a cached status that is behind must not start the node again. */
async function isUnfinished({ nodeOp, name }: Facts, { kube, caches }: ActDeps): Promise<boolean> {
  const current = await kube.get<NodeOp>(NODE_OP, { name: nodeOp.meta.name, namespace: nodeOp.namespace });
  caches.nodeOps.put(current);
  return current.metadata.uid === nodeOp.meta.uid && !isFinal(ownValue(current.status?.nodeStatuses, name));
}

async function record(facts: Facts, change: LedgerChange, deps: ActDeps): Promise<void> {
  if (change.result?.phase === 'Failed' && (await deps.liveReads.hasChanged(facts))) return;
  await patchAgent(facts, { spec: { operation: change } }, deps);
  for (const event of events.ofChange(facts, change)) deps.recorder.record(event);
}

/** The Lease before the ledger: a run whose ledger claims the turn always has the Lease. */
async function takeControlPlane(facts: Facts, change: LedgerChange, deps: ActDeps): Promise<void> {
  await deps.controlPlane.acquire({ id: facts.ledger?.id ?? '', node: facts.name });
  await record(facts, change, deps);
}

async function release(facts: Facts, deps: ActDeps): Promise<void> {
  const { ledger, agent, name } = facts;
  if (ledger?.controlPlane) await deps.controlPlane.release({ id: ledger.id, node: name });
  await patchAgent(facts, agent ? releasePatch(agent) : {}, deps);
  deps.evictions.forgetNode(name);
}

async function cordon(facts: Facts, deps: ActDeps): Promise<void> {
  await patchNode(facts, cordonPatch(facts.nodeOp.cordonMark), deps);
  for (const event of events.cordoned(facts)) deps.recorder.record(event);
}

async function uncordon(facts: Facts, deps: ActDeps): Promise<void> {
  await patchNode(facts, UNCORDON_PATCH, deps);
  for (const event of events.uncordoned(facts)) deps.recorder.record(event);
}

async function patchNode({ node, name }: Facts, patch: object, { kube, caches }: ActDeps): Promise<void> {
  if (node === undefined) return;
  caches.nodes.put(await kube.patch<CachedNode>(NODES, { name }, withResourceVersion(patch, node)));
}
