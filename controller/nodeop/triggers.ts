/** Which NodeOp has to be looked at when something changes. */
import { NODE_OP } from '../../api/kinds.js';
import { LABELS, ANNOTATIONS } from '../../api/names.js';
import { keyOf } from '../../kube/key.js';
import type { Stored } from '../../kube/kube.js';
import type { Caches } from '../cluster/informers.js';
import { cordonMark } from '../cluster/cordon.js';
import { bootIdOf, isCordoned, isReady, type CachedNode } from '../cluster/node.js';
import { isFinal } from '../cluster/phases.js';

type Enqueue = (key: string, afterMs?: number) => void;

/** Changes come in showers; one pass takes them all. */
const GATHER_MS = 10;

export function enqueueOnChanges(caches: Caches, enqueue: Enqueue): void {
  caches.nodeOps.onChange(({ new: op }) => op && enqueue(keyOf(op.metadata)));
  caches.nodeAgents.onChange(({ old, new: now }) => {
    for (const holder of [old?.spec.operation?.nodeOp, now?.spec.operation?.nodeOp])
      if (holder) enqueue(keyOf(holder), GATHER_MS);
    const freed = old?.spec.operation !== undefined && now?.spec.operation === undefined;
    if (freed || old === undefined) enqueueOpen(caches, enqueue);
  });
  caches.jobs.onChange(change => enqueueOwner(change, enqueue));
  caches.pods.onChange(change => {
    enqueueOwner(change, enqueue);
    const node = (change.new ?? change.old)?.spec.nodeName;
    if (node !== undefined) enqueueHolder(caches, node, enqueue);
  });
  caches.nodes.onChange(({ old, new: now }) => {
    if (old && now && sameToUs(old, now)) return;
    const name = (now ?? old)?.metadata.name ?? '';
    enqueueHolder(caches, name, enqueue);
    enqueueOpen(caches, enqueue);
  });
  for (const op of caches.nodeOps.list()) enqueue(keyOf(op.metadata));
}

/** Kubelets write heartbeats all day; only these fields matter here. */
const sameToUs = (a: CachedNode, b: CachedNode): boolean =>
  a.metadata.uid === b.metadata.uid &&
  isReady(a) === isReady(b) &&
  isCordoned(a) === isCordoned(b) &&
  bootIdOf(a) === bootIdOf(b) &&
  cordonMark(a) === cordonMark(b) &&
  a.status?.images?.length === b.status?.images?.length;

function enqueueOwner({ old, new: now }: { old?: Stored; new?: Stored }, enqueue: Enqueue): void {
  const { metadata } = now ?? old ?? {};
  if (metadata === undefined) return;
  const name = metadata.annotations?.[ANNOTATIONS.nodeOpName];
  const ours =
    metadata.labels?.[LABELS.nodeOpUid] !== undefined ||
    metadata.ownerReferences?.some(owner => owner.kind === NODE_OP.kind);
  if (name !== undefined && ours) enqueue(keyOf({ name, namespace: metadata.namespace }), GATHER_MS);
}

/** A pod or the node itself changed: for the operation that holds the node. */
function enqueueHolder(caches: Caches, node: string, enqueue: Enqueue): void {
  const holder = caches.nodeAgents.get({ name: node })?.spec.operation?.nodeOp;
  if (holder) enqueue(keyOf(holder), GATHER_MS);
}

/** A node became free or Ready: perhaps somebody waits for it. */
function enqueueOpen(caches: Caches, enqueue: Enqueue): void {
  for (const op of caches.nodeOps.list()) if (!isFinal(op.status)) enqueue(keyOf(op.metadata), GATHER_MS);
}
