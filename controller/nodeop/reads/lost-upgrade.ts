/** Finds the NodeOp of an upgrade that was restored from a backup, or left behind, without that upgrade. */
import { NODE_OP_UPGRADE } from '../../../api/kinds.js';
import { LABELS, UPGRADE_MANAGER } from '../../../api/names.js';
import type { NodeOp } from '../../../api/objects.js';
import { isNotFound } from '../../../kube/errors.js';
import type { Kube } from '../../../kube/kube.js';
import { controllerOf } from '../../../kube/owner.js';
import type { Caches } from '../../cluster/informers.js';

interface LostUpgradeDeps {
  kube: Pick<Kube, 'get'>;
  caches: Pick<Caches, 'upgrades'>;
}

/**
 * An upgrade creates its NodeOp with an owner reference, which some backup tools drop, while others keep it with the uid of the former upgrade
 * until the garbage collector finds it. The cache of the upgrades may be behind, so the API server is asked.
 */
export async function hasLostUpgrade({ metadata }: NodeOp, { kube, caches }: LostUpgradeDeps): Promise<boolean> {
  if (metadata.labels?.[LABELS.managedBy] !== UPGRADE_MANAGER) return false;
  const owner = controllerOf({ metadata });
  if (owner === undefined) return true;
  const at = { namespace: metadata.namespace, name: owner.name };
  if (caches.upgrades.get(at)?.metadata.uid === owner.uid) return false;
  try {
    return (await kube.get(NODE_OP_UPGRADE, at)).metadata.uid !== owner.uid;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}
