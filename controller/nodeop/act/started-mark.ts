/** Marks a NodeOp as started. If a node is about to be claimed, the finalizer is set by the same write, which is then no additional one. */
import { NODE_OP } from '../../../api/kinds.js';
import { FINALIZERS } from '../../../api/names.js';
import type { NodeOp } from '../../../api/objects.js';
import type { Kube } from '../../../kube/kube.js';
import { mergeChange } from '../../../kube/patch.js';
import type { Caches } from '../../cluster/informers.js';
import { isReady } from '../../cluster/node.js';
import { withMark } from '../../cluster/started-mark.js';
import { targetsOf } from '../../cluster/targets.js';
import { olderOperations } from '../facts/operation-order.js';
import { parseNodeOp, type ParsedNodeOp } from '../facts/parsed-nodeop.js';

interface MarkDeps {
  kube: Pick<Kube, 'patch'>;
  caches: Caches;
  allowedNamespaces?: readonly string[];
}

/** Returns the object as it is stored then. A policy that strips annotations leaves it without the mark, which prevents nothing. */
export async function markStarted(op: NodeOp, deps: MarkDeps): Promise<NodeOp> {
  const { kube, caches } = deps;
  const parsed = parseNodeOp(op);
  const marked = withMark(op);
  const isNew = op.status?.phase === undefined && parsed.fault === undefined;
  const to = isNew && claimsAtOnce(parsed.nodeOp, deps) ? withFinalizer(marked) : marked;
  const saved = await mergeChange(kube, NODE_OP, op, { to, onlyIfUnchanged: true });
  caches.nodeOps.put(saved);
  return saved;
}

/** A guess: a finalizer that turns out to be unused is removed again. */
function claimsAtOnce({ spec, meta }: ParsedNodeOp, { caches, allowedNamespaces }: MarkDeps): boolean {
  if (spec.paused) return false;
  const targets = targetsOf(spec, caches.nodes.list());
  const older = olderOperations(meta, targets, { caches, allowedNamespaces });
  const isFree = (name: string) =>
    !older.has(name) &&
    isReady(caches.nodes.get({ name })) &&
    caches.nodeAgents.get({ name })?.spec.operation === undefined;
  return targets.some(isFree);
}

function withFinalizer(op: NodeOp): NodeOp {
  const { finalizers = [] } = op.metadata;
  if (finalizers.includes(FINALIZERS.claimed)) return op;
  return { ...op, metadata: { ...op.metadata, finalizers: [...finalizers, FINALIZERS.claimed] } };
}
