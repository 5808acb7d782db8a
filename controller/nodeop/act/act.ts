/** Performs one action on one node. Every write carries the version or uid that it was decided on. */
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { FINALIZERS } from '../../../api/names.js';
import type { NodeAgent, NodeOp } from '../../../api/objects.js';
import type { Kube } from '../../../kube/kube.js';
import { withResourceVersion } from '../../../kube/patch.js';
import type { Event, Recorder } from '../../../kube/recorder.js';
import { NODES } from '../../../kube/resources.js';
import type { Log } from '../../../program/log.js';
import type { Caches } from '../../cluster/informers.js';
import { cordonPatch, releasePatch, UNCORDON_PATCH } from '../../cluster/cordon.js';
import type { CachedNode } from '../../cluster/node.js';
import type { ControlPlaneLease } from './control-plane-lease.js';
import { sortPods, stayWords } from '../steps/drainable-pods.js';
import * as events from './events.js';
import type { Evictions } from './evictions.js';
import type { Action, Facts, LedgerChange } from '../facts/facts.js';
import { isLost } from '../facts/ledger.js';
import type { LiveReads } from '../reads/live-reads.js';
import { hasRebooted } from '../steps/reboot.js';
import { isFinal } from '../../cluster/phases.js';
import type { JobSettings } from '../facts/manifests.js';
import { changeJob, createJob, createPod, deleteJob, deletePods, resumeJob } from './workloads.js';

export interface ActDeps {
  kube: Kube;
  caches: Caches;
  recorder: Recorder;
  evictions: Evictions;
  controlPlane: ControlPlaneLease;
  liveReads: Pick<LiveReads, 'hasChanged'>;
  sentinel: JobSettings['sentinel'];
  log: Log;
}

export async function act(facts: Facts, action: Action, hands: ActDeps): Promise<void> {
  const { nodeOp, name, ledger } = facts;
  hands.log.info(
    {
      object: `${nodeOp.namespace}/${nodeOp.meta.name}`,
      node: name,
      step: ledger?.step ?? 'Claim',
      ...logFields(action),
    },
    action.do,
  );
  await perform(facts, action, hands);
}

/** What of an action belongs into a log line. */
const logFields = (action: Action): object => {
  if (action.do === 'record') return { change: action.change };
  if (action.do === 'evict') return { pods: action.pods.map(pod => pod.metadata.name), past: action.past };
  return {};
};

async function perform(facts: Facts, action: Action, hands: ActDeps): Promise<void> {
  switch (action.do) {
    case 'claim':
      return claim(facts, action.ledger, hands);
    case 'record':
      return record(facts, action.change, hands);
    case 'createPod':
      return createPod(facts, action.pod, hands);
    case 'deletePods':
      return deletePods(action.pods, hands);
    case 'takeControlPlane':
      return takeControlPlane(facts, action.change, hands);
    case 'cordon':
      return cordon(facts, hands);
    case 'uncordon':
      return uncordon(facts, hands);
    case 'evict':
      return hands.evictions.evict(facts, action, hands);
    case 'createJob':
      return createJob(facts, hands);
    case 'resumeJob':
      return resumeJob(action.job, hands);
    case 'suspendJob':
      return changeJob(action.job, { suspend: true }, hands);
    case 'expireJob':
      return changeJob(action.job, { ttlSecondsAfterFinished: action.ttlSeconds }, hands);
    case 'deleteJob':
      return deleteJob(action.job, hands);
    case 'release':
      return release(facts, hands);
    default:
      return unreachable(action);
  }
}

const unreachable = (action: never): never => {
  throw new Error(`unknown action ${JSON.stringify(action)}`);
};

/** Compare-and-swap on the NodeAgent; the new version is what the next look sees. */
async function swap({ agent, name }: Facts, patch: object, { kube, caches }: ActDeps): Promise<void> {
  if (agent === undefined) throw new Error(`NodeAgent ${name} is gone`);
  caches.nodeAgents.put(await kube.patch<NodeAgent>(NODE_AGENT, { name }, withResourceVersion(patch, agent)));
}

