/** Records Events, as `kubectl describe` shows them: one per occurrence, counted when repeated, and never blocking the caller. */
import { createHash } from 'node:crypto';
import type { Clock } from '../program/clock.js';
import { cutText } from '../program/cut-text.js';
import type { Log } from '../program/log.js';
import { FairQueue } from './fair-queue.js';
import type { Kube, Stored } from './kube.js';
import { microTime } from './lease.js';
import { EVENTS } from './resources.js';

export interface EventSubject {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
  uid: string;
}

/** An Event about one object. */
export interface Event {
  about: EventSubject;
  type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  reason: string;
  message: string;
  /**
   * What a repeated Event is about, instead of its message: the words of a wait change again and again, and each would be another Event.
   * The first ones are kept, until a series has lasted ten minutes.
   */
  topic?: string;
  /** The action that was taken; defaults to the reason. */
  action?: string;
  related?: EventSubject;
}

export interface Recorder {
  /** Returns immediately and never throws, because no operation may depend on an Event. */
  record(event: Event): void;
}

export interface RecorderOptions {
  log: Log;
  clock: Clock;
  /** The reporting instance; usually the Pod name. */
  instance: string;
}

/** The limit of `events.k8s.io/v1`; the API server rejects longer values, and longer notes than `cutText` leaves. */
const MAX_REASON_LENGTH = 128;
/** How many Events may wait for a slow API server; then those of the namespace with most of them are dropped. */
const MAX_QUEUE_LENGTH = 500;
/** The same Event about the same object within this time belongs to one series. */
const SERIES_MS = 10 * 60_000;
/** The count of a series is sent at most this often. */
const SERIES_UPDATE_MS = 60_000;
/** How many series are remembered; the oldest are forgotten first. */
const MAX_SERIES = 2_000;

interface Series {
  name: string;
  namespace: string;
  message: string;
  count: number;
  /** Monotonic time of the first occurrence. */
  startedAt: number;
  /** Monotonic times of the last occurrence and of the last request for it. */
  lastObserved: number;
  lastSent: number;
}

/** The body of the Event object. Events about cluster-scoped objects are stored in the namespace `default`. */
export function eventBody(event: Event, { instance, name, now }: { instance: string; name: string; now: Date }) {
  const { about, type, reason, action = reason, related } = event;
  const note = cutText(event.message);
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace: about.namespace ?? 'default' },
    eventTime: microTime(now),
    type,
    reason: reason.slice(0, MAX_REASON_LENGTH),
    action: action.slice(0, MAX_REASON_LENGTH),
    note,
    regarding: reference(about),
    related: related && reference(related),
    reportingController: 'kairos-operator',
    reportingInstance: instance.slice(0, MAX_REASON_LENGTH),
  };
}

/** Copies only the fields of a reference, because callers may pass whole objects. */
const reference = ({ apiVersion, kind, name, namespace, uid }: EventSubject): EventSubject => ({
  apiVersion,
  kind,
  name,
  namespace,
  uid,
});

/** Events with the same key form a series. */
const seriesKey = ({ about, type, reason, message, topic = message, related }: Event) =>
  JSON.stringify([about.kind, about.namespace, about.name, about.uid, type, reason, topic, related?.uid]);

class SeriesRecorder implements Recorder {
  readonly #kube: Pick<Kube, 'create' | 'patch'>;
  readonly #options: RecorderOptions;
  readonly #series = new Map<string, Series>();
  /** By namespace: they take turns. */
  readonly #queue = new FairQueue<() => Promise<unknown>>();
  #sending: Promise<void> | undefined;
  #created = 0;

  constructor(kube: Pick<Kube, 'create' | 'patch'>, options: RecorderOptions) {
    this.#kube = kube;
    this.#options = options;
  }

  record(whole: Event): void {
    /* The series remember their messages. */
    const event = { ...whole, message: cutText(whole.message) };
    const key = seriesKey(event);
    const now = this.#options.clock.monotonic();
    const known = this.#series.get(key);
    const isOutdated = known && known.message !== event.message && now - known.startedAt >= SERIES_MS;
    if (known && !isOutdated && now - known.lastObserved < SERIES_MS) this.#repeat(known, now);
    else this.#start(key, event, now);
  }

  /** Resolves when the queue is empty. */
  async idle(): Promise<void> {
    await this.#sending;
  }

  #start(key: string, event: Event, now: number): void {
    const { instance, clock } = this.#options;
    this.#created += 1;
    const hash = createHash('sha256').update(`${key} ${instance} ${clock.now().getTime()} ${this.#created}`);
    /* A trailing dot or dash at the cut would make the name invalid. */
    const prefix = event.about.name.slice(0, 200).replace(/[^a-z0-9]+$/, '');
    const name = `${prefix}.${hash.digest('hex').slice(0, 16)}`;
    const namespace = event.about.namespace ?? 'default';
    const times = { startedAt: now, lastObserved: now, lastSent: now };
    const series: Series = { name, namespace, message: event.message, count: 1, ...times };
    this.#series.delete(key);
    this.#series.set(key, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > MAX_SERIES && oldest !== undefined) this.#series.delete(oldest);
    const body = eventBody(event, { instance, name, now: clock.now() });
    this.#send(series.namespace, () => this.#kube.create<Stored>(EVENTS, body, series.namespace));
  }

  #repeat(series: Series, now: number): void {
    series.count += 1;
    series.lastObserved = now;
    if (now - series.lastSent < SERIES_UPDATE_MS) return;
    series.lastSent = now;
    const { name, namespace, count } = series;
    const update = { series: { count, lastObservedTime: microTime(this.#options.clock.now()) } };
    this.#send(namespace, () => this.#kube.patch(EVENTS, { namespace, name }, update, { type: 'merge' }));
  }

  #send(namespace: string, call: () => Promise<unknown>): void {
    this.#queue.add(namespace, call);
    if (this.#queue.size > MAX_QUEUE_LENGTH) this.#queue.dropFromLongest();
    this.#sending ??= this.#drain();
  }

  /** Sends one at a time: the order matters, and Events must not take connections away from other requests. */
  async #drain(): Promise<void> {
    for (let call = this.#queue.take(); call; call = this.#queue.take())
      try {
        await call();
      } catch (error) {
        this.#options.log.debug({ err: error }, 'failed to record an Event');
      }
    this.#sending = undefined;
  }
}

/** Creates a recorder that sends through `kube`; an Event that the API server rejects is dropped. */
export function recorder(
  kube: Pick<Kube, 'create' | 'patch'>,
  options: RecorderOptions,
): Recorder & { idle(): Promise<void> } {
  return new SeriesRecorder(kube, options);
}
