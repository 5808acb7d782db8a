/** Gathers the facts about the nodes of an operation from the caches. */
import type { Operation } from '../../../api/node-agent.js';
import type { Caches } from '../../cluster/informers.js';
import { wantsPodOn, type CachedDaemonSet } from '../../cluster/daemon-set.js';
import { isControlPlane } from '../../cluster/control-plane.js';
import { cordonOwnerOf } from '../../cluster/cordon.js';
import { isCordoned, isLinux, isReady, type CachedNode } from '../../cluster/node.js';
import { ownedBy } from '../../cluster/owner-index.js';
import type { CachedPod } from '../../cluster/pod.js';
import { systemUUIDs } from '../../cluster/system-uuid.js';
import type { Facts, PodRefusal, EvictionRefusal } from './facts.js';
import { objectName } from './manifests.js';
import { isOverdue } from './unconfirmed-withdrawal.js';
import { unreadyStaticPod } from './static-pods.js';
import { isLedgerLost } from './ledger.js';
import type { OlderOperations } from './operation-order.js';
import { isFinal } from '../../cluster/phases.js';
import { operationId, type ParsedNodeOp } from './parsed-nodeop.js';
import { ownValue } from '../../../program/own-value.js';

/** Facts that are the same for all nodes of one pass. */
export interface SharedFacts {
  caches: Caches;
  evictions: EvictionMemory;
  podRefusal?: PodRefusal;
  /** The last refused write, by node. */
  refusedWrites: ReadonlyMap<string, string>;
  /** When this process created helper Pods, by their names. */
  createdPods?: ReadonlyMap<string, Date>;
  /** Namespace and name of the operation for which the legacy operator still occupies a node, by node; no NodeAgent shows this. */
  nodesHeldByLegacy?: ReadonlyMap<string, string>;
  /** By node: the unfinished operation that comes first there. */
  olderOperations?: OlderOperations;
  defaultImage: string;
  sentinelImage?: string;
  ownNamespace: string;
  now: Date;
  /** Names of Ready Linux nodes that accept pods, now or when their operation has finished. */
  schedulableNodes: ReadonlySet<string>;
  /** By uid. */
  daemonSets: ReadonlyMap<string, CachedDaemonSet>;
  kubernetesCeiling?: string;
  controlPlanes: readonly ControlPlaneState[];
}

/** What is remembered of evictions, in memory only. */
interface EvictionMemory {
  /** By uid of the pod. */
  readonly refusals: ReadonlyMap<string, EvictionRefusal>;
  /** Whether a controller created the pod on its node in place of an evicted one. */
  isReplacement(pod: CachedPod): boolean;
}

interface ControlPlaneState {
  name: string;
  ready: boolean;
  /** Name of a static pod that is not Ready. */
  unreadyStaticPod?: string;
  /** Namespace and name of the operation that may disrupt it now. */
  activeOperation?: string;
  /** Whether that operation has the turn of the control planes or has started the reboot. */
  hasTurn: boolean;
  /** It failed, and its agent has not confirmed in time that it will not reboot. */
  isGivenUp: boolean;
}

type SharedFactsInput = Omit<SharedFacts, 'schedulableNodes' | 'daemonSets' | 'kubernetesCeiling' | 'controlPlanes'>;

export function gatherSharedFacts(input: SharedFactsInput): SharedFacts {
  const nodes = input.caches.nodes.list();
  return {
    ...input,
    schedulableNodes: new Set(nodes.filter(node => isSchedulable(node, input.caches)).map(node => node.metadata.name)),
    daemonSets: new Map(input.caches.daemonSets.list().map(set => [set.metadata.uid, set])),
    kubernetesCeiling: lowestMinor(nodes.filter(isControlPlane)),
    controlPlanes: controlPlaneNames(nodes, input.caches).map(name => controlPlaneState(name, input)),
  };
}

/** A Node that was deleted while its control plane reboots, or registered anew without its labels, is known by the turn in its ledger. */
function controlPlaneNames(nodes: readonly CachedNode[], { nodeAgents }: Caches): string[] {
  const labeled = nodes.filter(isControlPlane);
  const withTurn = nodeAgents.list().filter(({ spec: { operation } }) => operation?.controlPlane === true);
  return [...new Set([...labeled, ...withTurn].map(({ metadata }) => metadata.name))];
}

