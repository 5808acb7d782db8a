/** One watch of one process: events arrive in order, possibly delayed or lost, until the server ends the watch. */
import type { Resource, Stored, WatchEvent, WatchOptions } from '../../../kube/kube.js';
import type { FakeApiServer } from './api-server.js';
import type { Process } from './process.js';
import type { WatchDelay } from './process-kube.js';

interface FlowOptions {
  resource: Resource;
  options: WatchOptions;
  signal: AbortSignal;
  delay: WatchDelay;
}

type Item<T extends Stored> = { event: WatchEvent<T> } | 'end' | { error: unknown };

export class WatchStream<T extends Stored> implements AsyncIterable<WatchEvent<T>> {
  readonly #api: FakeApiServer;
  readonly #process: Process;
  readonly #with: FlowOptions;
  readonly #come: Item<T>[] = [];
  readonly #ends: (() => void)[] = [];
  /** When the last event arrives: a later event never overtakes an earlier one. */
  #lastAt = 0;
  #wake: () => void = () => undefined;

  constructor(api: FakeApiServer, process: Process, options: FlowOptions) {
    this.#api = api;
    this.#process = process;
    this.#with = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent<T>> {
    await this.#process.whenRunning();
    this.#open();
    try {
      for (;;) {
        const item = this.#come.shift();
        if (item === 'end') return;
        if (item === undefined) await new Promise<void>(resolve => (this.#wake = resolve));
        else if ('error' in item) throw item.error;
        else yield item.event;
      }
    } finally {
      this.#close();
    }
  }

  #open(): void {
    const { resource, options, signal } = this.#with;
    if (signal.aborted) return this.#take('end');
    const { clock } = this.#api;
    const ends = () => this.#end();
    const seconds = options.timeoutSeconds ?? 300;
    this.#ends.push(
      this.#api.subscribe<T>(resource, options, event => this.#send(event)),
      this.#api.onCompaction(error => this.#process.deliver(() => this.#take({ error }))),
      clock.callAfter(seconds * 1000, ends),
      this.#process.onKill(() => this.#close()),
      () => signal.removeEventListener('abort', ends),
    );
    signal.addEventListener('abort', ends, { once: true });
  }

  #close(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  #send(event: WatchEvent<T>): void {
    const { clock } = this.#api;
    const now = clock.monotonic();
    const late = this.#with.delay(this.#with.resource.plural);
    if (late === Infinity) return;
    const at = Math.max(now + late, this.#lastAt);
    this.#lastAt = at;
    const arrive = () => this.#process.deliver(() => this.#take({ event }));
    if (at === now) arrive();
    else this.#ends.push(clock.callAfter(at - now, arrive));
  }

  /** Ends the watch after a last bookmark, so that the next one continues from there. */
  #end(): void {
    if (this.#with.signal.aborted || this.#lastAt > this.#api.clock.monotonic()) return this.#take('end');
    const object = { metadata: { resourceVersion: String(this.#api.store.version) } };
    this.#process.deliver(() => {
      this.#take({ event: { type: 'BOOKMARK', object } });
      this.#take('end');
    });
  }

  #take(item: Item<T>): void {
    this.#come.push(item);
    this.#wake();
  }
}
