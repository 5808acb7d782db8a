/** Events as users see them with `kubectl describe`: told once, counted when repeated, never in the way of the work. */
import { createHash } from 'node:crypto';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
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

/** Something a user may want to hear, told on the object it is about. */
export interface Event {
  about: EventSubject;
  type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  reason: string;
  message: string;
  /** What was done; the reason, if absent. */
  action?: string;
  related?: EventSubject;
}

export interface Recorder {
  /** Returns at once and never throws: an event is a courtesy, not a step. */
  record(event: Event): void;
}

export interface RecorderOptions {
  log: Log;
  clock: Clock;
  /** Which of our programs speaks; the Pod's name, as a rule. */
  instance: string;
}

/** What `events.k8s.io/v1` takes; the server refuses longer ones. */
const LONGEST_NOTE_BYTES = 1024;
const LONGEST_REASON = 128;
/** Events that wait for a slow API server; of more, the new ones are dropped. */
const LONGEST_QUEUE = 500;
/** The same words about the same object within this time are one series. */
const SERIES_MS = 10 * 60_000;
/** The count of a series is brought up to date at most this often. */
const SERIES_PAUSE_MS = 60_000;
/** Series we remember; the oldest are forgotten first. */
const MOST_SERIES = 2_000;

interface Series {
  name: string;
  namespace: string;
  count: number;
  last: number;
  told: number;
}

/** The event as it is stored: cluster-scoped objects have theirs in `default`. */
export function eventBody(event: Event, { instance, name, now }: { instance: string; name: string; now: Date }) {
  const { about, type, reason, action = reason, related } = event;
  const note = truncated(event.message);
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace: about.namespace ?? 'default' },
    eventTime: microTime(now),
    type,
    reason: reason.slice(0, LONGEST_REASON),
    action: action.slice(0, LONGEST_REASON),
    note,
    regarding: reference(about),
    related: related && reference(related),
    reportingController: 'kairos-operator',
    reportingInstance: instance.slice(0, LONGEST_REASON),
  };
}

/** Callers may hand over more than that. */
const reference = ({ apiVersion, kind, name, namespace, uid }: EventSubject): EventSubject => ({
  apiVersion,
  kind,
  name,
  namespace,
  uid,
});

function truncated(text: string): string {
  if (Buffer.byteLength(text) <= LONGEST_NOTE_BYTES) return text;
  /* A cut in the middle of a letter leaves a replacement mark; it goes too. */
  return `${Buffer.from(text)
    .subarray(0, LONGEST_NOTE_BYTES - 3)
    .toString()
    .replace(/\uFFFD+$/, '')}…`;
}

const sameness = ({ about, type, reason, message, related }: Event) =>
  JSON.stringify([about.kind, about.namespace, about.name, about.uid, type, reason, message, related?.uid]);

class SeriesRecorder implements Recorder {
  readonly #kube: Pick<Kube, 'create' | 'patch'>;
  readonly #options: RecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #queue: (() => Promise<unknown>)[] = [];
  #sending: Promise<void> | undefined;
  #made = 0;

  constructor(kube: Pick<Kube, 'create' | 'patch'>, options: RecorderOptions) {
    this.#kube = kube;
    this.#options = options;
  }

  record(event: Event): void {
    const key = sameness(event);
    const now = this.#options.clock.monotonic();
    const known = this.#series.get(key);
    if (known && now - known.last < SERIES_MS) this.#repeat(known, now);
    else this.#begin(key, event, now);
  }

  /** Resolves when nothing waits to be sent. */
  async idle(): Promise<void> {
    await this.#sending;
  }

  #begin(key: string, event: Event, now: number): void {
    const { instance, clock } = this.#options;
    this.#made += 1;
    const mark = createHash('sha256').update(`${key} ${instance} ${clock.now().getTime()} ${this.#made}`);
    /* A dot or a dash at the cut would make a name that no server takes. */
    const start = event.about.name.slice(0, 200).replace(/[^a-z0-9]+$/, '');
    const name = `${start}.${mark.digest('hex').slice(0, 16)}`;
    const series = { name, namespace: event.about.namespace ?? 'default', count: 1, last: now, told: now };
    this.#series.delete(key);
    this.#series.set(key, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > MOST_SERIES && oldest !== undefined) this.#series.delete(oldest);
    const body = eventBody(event, { instance, name, now: clock.now() });
    this.#send(() => this.#kube.create<Stored>(EVENTS, body, series.namespace));
  }

  #repeat(series: Series, now: number): void {
    series.count += 1;
    series.last = now;
    if (now - series.told < SERIES_PAUSE_MS) return;
    series.told = now;
    const { name, namespace, count } = series;
    const told = { series: { count, lastObservedTime: microTime(this.#options.clock.now()) } };
    this.#send(() => this.#kube.patch(EVENTS, { namespace, name }, told, { type: 'merge' }));
  }

  #send(call: () => Promise<unknown>): void {
    if (this.#queue.length >= LONGEST_QUEUE) return;
    this.#queue.push(call);
    this.#sending ??= this.#drain();
  }

  /** One after the other: order counts, and events must not crowd out the work. */
  async #drain(): Promise<void> {
    for (let call = this.#queue.shift(); call; call = this.#queue.shift())
      try {
        await call();
      } catch (error) {
        this.#options.log.debug({ err: error }, 'an event was not told');
      }
    this.#sending = undefined;
  }
}

/** Sends through this client; an event the API server refuses is dropped. */
export function recorder(
  kube: Pick<Kube, 'create' | 'patch'>,
  options: RecorderOptions,
): Recorder & { idle(): Promise<void> } {
  return new SeriesRecorder(kube, options);
}
