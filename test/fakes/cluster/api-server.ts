/**
 * The API server of the fake cluster. The operator's programs use the verbs of `Kube` through a `ProcessKube`, with the errors
 * of a real API server; the fake controllers and the tests use `find`, `put`, `modify` and `forceRemove`, which never fail.
 * Every call takes effect at once: delays, kills and lost responses are simulated by `Process`, `Connections` and `WatchStream`.
 */
import { createHash } from 'node:crypto';
import { KubeError, type Cause } from '../../../kube/errors.js';
import type { DeleteOptions, Name, Page, PatchOptions, Resource, Stored, WatchEvent } from '../../../kube/kube.js';
import { EVENTS, PODS } from '../../../kube/resources.js';
import type { CallSeconds } from './connections.js';
import { ObjectStore, type StoreEvent, type ApiResponse } from '../object-store.js';
import type { FakeClock } from '../clock.js';
import { collectionOf, pathOf } from '../kube.js';
import { type Condition, isFinished, type PodObject, withCondition } from './object-types.js';
import type { ApiCall } from './connections.js';
import type { MutatingAdmission, NewObject } from './mutating-admission.js';
import { validateNames } from './name-validation.js';
import { type Selection, selectorPredicate } from './selectors.js';

const CONTENT = { merge: 'application/merge-patch+json', json: 'application/json-patch+json' };

/** The default grace period of a Pod. */
const GRACE_SECONDS = 30;

/** An object has the same uid in every run of a scenario, whatever else was created before it. */
function repeatableUids(): (key: string) => string {
  const created = new Map<string, number>();
  return key => {
    const number = (created.get(key) ?? 0) + 1;
    created.set(key, number);
    const hash = createHash('sha256').update(`${key} ${number}`).digest('hex');
    return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  };
}

/** Decides about a request before it is performed; a returned error denies it. */
export type AdmissionPolicy = (request: {
  verb: 'create' | 'dryRun' | 'evict';
  plural: string;
  name: string;
  /** Absent for evictions; after mutation. */
  object?: NewObject;
}) => KubeError | undefined;

/** Decides about a write of one of the programs, of any kind; a returned error denies it. */
export type ChangePolicy = (request: {
  verb: ApiCall['verb'];
  plural: string;
  name: string;
  /** The patch, the object, or the options of the deletion. */
  body: unknown;
}) => KubeError | undefined;

/** A stored object; it is frozen, so it is returned without a copy. */
export type Frozen<T> = T & object;

function bodyOrError({ code, body }: ApiResponse): unknown {
  if (code < 300) return body;
  const status = body as { message: string; reason: string; details?: { causes?: Cause[] } };
  throw new KubeError(code, status.message, status.reason, status.details);
}

export class FakeApiServer {
  readonly store: ObjectStore;
  readonly clock: FakeClock;
  /** Namespaces that are being deleted, in which nothing can be created any more. */
  readonly terminatingNamespaces = new Set<string>();
  /** Set by a test to deny requests, as an admission policy or a quota does. */
  admission: AdmissionPolicy = () => undefined;
  /** Set by a test to deny changes, as an admission policy does. */
  changes: ChangePolicy = () => undefined;
  /** Set by a test to change new objects, as mutating webhooks do. */
  mutating: MutatingAdmission = {};
  /** Set by a test when calls shall take time; programs then have a limited number of connections. */
  callSeconds: CallSeconds | undefined;
  /** How often programs listed each resource. */
  readonly listCounts = new Map<string, number>();
  readonly #compactionListeners = new Set<(error: KubeError) => void>();
  /** The Events that were created; they are not stored as objects. */
  readonly events: { reason: string; note: string }[] = [];

  constructor(clock: FakeClock) {
    this.clock = clock;
    this.store = new ObjectStore({ now: () => clock.now(), uid: repeatableUids(), strict: true });
  }