/** The cordon of an unfinished operation is temporary: pods can wait for it. Targets run Linux, and so do the pods that they are drained of. */
const isSchedulable = (node: CachedNode, caches: Caches): boolean =>
  isLinux(node) && isReady(node) && (!isCordoned(node) || isMarkOwnerActive(node, caches));

function controlPlaneState(name: string, { caches, now }: SharedFactsInput): ControlPlaneState {
  const node = caches.nodes.get({ name });
  const operation = caches.nodeAgents.get({ name })?.spec.operation;
  /* A node that is given up would be waited for without an end; that it is not well has one. */
  const isGivenUp = isOverdue(operation, node, now);
  const activeOperation =
    operation && isDisruptive(operation) && !isGivenUp
      ? `${operation.nodeOp.namespace}/${operation.nodeOp.name}`
      : undefined;
  return {
    name,
    ready: isReady(node),
    unreadyStaticPod: unreadyStaticPod(caches.pods.byIndex('node', name)),
    activeOperation,
    hasTurn: operation !== undefined && hasTurn(operation) && !isGivenUp,
    isGivenUp,
  };
}

/** A node that became a control plane during its walk is disrupted without a turn. */
const isDisruptive = (operation: Operation): boolean => hasTurn(operation) || operation.stepTimes.Cordon !== undefined;
const hasTurn = ({ controlPlane, stepTimes }: Operation): boolean =>
  controlPlane === true || stepTimes.Reboot !== undefined;

function otherControlPlanes(name: string, { controlPlanes }: SharedFacts): Facts['otherControlPlanes'] {
  const others = controlPlanes.filter(each => each.name !== name);
  const named = ({ name: node, activeOperation: operation = '' }: ControlPlaneState) => ({ node, operation });
  const active = others.find(each => each.activeOperation !== undefined);
  const turnHolder = others.find(each => each.hasTurn);
  const unready = others.find(each => each.ready && each.unreadyStaticPod !== undefined);
  const unconfirmed = others.find(each => each.isGivenUp);
  return {
    notReady: others.find(each => !each.ready)?.name,
    ...(unconfirmed && { unconfirmed: unconfirmed.name }),
    ...(unready?.unreadyStaticPod && { unreadyStaticPod: { node: unready.name, pod: unready.unreadyStaticPod } }),
    ...(active && { active: named(active) }),
    ...(turnHolder && { turnHolder: named(turnHolder) }),
  };
}

/** Such as `1.34`, from kubelet versions such as `v1.34.4+k3s1`. */
function lowestMinor(nodes: readonly CachedNode[]): string | undefined {
  const minors = nodes.flatMap(node => {
    const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(node.status?.nodeInfo?.kubeletVersion ?? '') ?? [];
    return major === undefined || minor === undefined ? [] : [{ major: Number(major), minor: Number(minor) }];
  });
  const [lowest] = minors.sort((a, b) => a.major - b.major || a.minor - b.minor);
  return lowest && `${lowest.major}.${lowest.minor}`;
}

/** `hasTurn` is decided later, over all nodes. Nodes without a claim of this operation cost few lookups: there may be thousands. */
export function observe(nodeOp: ParsedNodeOp, name: string, shared: SharedFacts): Facts {
  const { caches, now } = shared;
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
    claimedBy: ledger ? undefined : claimantOf(operation, legacyClaimantOf(name, nodeOp, shared)),
    olderOperation: ledger ? undefined : shared.olderOperations?.get(name),
    hasTurn: false,
    writeRefusal: shared.refusedWrites.get(name),
    jobPods: [],
    pods: [],
    evictionRefusals: shared.evictions.refusals,
    replacements: new Set(),
    budgets: [],
    daemonSets: new Set(),
    kubernetesCeiling: node && !isControlPlane(node) ? shared.kubernetesCeiling : undefined,
    otherControlPlanes: node && isControlPlane(node) ? otherControlPlanes(name, shared) : {},
    isSystemUUIDShared: false,
    hasOtherSchedulableNode: true,
    isMarkOwnerActive: true,
    podRefusal: shared.podRefusal,
    isReported: isFinal(ownValue(nodeOp.status.nodeStatuses, name)),
    image: nodeOp.spec.image ?? shared.defaultImage,
    sentinelImage: shared.sentinelImage,
    ownNamespace: shared.ownNamespace,
  };
  return ledger || isLedgerLost(base) ? { ...base, ...activeNodeFacts(base, shared) } : base;
}

