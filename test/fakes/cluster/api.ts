/**
 * The API server of the fake cluster. Programs come in by the verbs of `Kube`, as they answer on a real one;
 * Kubernetes' own actors and the test come in by `find`, `put`, `change` and `drop`, which nothing refuses.
 * Everything here happens at once: waiting, dying and getting lost are the business of the programs' own doors.
 */
import { createHash } from 'node:crypto';
import { KubeError, type Cause } from '../../../kube/errors.js';
import type { DeleteOptions, Name, Page, PatchOptions, Resource, Stored, WatchEvent } from '../../../kube/kube.js';
import { EVENTS, PODS } from '../../../kube/resources.js';
import { ApiStore, type Happened, type Verdict } from '../api-store.js';
import type { FakeClock } from '../clock.js';
import { collectionOf, placeOf } from '../kube.js';
import { isOver, type PodObject } from './kinds.js';
import { refuseBadNames } from './names-rule.js';
import { type Selection, selects } from './selected.js';

const CONTENT = { merge: 'application/merge-patch+json', json: 'application/json-patch+json' };

/** Seconds that a Pod gets to end if it does not say how many. */
const GRACE_SECONDS = 30;

/** The same object has the same uid in every telling of a story, whatever else was made before it. */
function numbered(): (key: string) => string {
  const made = new Map<string, number>();
  return key => {
    const number = (made.get(key) ?? 0) + 1;
    made.set(key, number);
    const hash = createHash('sha256').update(`${key} ${number}`).digest('hex');
    return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  };
}

/** What is asked for, before it is done; an error that it answers with is the refusal. */
export type Admission = (request: {
  verb: 'create' | 'rehearse' | 'evict';
  plural: string;
  name: string;
}) => KubeError | undefined;

/** As it is kept: frozen, and so handed out without a copy. */
export type Kept<T> = T & object;

function answered({ code, body }: Verdict): unknown {
  if (code < 300) return body;
  const status = body as { message: string; reason: string; details?: { causes?: Cause[] } };
  throw new KubeError(code, status.message, status.reason, status.details);
}

export class Api {
  readonly store: ApiStore;
  readonly clock: FakeClock;
  /** Namespaces in which nothing can be made any more. */
  readonly terminating = new Set<string>();
  /** A policy of the cluster, or its mood. */
  admission: Admission = () => undefined;
  /** How often programs listed each resource. */
  readonly listed = new Map<string, number>();
  readonly #cuts = new Set<(error: KubeError) => void>();
  /** Reasons of the Events that were told, with their notes; the objects themselves are kept nowhere. */
  readonly told: { reason: string; note: string }[] = [];

  constructor(clock: FakeClock) {
    this.clock = clock;
    this.store = new ApiStore({ now: () => clock.now(), uid: numbered(), strict: true });
  }