  all<T extends Stored>(resource: Resource): T[] {
    return [...this.store.objectsOf(pathOf(resource)).values()].map(object => this.#typed<T>(object));
  }

  find<T extends Stored>(resource: Resource, at: Name): Frozen<T> | undefined {
    const found = this.store.get(pathOf(resource, at));
    return found && this.#typed<T>(found);
  }

  /** Creates or overwrites an object and assigns its uid and resource version. */
  put<T extends Stored>(resource: Resource, object: object): Frozen<T> {
    const { namespace } = (object as Stored).metadata;
    const now = this.clock.now().toISOString();
    const metadata = { creationTimestamp: now, ...(object as Stored).metadata };
    return this.#typed<T>(this.store.put(pathOf(resource, { namespace }), { ...object, metadata }));
  }

  /** Changes an object if it exists. */
  modify<T extends Stored>(resource: Resource, at: Name, by: (object: T) => T): void {
    const known = this.find<T>(resource, at);
    if (known) this.put(resource, by(known));
  }

  /** Removes an object at once, even when it has finalizers. */
  forceRemove(resource: Resource, at: Name): void {
    this.store.remove(pathOf(resource, at));
  }

  onChange(listener: (plural: string, happened: StoreEvent) => void): void {
    this.store.onEvent((collection, happened) => listener(collection.slice(collection.lastIndexOf('/') + 1), happened));
  }

  get<T extends Stored>(resource: Resource, at: Name): Frozen<T> {
    const found = this.find<T>(resource, at);
    if (!found) throw new KubeError(404, `${resource.plural} "${at.name}" not found`, 'NotFound');
    return found;
  }

  list<T extends Stored>(resource: Resource, selection: Selection): Page<T> {
    const wanted = selectorPredicate(selection);
    this.listCounts.set(resource.plural, (this.listCounts.get(resource.plural) ?? 0) + 1);
    const items = [...this.store.objectsOf(pathOf(resource)).values()]
      .filter(wanted)
      .map(object => this.#typed<T>(object));
    return { items, resourceVersion: String(this.store.version) };
  }

  /** Sends every event since `resourceVersion` to `onEvent`, until the returned function is called. */
  subscribe<T extends Stored>(
    resource: Resource,
    { resourceVersion, ...selection }: Selection & { resourceVersion?: string },
    onEvent: (event: WatchEvent<T>) => void,
  ): () => void {
    const from = Number(resourceVersion ?? this.store.version);
    if (from < this.store.oldestVersion) throw new KubeError(410, `too old resource version: ${from}`, 'Expired');
    const wanted = selectorPredicate(selection);
    const collection = collectionOf(resource);
    const pass = (happened: StoreEvent) => {
      const type = eventTypeFor(happened, wanted);
      if (type) onEvent({ type, object: this.#typed<T>(happened.object) });
    };
    const past = this.store.history(collection);
    for (const happened of past.slice(indexAfter(past, from))) pass(happened);
    return this.store.onEvent((where, happened) => where === collection && pass(happened));
  }

  /** Registers a listener for compactions; returns a function that removes it. */
  onCompaction(listener: (error: KubeError) => void): () => void {
    this.#compactionListeners.add(listener);
    return () => this.#compactionListeners.delete(listener);
  }

  /** Compacts the history, as etcd does: all watches end with 410, and events that they have not received are lost. */
  compact(): void {
    this.store.compact();
    for (const listener of [...this.#compactionListeners])
      listener(new KubeError(410, 'The resourceVersion for the provided watch is too old', 'Expired'));
  }

  create<T extends Stored>(resource: Resource, body: object, namespace?: string): Frozen<T> {
    validateNames(body);
    this.refuseIfTerminating(namespace);
    if (resource.plural === EVENTS.plural) return this.#recordEvent<T>(body);
    const { object, refused } = this.admit('create', resource, body);
    if (refused) throw refused;
    const { status: _status, ...rest } = object as NewObject & { status?: object };
    const first = resource === PODS ? { ...rest, status: { phase: 'Pending' } } : { ...rest };
    return this.#bodyOf<T>(this.store.create(pathOf(resource, { namespace }), first));
  }

  /** The object as mutating admission leaves it, and the error with which a policy refuses that. */
  admit(verb: 'create' | 'dryRun', { plural }: Resource, body: object): { object: NewObject; refused?: KubeError } {
    const object = this.mutating[plural]?.(body as NewObject) ?? (body as NewObject);
    const { name = '' } = object.metadata;
    return { object, refused: this.admission({ verb, plural, name, object }) };
  }

  refuseIfDenied(request: Parameters<ChangePolicy>[0]): void {
    const refused = this.changes(request);
    if (refused) throw refused;
  }

  refuseIfTerminating(namespace: string | undefined): void {
    if (namespace === undefined || !this.terminatingNamespaces.has(namespace)) return;
    const message = `namespace ${namespace} is being terminated`;
    throw new KubeError(403, message, 'Forbidden', { causes: [{ reason: 'NamespaceTerminating', message }] });
  }

  patch<T extends Stored>(resource: Resource, at: Name, body: unknown, options: PatchOptions = {}): Frozen<T> {
    const { type = 'merge', subresource } = options;
    if (resource.plural === EVENTS.plural) return this.#recordEvent<T>({});
    if (type !== 'merge' && type !== 'json') throw new Error(`the fake API server does not support ${type} patches`);
    return this.#bodyOf<T>(this.store.patch(pathOf(resource, at, subresource), body, CONTENT[type]));
  }

  replace<T extends Stored>(resource: Resource, at: Name, body: T, subresource?: 'status'): T {
    const fields: object = body;
    return this.#bodyOf<T>(this.store.replace(pathOf(resource, at, subresource), { ...fields }));
  }

  /** A Pod on a node only becomes terminating; its kubelet removes it after its containers have ended. */
  delete(resource: Resource, at: Name, options: DeleteOptions & { disruption?: Condition } = {}): void {
    const pod = resource === PODS ? this.find<PodObject>(PODS, at) : undefined;
    const seconds = options.gracePeriodSeconds ?? pod?.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS;
    const graceful = pod?.spec.nodeName !== undefined && !isFinished(pod) && seconds > 0;
    if (!pod || !graceful) return void this.#bodyOf(this.store.delete(pathOf(resource, at), options));
    if (options.uid !== undefined && options.uid !== pod.metadata.uid)
      throw new KubeError(409, `the uid of pod ${at.name} differs`, 'Conflict');
    const before = pod.metadata.deletionTimestamp;
    const ends = new Date(this.clock.now().getTime() + seconds * 1000).toISOString();
    if (before !== undefined && before <= ends) return;
    const metadata = { ...pod.metadata, deletionTimestamp: ends, deletionGracePeriodSeconds: seconds };
    const { disruption } = options;
    const conditions = disruption
      ? withCondition(pod.status.conditions ?? [], disruption, this.clock.now())
      : pod.status.conditions;
    this.put(PODS, { ...pod, metadata, status: { ...pod.status, conditions } });
  }

  #bodyOf<T extends Stored>(verdict: ApiResponse): Frozen<T> {
    return bodyOrError(verdict) as Frozen<T>;
  }

  #typed<T extends Stored>(object: unknown): Frozen<T> {
    return object as Frozen<T>;
  }

  #recordEvent<T extends Stored>(body: object): Frozen<T> {
    const { reason = '', note = '' } = body as { reason?: string; note?: string };
    if (reason !== '') this.events.push({ reason, note });
    return this.#typed<T>({ ...body, metadata: { name: 'event', uid: 'event', resourceVersion: '1' } });
  }
}

/** An object that starts to match a selector is ADDED to its watch, and one that no longer matches is DELETED from it. */
function eventTypeFor(
  { type, object, previous }: StoreEvent,
  wanted: ReturnType<typeof selectorPredicate>,
): 'ADDED' | 'MODIFIED' | 'DELETED' | undefined {
  const matches = type !== 'DELETED' && wanted(object);
  const matched = previous !== undefined && wanted(previous);
  if (matches) return matched ? 'MODIFIED' : 'ADDED';
  return matched ? 'DELETED' : undefined;
}

function indexAfter(past: readonly StoreEvent[], version: number): number {
  let [from, to] = [0, past.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((past[middle]?.version ?? 0) > version) to = middle;
    else from = middle + 1;
  }
  return from;
}
