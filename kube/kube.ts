/**
 * The interface through which the programs use a cluster: plain JSON in and out, one method per verb of the Kubernetes API.
 * `client.ts` implements it for a real API server; the tests have fake implementations.
 */

/** A resource type as it appears in a URL. */
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

/** The metadata fields that the programs read. */
export interface Meta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  /** `deletionTimestamp` is this long after the request. */
  deletionGracePeriodSeconds?: number;
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

export interface ListOptions<T extends Stored = Stored> {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  /** Drops unused fields of each object as soon as it is read, so that a page is never in memory as a whole. */
  reduce?: (object: T) => T;
}

export interface Page<T> {
  items: T[];
  /** Resource version of the list as a whole, from which a watch can start. */
  resourceVersion: string;
  /** Token for the next page; absent on the last one. */
  continue?: string;
  /** Size of the response; absent where it is unknown. */
  bytes?: number;
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

/** merge: RFC 7386. json: RFC 6902. strategic: strategic merge patch, not for custom resources. apply: server-side apply, requires a field manager. */
export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

export interface PatchOptions {
  type?: PatchType;
  subresource?: 'status';
  fieldManager?: string;
  force?: boolean;
  /** With `dryRun=All`: nothing is stored, and it throws what the patch would throw. */
  dryRun?: boolean;
}

export interface DeleteOptions {
  /** Precondition: the API server answers with a conflict when the object has another uid. */
  uid?: string;
  resourceVersion?: string;
  propagation?: 'Background' | 'Foreground' | 'Orphan';
  gracePeriodSeconds?: number;
}

export interface Eviction {
  /** Uid of the pod to evict; the API server answers with a conflict when a pod of that name has another uid. */
  uid: string;
  /** Defaults to the pod's own grace period. */
  gracePeriodSeconds?: number;
}

/** Every method throws a `KubeError` (`errors.ts`) for an error response, and the transport's error when there was no response. */
export interface Kube {
  get<T extends Stored>(resource: Resource, at: Name): Promise<T>;
  list<T extends Stored>(resource: Resource, options?: ListOptions<T>): Promise<Page<T>>;
  /** Yields events until the server ends the watch; throws when the connection breaks. */
  watch<T extends Stored>(resource: Resource, options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
  create<T extends Stored>(resource: Resource, body: object, namespace?: string): Promise<T>;
  /** Creates with `dryRun=All`: nothing is stored, and it throws what `create` would throw. */
  dryRun(resource: Resource, body: object, namespace?: string): Promise<void>;
  patch<T extends Stored>(resource: Resource, at: Name, body: unknown, options?: PatchOptions): Promise<T>;
  /** Replaces the whole object, with `metadata.resourceVersion` as precondition. */
  replace<T extends Stored>(resource: Resource, at: Name, body: T, subresource?: 'status'): Promise<T>;
  delete(resource: Resource, at: Name, options?: DeleteOptions): Promise<void>;
  /** Posts a `policy/v1` Eviction; the API server enforces PodDisruptionBudgets. */
  evict(at: Name, eviction: Eviction): Promise<void>;
}
