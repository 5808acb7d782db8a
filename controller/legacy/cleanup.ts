/** What an earlier operator leaves that belongs to no operation: it labels nodes beside us, and gives rights that nobody needs any more. */
import { isForbidden } from '../../kube/errors.js';
import type { Kube, Stored } from '../../kube/kube.js';
import { ignoreNotFound } from '../../kube/ignore-not-found.js';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, DAEMONSETS, JOBS } from '../../kube/resources.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import { LABELER, REBOOT_ROLE } from './names.js';
import { formerNamespaces } from './scale-down.js';

interface Binding extends Stored {
  roleRef: { name: string };
}

const ROLES = [REBOOT_ROLE, LABELER];

export interface LeftoverDeps {
  kube: Kube;
  caches: Caches;
  log: Log;
  ownNamespace: string;
}

/** To be called when none of its reboot Pods waits any more: such a Pod that could not say so might reboot twice. */
export async function removeLeftovers(deps: LeftoverDeps): Promise<void> {
  const { kube, caches, log, ownNamespace } = deps;
  for (const namespace of formerNamespaces(ownNamespace)) {
    const labeler = caches.daemonSets.get({ namespace, name: LABELER });
    if (labeler) {
      log.warn({ namespace, name: LABELER }, 'removing the DaemonSet of an earlier operator');
      await ignoreNotFound(kube.delete(DAEMONSETS, { namespace, name: LABELER }, { uid: labeler.metadata.uid }));
    }
    const { items } = await kube.list(JOBS, { namespace, labelSelector: `app=${LABELER}` });
    for (const { metadata } of items) {
      const at = { namespace, name: metadata.name };
      await ignoreNotFound(kube.delete(JOBS, at, { uid: metadata.uid, propagation: 'Background' }));
    }
  }
  try {
    await removeRights(deps);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    log.debug('roles and bindings of an earlier operator, if there are any, are left: see docs/migration.md');
  }
}

/** Only where the manifests for migration gave us the right to. The roles go last: by them the bindings are known. */
async function removeRights({ kube, log }: LeftoverDeps): Promise<void> {
  const { items } = await kube.list<Binding>(CLUSTER_ROLE_BINDINGS);
  for (const { metadata, roleRef } of items.filter(binding => ROLES.includes(binding.roleRef.name))) {
    log.warn({ name: metadata.name, role: roleRef.name }, 'removing a ClusterRoleBinding of an earlier operator');
    await ignoreNotFound(kube.delete(CLUSTER_ROLE_BINDINGS, { name: metadata.name }, { uid: metadata.uid }));
  }
  for (const name of ROLES) await ignoreNotFound(kube.delete(CLUSTER_ROLES, { name }));
}
