/** The finalizer that keeps a NodeOp until its nodes are released. */
import { NODE_OP } from '../../../api/kinds.js';
import { FINALIZERS } from '../../../api/names.js';
import type { NodeOp } from '../../../api/objects.js';
import type { Kube } from '../../../kube/kube.js';
import { withResourceVersion } from '../../../kube/patch.js';
import type { Caches } from '../../cluster/informers.js';

interface FinalizerDeps {
  kube: Pick<Kube, 'patch'>;
  caches: Pick<Caches, 'nodeOps'>;
}

/** Adds or removes the finalizer and returns the object as it is stored then; writes only when something changes. */
export async function setClaimFinalizer(op: NodeOp, wanted: boolean, { kube, caches }: FinalizerDeps): Promise<NodeOp> {
  const { name, namespace, deletionTimestamp, finalizers: existing = [] } = op.metadata;
  if (existing.includes(FINALIZERS.claimed) === wanted) return op;
  /* The API server rejects new finalizers on an object that is being deleted. */
  if (wanted && deletionTimestamp !== undefined) return op;
  const finalizers = wanted ? [...existing, FINALIZERS.claimed] : existing.filter(each => each !== FINALIZERS.claimed);
  const saved = await kube.patch<NodeOp>(
    NODE_OP,
    { name, namespace },
    withResourceVersion({ metadata: { finalizers } }, op),
  );
  /* Without its last finalizer a deleted object is gone, and must not return to the cache. */
  if (wanted || finalizers.length > 0 || deletionTimestamp === undefined) caches.nodeOps.put(saved);
  return saved;
}
