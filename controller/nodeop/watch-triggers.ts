/** Which NodeOps are reconciled when a watched object changes. */
import { NODE_OP } from '../../api/kinds.js';
import { CONTAINERS, LABELS } from '../../api/names.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import { keyOf } from '../../kube/object-key.js';
import type { Stored } from '../../kube/kube.js';
import type { Caches } from '../cluster/informers.js';
import { cordonMarkOf } from '../cluster/cordon.js';
import { bootIdOf, isCordoned, isReady, type CachedNode } from '../cluster/node.js';
import { containerNamed, isAlive, isEnding, isMirror, isPodReady, type CachedPod } from '../cluster/pod.js';
import { isSameJson } from '../../kube/merge-patch.js';
import { nodeOpNameOf } from '../cluster/nodeop-of-job.js';
import { isPodOfNodeOp } from '../cluster/own-pods.js';
import { isFinal } from '../cluster/phases.js';

type Enqueue = (key: string, afterMs?: number) => void;

/** Changes arrive in bursts, and one pass can handle a whole burst. */
const BURST_MS = 10;

/** The phase of a Pod follows the end of its last container; a pass before would have to record that it waits. */
const PHASE_MS = 1_000;

export function enqueueOnChanges(caches: Caches, enqueue: Enqueue): void {
  caches.nodeOps.onChange(({ old, new: now }) => {
    if (now) enqueue(keyOf(now.metadata));
    if (mayLetOthersGo(old, now)) enqueueUnfinished(caches, enqueue);
  });
  caches.upgrades.onChange(({ old, new: now }) => {
    if (mayLetOthersGo(old, now)) enqueueUnfinished(caches, enqueue);
  });
  caches.nodeAgents.onChange(({ old, new: now }) => {
    for (const claimant of [old?.spec.operation?.nodeOp, now?.spec.operation?.nodeOp])
      if (claimant) enqueue(keyOf(claimant), BURST_MS);
    const isReleased = old?.spec.operation !== undefined && now?.spec.operation === undefined;
    if (isReleased || old === undefined) enqueueUnfinished(caches, enqueue);
  });
  caches.jobs.onChange(change => enqueueOwner(change, enqueue));
  caches.pods.onChange(change => {
    const afterMs = isEndOfCommand(change.new) ? PHASE_MS : BURST_MS;
    enqueueOwner(change, key => enqueue(key, afterMs));
    const node = (change.new ?? change.old)?.spec.nodeName;
    if (node !== undefined) enqueueClaimant(caches, node, key => enqueue(key, afterMs));
    if (isStaticPodChange(change)) enqueueUnfinished(caches, enqueue);
  });
  caches.nodes.onChange(({ old, new: now }) => {
    if (old && now && isSameForUs(old, now)) {
      const { name } = now.metadata;
      const { step } = caches.nodeAgents.get({ name })?.spec.operation ?? {};
      if (step === 'Verify' && !isSameForDaemonSets(old, now)) enqueueClaimant(caches, name, enqueue);
      return;
    }
    enqueueClaimant(caches, (now ?? old)?.metadata.name ?? '', enqueue);
    enqueueUnfinished(caches, enqueue);
  });
  for (const op of caches.nodeOps.list()) enqueue(keyOf(op.metadata));
}

/**
 * Quotas are not watched, but the Pods and Jobs that count against them are. `isAwaited` is asked whether an operation waits in this namespace
 * because its Pod was refused.
 */
export function enqueueOnRoom(caches: Caches, enqueue: Enqueue, isAwaited: (namespace: string) => boolean): void {
  const onEnd = ({ metadata: { namespace = '' } }: Stored) => {
    if (!isAwaited(namespace)) return;
    for (const { metadata, status } of caches.nodeOps.list())
      if (metadata.namespace === namespace && !isFinal(status)) enqueue(keyOf(metadata), BURST_MS);
  };
  caches.jobs.onChange(({ old, new: now }) => old && now === undefined && onEnd(old));
  caches.pods.onChange(
    ({ old, new: now }) => old && isAlive(old) && (now === undefined || !isAlive(now)) && onEnd(old),
  );
}

const isEndOfCommand = (pod: CachedPod | undefined): boolean =>
  pod !== undefined && isPodOfNodeOp(pod) && containerNamed(pod, CONTAINERS.work) !== undefined && isEnding(pod);

/** Control planes wait for the static pods of the others. */
const isStaticPodChange = ({ old, new: now }: { old?: CachedPod; new?: CachedPod }): boolean =>
  [old, now].some(pod => pod !== undefined && isMirror(pod)) &&
  (old !== undefined && isPodReady(old)) !== (now !== undefined && isPodReady(now));

/** Whether DaemonSets may want the node as before. */
const isSameForDaemonSets = (a: CachedNode, b: CachedNode): boolean =>
  isSameJson([a.metadata.labels, a.spec?.taints], [b.metadata.labels, b.spec?.taints]);

type Operation = NodeOp | NodeOpUpgrade | undefined;

/** Whether an unfinished operation has finished a node, or lets younger ones go before it: they may wait for that. */
const mayLetOthersGo = (old: Operation, now: Operation): boolean =>
  queueMarkOf(old) !== '' && queueMarkOf(old) !== queueMarkOf(now);

function queueMarkOf(operation: Operation): string {
  if (operation === undefined || isFinal(operation.status)) return '';
  const { metadata, spec, status } = operation;
  const { phase, nodes } = status ?? {};
  return JSON.stringify([metadata.deletionTimestamp, spec.paused, phase, nodes?.completed, nodes?.failed]);
}

/** Kubelets update their Node all the time; only these fields change a decision. */
const isSameForUs = (a: CachedNode, b: CachedNode): boolean =>
  a.metadata.uid === b.metadata.uid &&
  isReady(a) === isReady(b) &&
  isCordoned(a) === isCordoned(b) &&
  bootIdOf(a) === bootIdOf(b) &&
  cordonMarkOf(a) === cordonMarkOf(b) &&
  a.status?.images?.length === b.status?.images?.length;

/** For a Job or Pod that was created for a NodeOp: that NodeOp. */
function enqueueOwner({ old, new: now }: { old?: Stored; new?: Stored }, enqueue: Enqueue): void {
  const { metadata } = now ?? old ?? {};
  if (metadata === undefined) return;
  const name = nodeOpNameOf(metadata);
  const isOurs =
    metadata.labels?.[LABELS.nodeOpUid] !== undefined ||
    metadata.ownerReferences?.some(owner => owner.kind === NODE_OP.kind);
  if (name !== undefined && isOurs) enqueue(keyOf({ name, namespace: metadata.namespace }), BURST_MS);
}

/** For a change on a node: the operation that has claimed it. */
function enqueueClaimant(caches: Caches, node: string, enqueue: Enqueue): void {
  const claimant = caches.nodeAgents.get({ name: node })?.spec.operation?.nodeOp;
  if (claimant) enqueue(keyOf(claimant), BURST_MS);
}

/** For a node that became available: every operation that may wait for it. */
function enqueueUnfinished(caches: Caches, enqueue: Enqueue): void {
  for (const op of caches.nodeOps.list()) if (!isFinal(op.status)) enqueue(keyOf(op.metadata), BURST_MS);
}
