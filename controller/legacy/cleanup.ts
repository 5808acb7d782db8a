/** Removes what the legacy operator leaves that belongs to no operation: its labeler, and permissions that are not needed any more. */
import { isForbidden } from '../../kube/errors.js';
import type { Kube, Stored } from '../../kube/kube.js';
import { ignoreNotFound } from '../../kube/ignore-not-found.js';
import { listAll } from '../../kube/list-pages.js';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, DAEMONSETS, JOBS } from '../../kube/resources.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import { pruneToMetadata } from '../cluster/metadata.js';
import { LABELER, REBOOT_ROLE } from './names.js';
import { legacyNamespaces } from './scale-down.js';

interface Binding extends Stored {
  roleRef: { name: string };
}

const ROLES = [REBOOT_ROLE, LABELER];

export interface CleanupDeps {
  kube: Kube;
  caches: Caches;
  log: Log;
  ownNamespace: string;
}

/** To be called when no reboot Pod waits any more: one that loses the permission to annotate itself might reboot its node twice. */
export async function cleanUpInstallation(deps: CleanupDeps): Promise<void> {
  for (const namespace of legacyNamespaces(deps.ownNamespace)) await deleteLabeler(namespace, deps);
  try {
    await deleteRoles(deps);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    deps.log.debug('cannot delete ClusterRoles and ClusterRoleBindings of the Go operator: see docs/migration.md');
  }
}

/** It would label the same nodes as the agents. */
async function deleteLabeler(namespace: string, { kube, caches, log }: CleanupDeps): Promise<void> {
  const labeler = caches.daemonSets.get({ namespace, name: LABELER });
  if (labeler) {
    log.warn({ namespace, name: LABELER }, 'deleting the DaemonSet of the Go operator');
    await ignoreNotFound(kube.delete(DAEMONSETS, { namespace, name: LABELER }, { uid: labeler.metadata.uid }));
  }
  const selection = { namespace, labelSelector: `app=${LABELER}`, reduce: pruneToMetadata };
  const { items } = await listAll(kube, JOBS, selection);
  for (const { metadata } of items) {
    const at = { namespace, name: metadata.name };
    await ignoreNotFound(kube.delete(JOBS, at, { uid: metadata.uid, propagation: 'Background' }));
  }
}

/** Allowed only with the migration component installed. The roles are deleted last because the bindings are found by them. */
async function deleteRoles({ kube, log }: CleanupDeps): Promise<void> {
  const { items } = await listAll<Binding>(kube, CLUSTER_ROLE_BINDINGS);
  for (const { metadata, roleRef } of items.filter(binding => ROLES.includes(binding.roleRef.name))) {
    log.warn({ name: metadata.name, role: roleRef.name }, 'deleting a ClusterRoleBinding of the Go operator');
    await ignoreNotFound(kube.delete(CLUSTER_ROLE_BINDINGS, { name: metadata.name }, { uid: metadata.uid }));
  }
  for (const name of ROLES) await ignoreNotFound(kube.delete(CLUSTER_ROLES, { name }));
}
