/** A backup tool: saves objects, and creates those that are missing again, as new objects with another uid and without a status. */
import { LABELS } from '../../../api/names.js';
import type { Resource, Stored } from '../../../kube/kube.js';
import type { FakeApiServer } from './api-server.js';

export interface SavedObject {
  resource: Resource;
  object: Stored;
}
export type Backup = readonly SavedObject[];

/** By default as Velero: without status and owner references. Other tools keep them. */
export interface RestoreOptions {
  keepStatus?: boolean;
  keepOwners?: boolean;
}

/** Respects the label that leaves an object out of backups, unless the tool does not know it. */
export const backUp = (
  api: FakeApiServer,
  resources: readonly Resource[],
  { knowsLabel = true }: { knowsLabel?: boolean } = {},
): Backup =>
  resources.flatMap(resource =>
    api
      .all<Stored>(resource)
      .filter(({ metadata }) => !knowsLabel || metadata.labels?.[LABELS.noBackup] !== 'true')
      .map(object => ({ resource, object: structuredClone(object) })),
  );

/** Name, labels, annotations and finalizers are kept; an object that exists is left as it is. */
export function restore(api: FakeApiServer, backup: Backup, options: RestoreOptions = {}): void {
  for (const { resource, object } of backup) {
    if (api.find(resource, object.metadata)) continue;
    const created = api.create<Stored>(resource, restored(object, options), object.metadata.namespace);
    const { status } = object as { status?: object };
    if (options.keepStatus && status) api.put(resource, { ...created, status });
  }
}

/** As it is sent to the API server, which gives it uid, generation and creationTimestamp. */
export function restored(object: Stored, { keepOwners = false }: RestoreOptions = {}): Stored {
  const { name, namespace, labels, annotations, finalizers, ownerReferences } = object.metadata;
  const metadata = { name, namespace, labels, annotations, finalizers, ...(keepOwners ? { ownerReferences } : {}) };
  return { ...object, metadata: metadata as Stored['metadata'] };
}
