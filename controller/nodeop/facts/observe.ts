/** Gathers what the caches know of an operation's nodes. */
import type { Operation } from '../../../api/node-agent.js';
import type { Caches } from '../../cluster/informers.js';
import { isControlPlane } from '../../cluster/control-plane.js';
import { cordonMarkOf } from '../../cluster/cordon.js';
import { isCordoned, isReady, type CachedNode } from '../../cluster/node.js';
import type { CachedPod } from '../../cluster/pod.js';
import type { Facts, PodRefusal, EvictionRefusal } from './facts.js';
import { objectName } from './manifests.js';
import { isLedgerLost } from './ledger.js';
import { isFinal } from '../../cluster/phases.js';
import { operationId, type ParsedNodeOp } from './parsed-nodeop.js';

/** What is the same for all nodes of one pass; gathered once. */
export interface ClusterView {
  caches: Caches;
  evictions: EvictionMemory;
  /** Why the Pods of the Jobs may not be admitted. */
  podRefusal?: PodRefusal;
  /** The last refusal of an act, by node. */
  refusedWrites: ReadonlyMap<string, string>;
  /** Nodes that an operation holds of which no NodeAgent tells. */
  nodesHeldByLegacy?: ReadonlyMap<string, string>;
  defaultImage: string;
  ownNamespace: string;
  now: Date;
  /** Ready nodes that take pods, or will again when their operation is over. */
  schedulableNodes: ReadonlySet<string>;
  daemonSets: ReadonlySet<string>;
  kubernetesCeiling?: string;
  controlPlanes: readonly ControlPlaneState[];
}

/** What the drain remembers of its evictions, in memory only. */
interface EvictionMemory {
  /** By uid of the pod. */
  readonly refusals: ReadonlyMap<string, EvictionRefusal>;
  /** Whether the pod came to the node for one that was evicted from it. */
  isReplacement(pod: CachedPod): boolean;
}

interface ControlPlaneState {
  name: string;
  ready: boolean;
  /** Namespace and name of the operation that may disturb it now. */
  activeOperation?: string;
  /** And it has its turn, or its reboot. */
  hasTurn: boolean;
}

type ClusterViewInput = Omit<ClusterView, 'schedulableNodes' | 'daemonSets' | 'kubernetesCeiling' | 'controlPlanes'>;

export function clusterViewOf(given: ClusterViewInput): ClusterView {
  const nodes = given.caches.nodes.list();
  return {
    ...given,
    schedulableNodes: new Set(nodes.filter(node => isSchedulable(node, given.caches)).map(node => node.metadata.name)),
    daemonSets: new Set(given.caches.daemonSets.list().map(set => set.metadata.uid)),
    kubernetesCeiling: lowestMinor(nodes.filter(isControlPlane)),
    controlPlanes: nodes.filter(isControlPlane).map(node => controlPlaneState(node, given.caches)),
  };
}

/** A cordon of an operation that goes on passes: pods that wait for it are not lost. */
const isSchedulable = (node: CachedNode, caches: Caches): boolean =>
  isReady(node) && (!isCordoned(node) || markAlive(cordonMarkOf(node), caches));

function controlPlaneState(node: CachedNode, caches: Caches): ControlPlaneState {
  const { name } = node.metadata;
  const operation = caches.nodeAgents.get({ name })?.spec.operation;
  const activeOperation =
    operation && disturbs(operation) ? `${operation.nodeOp.namespace}/${operation.nodeOp.name}` : undefined;
  return { name, ready: isReady(node), activeOperation, hasTurn: operation !== undefined && hasTurn(operation) };
}

/** A node that was made a control plane in the middle of its walk is disturbed without a turn. */
const disturbs = (operation: Operation): boolean => hasTurn(operation) || operation.stepTimes.Cordon !== undefined;
const hasTurn = ({ controlPlane, stepTimes }: Operation): boolean =>
  controlPlane === true || stepTimes.Reboot !== undefined;

function othersThan(name: string, { controlPlanes }: ClusterView): Facts['otherControlPlanes'] {
  const others = controlPlanes.filter(each => each.name !== name);
  const named = ({ name: node, activeOperation: operation = '' }: ControlPlaneState) => ({ node, operation });
  const worked = others.find(each => each.activeOperation !== undefined);
  const turn = others.find(each => each.hasTurn);
  return {
    notReady: others.find(each => !each.ready)?.name,
    ...(worked && { active: named(worked) }),
    ...(turn && { turnHolder: named(turn) }),
  };
}

