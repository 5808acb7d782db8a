/** The API client of one process: a kill can hit before or after any write, and watch events may be late. */
import type {
  DeleteOptions,
  Eviction,
  Kube,
  ListOptions,
  Name,
  Page,
  PatchOptions,
  Resource,
  Stored,
  WatchEvent,
  WatchOptions,
} from '../../../kube/kube.js';
import { EVENTS } from '../../../kube/resources.js';
import type { ServerTime } from '../../../kube/server-clock.js';
import type { FakeApiServer } from './api-server.js';
import { evict } from './eviction-api.js';
import { WatchStream } from './watch-stream.js';
import { validateNames } from './name-validation.js';
import type { Process } from './process.js';

/** The delay of watch events of a resource, in milliseconds; `Infinity` loses the event. */
export type WatchDelay = (plural: string) => number;

interface ProcessKubeOptions {
  delay: WatchDelay;
  until?: AbortSignal;
  onServerTime?: (time: ServerTime) => void;
}

export class ProcessKube implements Kube {
  readonly #api: FakeApiServer;
  readonly #process: Process;
  readonly #delay: WatchDelay;
  readonly #until: AbortSignal | undefined;
  readonly #onServerTime: (time: ServerTime) => void;

  constructor(
    api: FakeApiServer,
    process: Process,
    { delay, until, onServerTime = () => undefined }: ProcessKubeOptions,
  ) {
    this.#api = api;
    this.#process = process;
    this.#delay = delay;
    this.#until = until;
    this.#onServerTime = onServerTime;
  }

  /** A client whose calls fail once the signal is aborted. */
  with(until: AbortSignal): ProcessKube {
    return new ProcessKube(this.#api, this.#process, { delay: this.#delay, until, onServerTime: this.#onServerTime });
  }

  get<T extends Stored>(resource: Resource, at: Name): Promise<T> {
    return this.#read(() => this.#api.get<T>(resource, at));
  }

  list<T extends Stored>(resource: Resource, options: ListOptions = {}): Promise<Page<T>> {
    return this.#read(() => this.#api.list<T>(resource, options));
  }

  watch<T extends Stored>(
    resource: Resource,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    return new WatchStream<T>(this.#api, this.#process, { resource, options, signal, delay: this.#delay });
  }

  create<T extends Stored>(resource: Resource, body: object, namespace?: string): Promise<T> {
    const name = `create ${resource.plural} ${(body as Stored).metadata.name}`;
    return this.#write(resource, name, body, () => this.#api.create<T>(resource, body, namespace));
  }

  patch<T extends Stored>(resource: Resource, at: Name, body: unknown, options: PatchOptions = {}): Promise<T> {
    const name = `patch ${resource.plural}${options.subresource ? '/status' : ''} ${at.name}`;
    return this.#write(resource, name, body, () => this.#api.patch<T>(resource, at, body, options));
  }

  replace<T extends Stored>(resource: Resource, at: Name, body: T, subresource?: 'status'): Promise<T> {
    const name = `replace ${resource.plural} ${at.name}`;
    return this.#write(resource, name, body, () => this.#api.replace<T>(resource, at, body, subresource));
  }

  delete(resource: Resource, at: Name, options: DeleteOptions = {}): Promise<void> {
    return this.#write(resource, `delete ${resource.plural} ${at.name}`, options, () =>
      this.#api.delete(resource, at, options),
    );
  }

  evict(at: Name, eviction: Eviction): Promise<void> {
    this.#checked();
    return this.#process.mutate(`evict pod ${at.name}`, eviction, () => evict(this.#api, at, eviction));
  }

  dryRun(resource: Resource, body: object, namespace?: string): Promise<void> {
    return this.#read(() => {
      validateNames(body);
      this.#api.refuseIfTerminating(namespace);
      const { refused } = this.#api.admit('dryRun', resource, body);
      if (refused) throw refused;
    });
  }

  podLog(): Promise<string> {
    return this.#read(() => '');
  }

  async #read<T>(read: () => T): Promise<T> {
    this.#checked();
    const answer = await this.#process.read(read);
    this.#reportServerTime();
    this.#checked();
    return answer;
  }

  /** Writing an Event is not counted as a mutation, because nothing depends on it. */
  async #write<T>(resource: Resource, name: string, body: unknown, perform: () => T): Promise<T> {
    this.#checked();
    if (resource.plural === EVENTS.plural) return this.#process.read(perform);
    const saved = await this.#process.mutate(name, body, perform);
    this.#reportServerTime();
    return saved;
  }

  /** The `Date` header of the response. */
  #reportServerTime(): void {
    const { clock } = this.#api;
    const date = new Date(Math.floor(clock.now().getTime() / 1000) * 1000);
    this.#onServerTime({ date, sentAt: clock.monotonic(), receivedAt: clock.monotonic() });
  }

  #checked(): void {
    if (this.#until?.aborted) throw this.#until.reason;
  }
}