async function claim(facts: Facts, operation: NonNullable<Facts['ledger']>, hands: ActDeps): Promise<void> {
  if (isLost(facts) && !(await isUnderWayStill(facts, hands))) return;
  /* A ledger that says so must not be written before it is true. */
  if (operation.controlPlane) await hands.controlPlane.take({ id: operation.id, node: facts.name });
  const finalizers = [...new Set([...(facts.agent?.metadata.finalizers ?? []), FINALIZERS.claimed])];
  await swap(facts, { metadata: { finalizers }, spec: { operation } }, hands);
  hands.evictions.forgetNode(facts.name);
  hands.recorder.record(events.started(facts));
}

async function record(facts: Facts, change: LedgerChange, hands: ActDeps): Promise<void> {
  if (change.result?.phase === 'Failed' && (await hands.liveReads.hasChanged(facts))) return;
  await swap(facts, { spec: { operation: change } }, hands);
  if (change.reboot) hands.recorder.record(events.rebootAsked(facts));
  if (change.step === 'Run') recordStayingPods(facts, hands);
  if (change.step && !change.result) recordPreflightWarnings(facts, hands);
  if (change.drainSkipped) hands.recorder.record(events.drainSkipped(facts));
  if (facts.ledger?.step === 'Reboot' && hasRebooted(facts)) recordIfAny(events.rebooted(facts), hands);
  if (change.result) hands.recorder.record(events.ended(facts, change.result));
}

/** What looks lost may only be released: a report that is behind must not start it again. */
async function isUnderWayStill({ nodeOp, name }: Facts, { kube, caches }: ActDeps): Promise<boolean> {
  const now = await kube.get<NodeOp>(NODE_OP, { name: nodeOp.meta.name, namespace: nodeOp.namespace });
  caches.nodeOps.put(now);
  return now.metadata.uid === nodeOp.meta.uid && !isFinal(now.status?.nodeStatuses?.[name]);
}

/** The Lease first, the ledger after it: so the Lease is never held by a walk that says it does not hold it. */
async function takeControlPlane(facts: Facts, change: LedgerChange, hands: ActDeps): Promise<void> {
  await hands.controlPlane.take({ id: facts.ledger?.id ?? '', node: facts.name });
  await record(facts, change, hands);
}

async function release(facts: Facts, hands: ActDeps): Promise<void> {
  const { ledger, agent, name } = facts;
  if (ledger?.controlPlane) await hands.controlPlane.giveBack({ id: ledger.id, node: name });
  await swap(facts, agent ? releasePatch(agent) : {}, hands);
  hands.evictions.forgetNode(name);
}

async function cordon(facts: Facts, hands: ActDeps): Promise<void> {
  await patchNode(facts, cordonPatch(facts.nodeOp.mark), hands);
  recordIfAny(events.cordoned(facts), hands);
}

async function uncordon(facts: Facts, hands: ActDeps): Promise<void> {
  await patchNode(facts, UNCORDON_PATCH, hands);
  recordIfAny(events.uncordoned(facts), hands);
}

async function patchNode({ node, name }: Facts, patch: object, { kube, caches }: ActDeps): Promise<void> {
  if (node === undefined) return;
  caches.nodes.put(await kube.patch<CachedNode>(NODES, { name }, withResourceVersion(patch, node)));
}

const recordIfAny = (event: Event | undefined, { recorder }: ActDeps): void => {
  if (event) recorder.record(event);
};

/** Said when the preflight is left behind. */
function recordPreflightWarnings(facts: Facts, { recorder }: ActDeps): void {
  const { ledger, agent } = facts;
  const answer = agent?.status?.operation?.id === ledger?.id ? agent?.status?.operation?.check : undefined;
  if (ledger?.step !== 'Claim' && ledger?.step !== 'Preflight') return;
  for (const oddity of answer?.warnings ?? []) recorder.record(events.preflightWarning(oddity)(facts));
}

/** The drain is over: what it left where it was is said once. */
function recordStayingPods(facts: Facts, { recorder }: ActDeps): void {
  const { nodeOp, pods, ownNamespace, ledger } = facts;
  const options = nodeOp.spec.drainOptions;
  if (!nodeOp.spec.cordon || options?.enabled !== true || ledger?.drainSkipped === true) return;
  const { stay } = sortPods(pods, options, ownNamespace);
  if (stay.length === 0) return;
  recorder.record(events.podsStay(stayWords(stay))(facts));
}
