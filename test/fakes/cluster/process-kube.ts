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
import { EVENTS, PODS } from '../../../kube/resources.js';
import type { ServerTime } from '../../../kube/server-clock.js';
import type { FakeApiServer } from './api-server.js';
import { type ApiCall, Connections } from './connections.js';
import { evict } from './eviction-api.js';
import { WatchStream } from './watch-stream.js';
import { validateNames } from './name-validation.js';
import type { Process } from './process.js';

/** The delay of watch events of a resource, in milliseconds; `Infinity` loses the event. */
export type WatchDelay = (plural: string) => number;

/** A call that changes something; `title` and `body` are recorded. */
interface WriteCall extends ApiCall {
  title: string;
  body: unknown;
}

interface ProcessKubeOptions {
  delay: WatchDelay;
  until?: AbortSignal;
  onServerTime?: (time: ServerTime) => void;
  /** Those of the client that this one was derived from. */
  connections?: Connections;
}

export class ProcessKube implements Kube {
  readonly #api: FakeApiServer;
  readonly #process: Process;
  readonly #delay: WatchDelay;
  readonly #until: AbortSignal | undefined;
  readonly #onServerTime: (time: ServerTime) => void;
  readonly #connections: Connections;

  constructor(
    api: FakeApiServer,
    process: Process,
    { delay, until, onServerTime = () => undefined, connections }: ProcessKubeOptions,
  ) {
    this.#api = api;
    this.#process = process;
    this.#delay = delay;
    this.#until = until;
    this.#onServerTime = onServerTime;
    this.#connections = connections ?? new Connections(api, process);
  }

  /** A client whose calls fail once the signal is aborted. */
  with(until: AbortSignal): ProcessKube {
    const [delay, onServerTime, connections] = [this.#delay, this.#onServerTime, this.#connections];
    return new ProcessKube(this.#api, this.#process, { delay, until, onServerTime, connections });
  }

  get<T extends Stored>(resource: Resource, at: Name): Promise<T> {
    return this.#read({ verb: 'get', resource, name: at.name }, () => this.#api.get<T>(resource, at));
  }

  async list<T extends Stored>(resource: Resource, options: ListOptions<T> = {}): Promise<Page<T>> {
    const page = await this.#read({ verb: 'list', resource }, () => this.#api.list<T>(resource, options));
    return { ...page, items: page.items.map(options.reduce ?? (object => object)) };
  }

  watch<T extends Stored>(
    resource: Resource,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    return new WatchStream<T>(this.#api, this.#process, { resource, options, signal, delay: this.#delay });
  }

  create<T extends Stored>(resource: Resource, body: object, namespace?: string): Promise<T> {
    const { name } = (body as Stored).metadata;
    const call = { verb: 'create', resource, name, title: `create ${resource.plural} ${name}`, body } as const;
    return this.#write(call, () => this.#api.create<T>(resource, body, namespace));
  }

  patch<T extends Stored>(resource: Resource, at: Name, body: unknown, options: PatchOptions = {}): Promise<T> {
    const { name } = at;
    const title = `patch ${resource.plural}${options.subresource ? '/status' : ''} ${name}`;
    return this.#write({ verb: 'patch', resource, name, title, body }, () =>
      this.#api.patch<T>(resource, at, body, options),
    );
  }

  replace<T extends Stored>(resource: Resource, at: Name, body: T, subresource?: 'status'): Promise<T> {
    const { name } = at;
    const call = { verb: 'replace', resource, name, title: `replace ${resource.plural} ${name}`, body } as const;
    return this.#write(call, () => this.#api.replace<T>(resource, at, body, subresource));
  }

  delete(resource: Resource, at: Name, options: DeleteOptions = {}): Promise<void> {
    const { name } = at;
    const call = { verb: 'delete', resource, name, title: `delete ${resource.plural} ${name}`, body: options } as const;
    return this.#write(call, () => this.#api.delete(resource, at, options));
  }

  evict(at: Name, eviction: Eviction): Promise<void> {
    const { name } = at;
    const call = { verb: 'evict', resource: PODS, name, title: `evict pod ${name}`, body: eviction } as const;
    return this.#write(call, () => evict(this.#api, at, eviction));
  }

  dryRun(resource: Resource, body: object, namespace?: string): Promise<void> {
    const { name } = (body as Stored).metadata;
    return this.#read({ verb: 'dryRun', resource, name }, () => {
      validateNames(body);
      this.#api.refuseIfTerminating(namespace);
      const { refused } = this.#api.admit('dryRun', resource, body);
      if (refused) throw refused;
    });
  }

  podLog(): Promise<string> {
    return this.#read({ verb: 'get', resource: PODS }, () => '');
  }

  async #read<T>(call: ApiCall, read: () => T): Promise<T> {
    this.#checked();
    const answer = await this.#connections.call(call, this.#until, sent => this.#process.read(read, sent));
    this.#reportServerTime();
    this.#checked();
    return answer;
  }

  /** Writing an Event is not counted as a mutation, because nothing depends on it. */
  async #write<T>(call: WriteCall, write: () => T): Promise<T> {
    this.#checked();
    const { title: name, body } = call;
    const perform = () => {
      this.#api.refuseIfDenied({ verb: call.verb, plural: call.resource.plural, name: call.name ?? '', body });
      return write();
    };
    const isEvent = call.resource.plural === EVENTS.plural;
    const saved = await this.#connections.call(call, this.#until, sent =>
      isEvent ? this.#process.read(perform, sent) : this.#process.mutate({ name, body, sent }, perform),
    );
    if (!isEvent) this.#reportServerTime();
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