/** `1.34` out of kubelet versions such as `v1.34.4+k3s1`. */
function lowestMinor(nodes: readonly CachedNode[]): string | undefined {
  const minors = nodes.flatMap(node => {
    const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(node.status?.nodeInfo?.kubeletVersion ?? '') ?? [];
    return major === undefined || minor === undefined ? [] : [{ major: Number(major), minor: Number(minor) }];
  });
  const [lowest] = minors.sort((a, b) => a.major - b.major || a.minor - b.minor);
  return lowest && `${lowest.major}.${lowest.minor}`;
}

/** Facts of one node; `turn` is decided later. Cheap where the node is not ours. */
export function observe(nodeOp: ParsedNodeOp, name: string, view: ClusterView): Facts {
  const { caches, now } = view;
  const agent = caches.nodeAgents.get({ name });
  const operation = agent?.spec.operation;
  const ledger = operation?.id === operationId(nodeOp, name) ? operation : undefined;
  const node = caches.nodes.get({ name });
  const base: Facts = {
    name,
    now,
    nodeOp,
    node,
    agent,
    ledger,
    claimedBy: ledger ? undefined : holderOf(operation, legacyHolderOf(name, nodeOp, view)),
    hasTurn: false,
    refusedWrite: view.refusedWrites.get(name),
    jobPods: [],
    pods: [],
    evictionRefusals: view.evictions.refusals,
    replacements: new Set(),
    budgets: [],
    daemonSets: view.daemonSets,
    kubernetesCeiling: node && !isControlPlane(node) ? view.kubernetesCeiling : undefined,
    otherControlPlanes: node && isControlPlane(node) ? othersThan(name, view) : {},
    hasOtherSchedulableNode: true,
    isMarkOwnerActive: true,
    podRefusal: view.podRefusal,
    isReported: isFinal(nodeOp.status.nodeStatuses?.[name]),
    image: nodeOp.spec.image ?? view.defaultImage,
    ownNamespace: view.ownNamespace,
  };
  return ledger || isLedgerLost(base) ? { ...base, ...activeNodeFacts(base, view) } : base;
}

/** A reboot Pod of this very operation that ends with its machine keeps the node from others only. */
function legacyHolderOf(
  name: string,
  { meta, namespace }: ParsedNodeOp,
  { nodesHeldByLegacy }: ClusterView,
): string | undefined {
  const other = nodesHeldByLegacy?.get(name);
  return other === `${namespace}/${meta.name}` ? undefined : other;
}

const holderOf = (operation: Operation | undefined, elsewhere: string | undefined): string | undefined =>
  operation ? `${operation.nodeOp.namespace}/${operation.nodeOp.name}` : elsewhere;

/** What only a node under way is looked at for. */
function activeNodeFacts(
  { name, nodeOp, ledger, node }: Facts,
  { caches, schedulableNodes, evictions }: ClusterView,
): Partial<Facts> {
  const helpers = caches.pods.byIndex('owner', nodeOp.meta.uid);
  const { namespace } = nodeOp;
  const pods = caches.pods.byIndex('node', name);
  /* By name: those of an earlier attempt are no proof of anything. One that was taken over has a name of its own. */
  const known = ledger?.job?.name ?? nodeOp.status.nodeStatuses?.[name]?.jobName;
  const job = caches.jobs.get({ namespace, name: known ?? objectName(nodeOp, name, 'job') });
  const own = (pod: 'preflight' | 'pull') => helpers.find(each => each.metadata.name === objectName(nodeOp, name, pod));
  const jobUid = ledger?.job?.uid ?? job?.metadata.uid;
  return {
    pods,
    replacements: new Set(pods.filter(pod => evictions.isReplacement(pod)).map(pod => pod.metadata.uid)),
    job,
    jobPods: jobUid === undefined ? [] : caches.pods.byIndex('owner', jobUid),
    preflightPod: own('preflight'),
    pullPod: own('pull'),
    budgets: nodeOp.spec.drainOptions?.enabled ? caches.budgets.list() : [],
    hasOtherSchedulableNode: schedulableNodes.size > (schedulableNodes.has(name) ? 1 : 0),
    isMarkOwnerActive: markAlive(cordonMarkOf(node), caches),
  };
}

function markAlive(mark: string | undefined, caches: Caches): boolean {
  const [, namespace, name, uid] = /^([^/]*)\/([^@]*)@(.*)$/.exec(mark ?? '') ?? [];
  if (namespace === undefined || name === undefined) return false;
  const owner = caches.nodeOps.get({ namespace, name });
  return owner?.metadata.uid === uid && !isFinal(owner?.status);
}
