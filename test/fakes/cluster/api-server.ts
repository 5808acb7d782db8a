/**
 * The API server of the fake cluster. Programs come in by the verbs of `Kube`, as they answer on a real one;
 * Kubernetes' own actors and the test come in by `find`, `put`, `change` and `drop`, which nothing refuses.
 * Everything here happens at once: waiting, dying and getting lost are the business of the programs' own doors.
 */
import { createHash } from 'node:crypto';
import { KubeError, type Cause } from '../../../kube/errors.js';
import type { DeleteOptions, Name, Page, PatchOptions, Resource, Stored, WatchEvent } from '../../../kube/kube.js';
import { EVENTS, PODS } from '../../../kube/resources.js';
import { ObjectStore, type StoreEvent, type ApiResponse } from '../object-store.js';
import type { FakeClock } from '../clock.js';
import { collectionOf, pathOf } from '../kube.js';
import { isFinished, type PodObject } from './object-types.js';
import { validateNames } from './name-validation.js';
import { type Selection, selectorPredicate } from './selectors.js';

const CONTENT = { merge: 'application/merge-patch+json', json: 'application/json-patch+json' };

/** Seconds that a Pod gets to end if it does not say how many. */
const GRACE_SECONDS = 30;

/** The same object has the same uid in every telling of a story, whatever else was made before it. */
function repeatableUids(): (key: string) => string {
  const made = new Map<string, number>();
  return key => {
    const number = (made.get(key) ?? 0) + 1;
    made.set(key, number);
    const hash = createHash('sha256').update(`${key} ${number}`).digest('hex');
    return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  };
}

/** What is asked for, before it is done; an error that it answers with is the refusal. */
export type AdmissionPolicy = (request: {
  verb: 'create' | 'dryRun' | 'evict';
  plural: string;
  name: string;
}) => KubeError | undefined;

/** As it is kept: frozen, and so handed out without a copy. */
export type Frozen<T> = T & object;

function bodyOrError({ code, body }: ApiResponse): unknown {
  if (code < 300) return body;
  const status = body as { message: string; reason: string; details?: { causes?: Cause[] } };
  throw new KubeError(code, status.message, status.reason, status.details);
}

export class FakeApiServer {
  readonly store: ObjectStore;
  readonly clock: FakeClock;
  /** Namespaces in which nothing can be made any more. */
  readonly terminatingNamespaces = new Set<string>();
  /** A policy of the cluster, or its mood. */
  admission: AdmissionPolicy = () => undefined;
  /** How often programs listed each resource. */
  readonly listCounts = new Map<string, number>();
  readonly #compactionListeners = new Set<(error: KubeError) => void>();
  /** Reasons of the Events that were told, with their notes; the objects themselves are kept nowhere. */
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

  /** Puts an object there, or over the one that is there; uid and version are given to it. */
  put<T extends Stored>(resource: Resource, object: object): Frozen<T> {
    const { namespace } = (object as Stored).metadata;
    const now = this.clock.now().toISOString();
    const metadata = { creationTimestamp: now, ...(object as Stored).metadata };
    return this.#typed<T>(this.store.put(pathOf(resource, { namespace }), { ...object, metadata }));
  }

  /** Changes an object if it is there. */
  modify<T extends Stored>(resource: Resource, at: Name, by: (object: T) => T): void {
    const known = this.find<T>(resource, at);
    if (known) this.put(resource, by(known));
  }

  /** Takes an object away, whatever stands on it. */
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

  /** Tells `hear` of everything since `from`, until the function it returns is called. */
  subscribe<T extends Stored>(
    resource: Resource,
    { resourceVersion, ...selection }: Selection & { resourceVersion?: string },
    hear: (event: WatchEvent<T>) => void,
  ): () => void {
    const from = Number(resourceVersion ?? this.store.version);
    if (from < this.store.oldestVersion) throw new KubeError(410, `too old resource version: ${from}`, 'Expired');
    const wanted = selectorPredicate(selection);
    const collection = collectionOf(resource);
    const pass = (happened: StoreEvent) => {
      const type = eventTypeFor(happened, wanted);
      if (type) hear({ type, object: this.#typed<T>(happened.object) });
    };
    const past = this.store.history(collection);
    for (const happened of past.slice(indexAfter(past, from))) pass(happened);
    return this.store.onEvent((where, happened) => where === collection && pass(happened));
  }

  /** Calls when the history that watches go on from is thrown away under them, until the function it returns is called. */
  onCompaction(cut: (error: KubeError) => void): () => void {
    this.#compactionListeners.add(cut);
    return () => this.#compactionListeners.delete(cut);
  }

  /** As when etcd compacts: whoever watches is told 410, and what it has not heard yet it never will. */
  compact(): void {
    this.store.compact();
    for (const cut of [...this.#compactionListeners])
      cut(new KubeError(410, 'The resourceVersion for the provided watch is too old', 'Expired'));
  }

  create<T extends Stored>(resource: Resource, body: object, namespace?: string): Frozen<T> {
    validateNames(body);
    this.refuseIfTerminating(namespace);
    if (resource.plural === EVENTS.plural) return this.#recordEvent<T>(body);
    this.checkAdmission('create', resource, body);
    const { status: _status, ...rest } = body as Stored & { status?: object };
    const first = resource === PODS ? { ...rest, status: { phase: 'Pending' } } : { ...rest };
    return this.#bodyOf<T>(this.store.create(pathOf(resource, { namespace }), first));
  }

  /** Throws what the cluster has against it. */
  checkAdmission(verb: 'create' | 'dryRun', { plural }: Resource, body: object): void {
    const { name = '' } = (body as Partial<Stored>).metadata ?? {};
    const refused = this.admission({ verb, plural, name });
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
    if (type !== 'merge' && type !== 'json') throw new Error(`this cluster takes no ${type} patches`);
    return this.#bodyOf<T>(this.store.patch(pathOf(resource, at, subresource), body, CONTENT[type]));
  }

  replace<T extends Stored>(resource: Resource, at: Name, body: T, subresource?: 'status'): T {
    const fields: object = body;
    return this.#bodyOf<T>(this.store.replace(pathOf(resource, at, subresource), { ...fields }));
  }

  /** A Pod on a node is only told to end; its kubelet takes it away. */
  delete(resource: Resource, at: Name, options: DeleteOptions = {}): void {
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
    this.put(PODS, { ...pod, metadata });
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

/** An object that comes into a selection appears, and one that leaves it is gone, whatever happened to it. */
function eventTypeFor(
  { type, object, previous }: StoreEvent,
  wanted: ReturnType<typeof selectorPredicate>,
): 'ADDED' | 'MODIFIED' | 'DELETED' | undefined {
  const is = type !== 'DELETED' && wanted(object);
  const was = previous !== undefined && wanted(previous);
  if (is) return was ? 'MODIFIED' : 'ADDED';
  return was ? 'DELETED' : undefined;
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