/** A reboot Pod that the legacy operator left for this very operation keeps only other operations from the node. */
function legacyClaimantOf(
  name: string,
  { meta, namespace }: ParsedNodeOp,
  { nodesHeldByLegacy }: SharedFacts,
): string | undefined {
  const operation = nodesHeldByLegacy?.get(name);
  return operation === `${namespace}/${meta.name}` ? undefined : operation;
}

const claimantOf = (operation: Operation | undefined, legacyClaimant: string | undefined): string | undefined =>
  operation ? `${operation.nodeOp.namespace}/${operation.nodeOp.name}` : legacyClaimant;

/** Facts that only a claimed node needs. */
function activeNodeFacts(
  { name, nodeOp, ledger, node }: Facts,
  { caches, schedulableNodes, evictions, daemonSets, createdPods }: SharedFacts,
): Partial<Facts> {
  const helpers = ownedBy(caches.pods, { metadata: nodeOp.meta });
  const { namespace } = nodeOp;
  const pods = caches.pods.byIndex('node', name).map(pod => withoutForeignOwners(pod, daemonSets));
  /* By name, because objects of an earlier attempt prove nothing. An adopted Job keeps the name that the legacy operator gave it. */
  const recordedName = ledger?.job?.name ?? ownValue(nodeOp.status.nodeStatuses, name)?.jobName;
  const job = caches.jobs.get({ namespace, name: recordedName ?? objectName(nodeOp, name, 'job') });
  const helper = (pod: 'preflight' | 'pull') =>
    helpers.find(each => each.metadata.name === objectName(nodeOp, name, pod));
  const createdAt = (pod: 'preflight' | 'pull') => createdPods?.get(objectName(nodeOp, name, pod));
  const jobUid = ledger?.job?.uid ?? job?.metadata.uid;
  return {
    pods,
    replacements: new Set(pods.filter(pod => evictions.isReplacement(pod)).map(pod => pod.metadata.uid)),
    daemonSets: new Set(ledger?.daemonSets?.filter(uid => isWanted(daemonSets.get(uid), node, pods))),
    job,
    jobPods: jobUid === undefined ? [] : ownedBy(caches.pods, { metadata: { namespace, uid: jobUid } }),
    preflightPod: helper('preflight'),
    pullPod: helper('pull'),
    createdPods: { preflight: createdAt('preflight'), pull: createdAt('pull') },
    budgets: nodeOp.spec.drainOptions?.enabled ? caches.budgets.list() : [],
    isSystemUUIDShared: node !== undefined && sharesSystemUUID(node, caches),
    hasOtherSchedulableNode: schedulableNodes.size > (schedulableNodes.has(name) ? 1 : 0),
    isMarkOwnerActive: isMarkOwnerActive(node, caches),
  };
}

const sharesSystemUUID = (node: CachedNode, { nodes }: Caches): boolean =>
  systemUUIDs(node).some(uuid =>
    nodes.byIndex('systemUUID', uuid).some(other => other.metadata.uid !== node.metadata.uid),
  );

/** The API server stores any uid as an owner: a pod of another namespace must not stand for one of a DaemonSet. */
function withoutForeignOwners(pod: CachedPod, daemonSets: ReadonlyMap<string, CachedDaemonSet>): CachedPod {
  const { namespace, ownerReferences = [] } = pod.metadata;
  const isForeign = ({ uid }: { uid: string }) => (daemonSets.get(uid)?.metadata.namespace ?? namespace) !== namespace;
  if (!ownerReferences.some(isForeign)) return pod;
  const owners = ownerReferences.filter(owner => !isForeign(owner));
  return { ...pod, metadata: { ...pod.metadata, ownerReferences: owners } };
}

/** False for a DaemonSet that was deleted. */
function isWanted(set: CachedDaemonSet | undefined, node: CachedNode | undefined, pods: readonly CachedPod[]): boolean {
  if (set === undefined || node === undefined) return false;
  const isOwn = ({ metadata: { ownerReferences, deletionTimestamp } }: CachedPod) =>
    deletionTimestamp === undefined && ownerReferences?.some(owner => owner.uid === set.metadata.uid) === true;
  return wantsPodOn(set, node, { hasPod: pods.some(isOwn) });
}

function isMarkOwnerActive(node: CachedNode | undefined, caches: Caches): boolean {
  const owner = cordonOwnerOf(node);
  const nodeOp = owner && caches.nodeOps.get(owner);
  return nodeOp !== undefined && nodeOp.metadata.uid === owner?.uid && !isFinal(nodeOp.status);
}