  all<T extends Stored>(resource: Resource): T[] {
    return [...this.store.of(placeOf(resource)).values()].map(object => this.#as<T>(object));
  }

  find<T extends Stored>(resource: Resource, at: Name): Kept<T> | undefined {
    const found = this.store.get(placeOf(resource, at));
    return found && this.#as<T>(found);
  }

  /** Puts an object there, or over the one that is there; uid and version are given to it. */
  put<T extends Stored>(resource: Resource, object: object): Kept<T> {
    const { namespace } = (object as Stored).metadata;
    const now = this.clock.now().toISOString();
    const metadata = { creationTimestamp: now, ...(object as Stored).metadata };
    return this.#as<T>(this.store.put(placeOf(resource, { namespace }), { ...object, metadata }));
  }

  /** Changes an object if it is there. */
  change<T extends Stored>(resource: Resource, at: Name, by: (object: T) => T): void {
    const known = this.find<T>(resource, at);
    if (known) this.put(resource, by(known));
  }

  /** Takes an object away, whatever stands on it. */
  drop(resource: Resource, at: Name): void {
    this.store.drop(placeOf(resource, at));
  }

  onChange(listener: (plural: string, happened: Happened) => void): void {
    this.store.onHappened((collection, happened) =>
      listener(collection.slice(collection.lastIndexOf('/') + 1), happened),
    );
  }

  get<T extends Stored>(resource: Resource, at: Name): Kept<T> {
    const found = this.find<T>(resource, at);
    if (!found) throw new KubeError(404, `${resource.plural} "${at.name}" not found`, 'NotFound');
    return found;
  }

  list<T extends Stored>(resource: Resource, selection: Selection): Page<T> {
    const wanted = selects(selection);
    this.listed.set(resource.plural, (this.listed.get(resource.plural) ?? 0) + 1);
    const items = [...this.store.of(placeOf(resource)).values()].filter(wanted).map(object => this.#as<T>(object));
    return { items, resourceVersion: String(this.store.version) };
  }

  /** Tells `hear` of everything since `from`, until the function it returns is called. */
  subscribe<T extends Stored>(
    resource: Resource,
    { resourceVersion, ...selection }: Selection & { resourceVersion?: string },
    hear: (event: WatchEvent<T>) => void,
  ): () => void {
    const from = Number(resourceVersion ?? this.store.version);
    if (from < this.store.oldest) throw new KubeError(410, `too old resource version: ${from}`, 'Expired');
    const wanted = selects(selection);
    const collection = collectionOf(resource);
    const pass = (happened: Happened) => {
      const type = seenAs(happened, wanted);
      if (type) hear({ type, object: this.#as<T>(happened.object) });
    };
    const past = this.store.history(collection);
    for (const happened of past.slice(firstAfter(past, from))) pass(happened);
    return this.store.onHappened((where, happened) => where === collection && pass(happened));
  }

  /** Calls when the history that watches go on from is thrown away under them, until the function it returns is called. */
  onCut(cut: (error: KubeError) => void): () => void {
    this.#cuts.add(cut);
    return () => this.#cuts.delete(cut);
  }

  /** As when etcd compacts: whoever watches is told 410, and what it has not heard yet it never will. */
  compact(): void {
    this.store.compact();
    for (const cut of [...this.#cuts])
      cut(new KubeError(410, 'The resourceVersion for the provided watch is too old', 'Expired'));
  }

  create<T extends Stored>(resource: Resource, body: object, namespace?: string): Kept<T> {
    refuseBadNames(body);
    this.refuseIfTerminating(namespace);
    if (resource.plural === EVENTS.plural) return this.#tell<T>(body);
    this.admit('create', resource, body);
    const { status: _status, ...rest } = body as Stored & { status?: object };
    const first = resource === PODS ? { ...rest, status: { phase: 'Pending' } } : { ...rest };
    return this.#taken<T>(this.store.create(placeOf(resource, { namespace }), first));
  }

  /** Throws what the cluster has against it. */
  admit(verb: 'create' | 'rehearse', { plural }: Resource, body: object): void {
    const { name = '' } = (body as Partial<Stored>).metadata ?? {};
    const refused = this.admission({ verb, plural, name });
    if (refused) throw refused;
  }

  refuseIfTerminating(namespace: string | undefined): void {
    if (namespace === undefined || !this.terminating.has(namespace)) return;
    const message = `namespace ${namespace} is being terminated`;
    throw new KubeError(403, message, 'Forbidden', { causes: [{ reason: 'NamespaceTerminating', message }] });
  }

  patch<T extends Stored>(resource: Resource, at: Name, body: unknown, options: PatchOptions = {}): Kept<T> {
    const { type = 'merge', subresource } = options;
    if (resource.plural === EVENTS.plural) return this.#tell<T>({});
    if (type !== 'merge' && type !== 'json') throw new Error(`this cluster takes no ${type} patches`);
    return this.#taken<T>(this.store.patch(placeOf(resource, at, subresource), body, CONTENT[type]));
  }

  replace<T extends Stored>(resource: Resource, at: Name, body: T, subresource?: 'status'): T {
    const fields: object = body;
    return this.#taken<T>(this.store.replace(placeOf(resource, at, subresource), { ...fields }));
  }

  /** A Pod on a node is only told to end; its kubelet takes it away. */
  delete(resource: Resource, at: Name, options: DeleteOptions = {}): void {
    const pod = resource === PODS ? this.find<PodObject>(PODS, at) : undefined;
    const seconds = options.gracePeriodSeconds ?? pod?.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS;
    const graceful = pod?.spec.nodeName !== undefined && !isOver(pod) && seconds > 0;
    if (!pod || !graceful) return void this.#taken(this.store.delete(placeOf(resource, at), options));
    if (options.uid !== undefined && options.uid !== pod.metadata.uid)
      throw new KubeError(409, `the uid of pod ${at.name} differs`, 'Conflict');
    const before = pod.metadata.deletionTimestamp;
    const ends = new Date(this.clock.now().getTime() + seconds * 1000).toISOString();
    if (before !== undefined && before <= ends) return;
    const metadata = { ...pod.metadata, deletionTimestamp: ends, deletionGracePeriodSeconds: seconds };
    this.put(PODS, { ...pod, metadata });
  }

  #taken<T extends Stored>(verdict: Verdict): Kept<T> {
    return answered(verdict) as Kept<T>;
  }

  #as<T extends Stored>(object: unknown): Kept<T> {
    return object as Kept<T>;
  }

  #tell<T extends Stored>(body: object): Kept<T> {
    const { reason = '', note = '' } = body as { reason?: string; note?: string };
    if (reason !== '') this.told.push({ reason, note });
    return this.#as<T>({ ...body, metadata: { name: 'event', uid: 'event', resourceVersion: '1' } });
  }
}

/** An object that comes into a selection appears, and one that leaves it is gone, whatever happened to it. */
function seenAs(
  { type, object, before }: Happened,
  wanted: ReturnType<typeof selects>,
): 'ADDED' | 'MODIFIED' | 'DELETED' | undefined {
  const is = type !== 'DELETED' && wanted(object);
  const was = before !== undefined && wanted(before);
  if (is) return was ? 'MODIFIED' : 'ADDED';
  return was ? 'DELETED' : undefined;
}

function firstAfter(past: readonly Happened[], version: number): number {
  let [from, to] = [0, past.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((past[middle]?.version ?? 0) > version) to = middle;
    else from = middle + 1;
  }
  return from;
}
