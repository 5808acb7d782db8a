/**
 * What the programs may ask of a cluster: plain JSON in and out, one method per verb of the Kubernetes API.
 * `client.ts` has the real one; the fake cluster of the tests is another.
 */

/** A resource type as it stands in a URL. */
export interface Resource {
  /** Empty for the core group. */
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}

export interface Name {
  name: string;
  /** Absent for cluster-scoped resources. */
  namespace?: string;
}

/** The pieces of metadata that every object read from a cluster has. */
export interface Meta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Any object read from a cluster. */
export interface Stored {
  apiVersion?: string;
  kind?: string;
  metadata: Meta;
}

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
}

export interface Page<T> {
  items: T[];
  /** Of the list as a whole: where a watch may begin. */
  resourceVersion: string;
  /** Present while pages are left. */
  continue?: string;
}

export interface WatchOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  resourceVersion: string;
  timeoutSeconds: number;
}

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; object: { metadata: { resourceVersion: string } } }
  | { type: 'ERROR'; object: { code?: number; message?: string; reason?: string } };

/** merge: RFC 7386. json: RFC 6902. strategic: Kubernetes' own, not for custom resources. apply: server-side apply, wants a field manager. */
export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

export interface PatchOptions {
  type?: PatchType;
  subresource?: 'status';
  fieldManager?: string;
  force?: boolean;
}

export interface DeleteOptions {
  /** Refused with a conflict when the object has another uid by now. */
  uid?: string;
  resourceVersion?: string;
  propagation?: 'Background' | 'Foreground' | 'Orphan';
  gracePeriodSeconds?: number;
}

export interface Eviction {
  /** The pod that was decided on; another one of the same name is refused with a conflict. */
  uid: string;
  /** Absent: the pod's own. */
  gracePeriodSeconds?: number;
}

/** Every method throws a `KubeError` (`errors.ts`) for an answer that is not a success, and the transport's error when none came. */
export interface Kube {
  get<T extends Stored>(resource: Resource, at: Name): Promise<T>;
  list<T extends Stored>(resource: Resource, options?: ListOptions): Promise<Page<T>>;
  /** Yields events until the server ends the watch; throws on a broken connection. */
  watch<T extends Stored>(resource: Resource, options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
  create<T extends Stored>(resource: Resource, body: object, namespace?: string): Promise<T>;
  /** Would it be let in? Nothing is kept; throws as `create` would. */
  dryRun(resource: Resource, body: object, namespace?: string): Promise<void>;
  patch<T extends Stored>(resource: Resource, at: Name, body: unknown, options?: PatchOptions): Promise<T>;
  /** A whole object, with `metadata.resourceVersion` as the precondition. */
  replace<T extends Stored>(resource: Resource, at: Name, body: T, subresource?: 'status'): Promise<T>;
  delete(resource: Resource, at: Name, options?: DeleteOptions): Promise<void>;
  /** Posts `policy/v1` Eviction (KEP-85): budgets are kept by the server. */
  evict(at: Name, eviction: Eviction): Promise<void>;
}
