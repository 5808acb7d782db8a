/**
 * A program that can die or freeze between any two of its acts. Everything it does goes through one `Instance`:
 * its clock, its client, its machine. Killed, an instance is inert: no call of it has an effect or resolves any more,
 * as after a real SIGKILL. Frozen, all that would reach it waits for the thaw, while time goes on for it as for the others.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../../../program/clock.js';
import type { FakeClock } from '../clock.js';

/** A write to the cluster, or a change of the machine. Acts are numbered from 1, over all instances of a program. */
export interface Act {
  program: string;
  number: number;
  /** Monotonic. */
  at: number;
  name: string;
  body?: unknown;
}

/** What may befall an act. A `fault` comes instead of it, `lost` instead of its answer. */
export type Mishap =
  | { is: 'killBefore' | 'killAfter' | 'freezeBefore' }
  | { is: 'fault' | 'lost'; error: Error }
  | { is: 'meanwhile'; call: () => void };

/** Never resolves; a new one each time, so that what waits for it can be forgotten. */
const never = <T>() => new Promise<T>(() => undefined);

export class Instance {
  readonly program: Program;
  /** Aborts when the program is told to end, which is not what a kill does. */
  readonly stop = new AbortController();
  readonly clock: Clock;
  #state: 'running' | 'frozen' | 'dead' = 'running';
  readonly #waiting: (() => void)[] = [];
  readonly #alarms = new Set<() => void>();

  constructor(program: Program, clock: FakeClock) {
    this.program = program;
    /* Every loop of the program listens. */
    setMaxListeners(0, this.stop.signal);
    const sleep = (ms: number, signal?: AbortSignal) => this.#sleep(clock, ms, signal);
    this.clock = { now: () => clock.now(), monotonic: () => clock.monotonic(), sleep };
  }

  get dead(): boolean {
    return this.#state === 'dead';
  }

  /** Calls now, after the thaw, or never. */
  reach(call: () => void): void {
    if (this.#state === 'running') call();
    else if (this.#state === 'frozen') this.#waiting.push(call);
  }

  /** Resolves when the instance may go on. */
  alive(): Promise<void> {
    return new Promise(resolve => this.reach(resolve));
  }

  /** Called when the instance dies, unless the function it returns is called before. */
  onDeath(call: () => void): () => void {
    this.#alarms.add(call);
    return () => void this.#alarms.delete(call);
  }

  async look<T>(read: () => T): Promise<T> {
    this.program.breathe();
    await this.alive();
    const answer = settled(read);
    await this.alive();
    return answer();
  }

  async act<T>(name: string, body: unknown, perform: () => T): Promise<T> {
    await this.alive();
    const mishap = this.program.begin(name, body);
    await this.alive();
    if (mishap?.is === 'killBefore') return this.#dies<T>();
    if (mishap?.is === 'fault') throw mishap.error;
    if (mishap?.is === 'meanwhile') mishap.call();
    if (mishap?.is === 'freezeBefore') {
      this.program.freeze();
      await this.alive();
    }
    const answer = settled(perform);
    if (mishap?.is === 'killAfter') return this.#dies<T>();
    await this.alive();
    if (mishap?.is === 'lost') throw mishap.error;
    return answer();
  }

  #dies<T>(): Promise<T> {
    this.program.kill();
    return never<T>();
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  /** What has waited happens in the order in which it would have. */
  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    for (const call of this.#waiting.splice(0)) this.reach(call);
  }

  kill(): void {
    this.#state = 'dead';
    this.#waiting.length = 0;
    for (const off of this.#alarms) off();
    this.#alarms.clear();
  }

  #sleep(clock: FakeClock, ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.dead) return never<void>();
    return new Promise<void>(resolve => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        off();
        forget();
        signal?.removeEventListener('abort', wake);
        this.reach(resolve);
      };
      const off = clock.after(ms, wake);
      const forget = this.onDeath(off);
      signal?.addEventListener('abort', wake);
    });
  }
}

/** The outcome, kept until it may be told. */
function settled<T>(perform: () => T): () => T {
  try {
    const value = perform();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** Far more than any program here has to ask at one moment. */
const MOST_CALLS_AT_ONCE = 2_000;

export interface ProgramOptions {
  name: string;
  clock: FakeClock;
  /** Where every act of every program is written down. */
  acts: Act[];
  main: (instance: Instance) => Promise<void>;
  /** A program that ended is started anew after this; absent: it stays down. */
  restartMs?: number;
}

export class Program {
  readonly name: string;
  /** Acts since `countFromHere`. */
  count = 0;
  /** Instances started. */
  starts = 0;
  /** What befalls the next act, which has this number. */
  mishap: (number: number, name: string) => Mishap | undefined = () => undefined;
  /** It asked without end and was stopped for it. */
  ranHot = false;
  #calls = 0;
  #lastCall = 0;
  /** Told when an instance is frozen. */
  onFreeze: () => void = () => undefined;
  readonly #options: ProgramOptions;
  #instance: Instance | undefined;
  #wanted = false;
  #restart: (() => void) | undefined;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get running(): boolean {
    return this.#instance !== undefined;
  }

  countFromHere(): void {
    this.count = 0;
  }

  /** One that asks without end while no time passes is stopped: nothing else would ever get its turn. */
  breathe(): void {
    const now = this.#options.clock.monotonic();
    this.#calls = now === this.#lastCall ? this.#calls + 1 : 0;
    this.#lastCall = now;
    if (this.#calls < MOST_CALLS_AT_ONCE) return;
    this.ranHot = true;
    this.leave();
  }

  begin(name: string, body: unknown): Mishap | undefined {
    this.breathe();
    this.count += 1;
    const { acts, clock } = this.#options;
    acts.push({ program: this.name, number: this.count, at: clock.monotonic(), name, body });
    return this.mishap(this.count, name);
  }

  /** Runs it, and again whenever it ends, until `leave`. */
  start(inMs = 0): void {
    this.#wanted = true;
    this.#restart?.();
    this.#restart = this.#options.clock.after(inMs, () => this.#run());
  }

  /** It dies here and now; it is started again if it should be. */
  kill(): void {
    this.#instance?.kill();
    this.#instance = undefined;
    const { restartMs } = this.#options;
    if (this.#wanted && restartMs !== undefined) this.start(restartMs);
  }

  /** It dies here and now, and stays down until `start`. */
  leave(): void {
    this.#wanted = false;
    this.#restart?.();
    this.kill();
  }

  /** It is told to end, as by SIGTERM. */
  terminate(): void {
    this.#instance?.stop.abort(new Error('stopped'));
  }

  freeze(): void {
    this.#instance?.freeze();
    this.onFreeze();
  }

  thaw(): void {
    this.#instance?.thaw();
  }

  #run(): void {
    if (this.#instance) return;
    const instance = new Instance(this, this.#options.clock);
    this.#instance = instance;
    this.starts += 1;
    const ended = () => {
      if (this.#instance === instance) this.kill();
    };
    void this.#options.main(instance).then(ended, ended);
  }
}
