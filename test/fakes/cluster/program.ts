/**
 * A program that can die or freeze between any two of its acts. Everything it does goes through one `Instance`:
 * its clock, its client, its machine. Killed, an instance is inert: no call of it has an effect or resolves any more,
 * as after a real SIGKILL. Frozen, all that would reach it waits for the thaw, while time goes on for it as for the others.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../../../program/clock.js';
import type { FakeClock } from '../clock.js';

/** A write to the cluster, or a change of the machine. Acts are numbered from 1, over all instances of a program. */
export interface Mutation {
  program: string;
  number: number;
  /** Monotonic. */
  at: number;
  name: string;
  body?: unknown;
}

/** What may befall an act. A `fault` comes instead of it, `lost` instead of its answer. */
export type InjectedFault =
  | { is: 'killBefore' | 'killAfter' | 'freezeBefore' }
  | { is: 'fault' | 'lost'; error: Error }
  | { is: 'meanwhile'; call: () => void };

/** Never resolves; a new one each time, so that what waits for it can be forgotten. */
const never = <T>() => new Promise<T>(() => undefined);

export class Process {
  readonly program: Program;
  /** Aborts when the program is told to end, which is not what a kill does. */
  readonly sigterm = new AbortController();
  readonly clock: Clock;
  #state: 'running' | 'frozen' | 'dead' = 'running';
  readonly #queued: (() => void)[] = [];
  readonly #killListeners = new Set<() => void>();

  constructor(program: Program, clock: FakeClock) {
    this.program = program;
    /* Every loop of the program listens. */
    setMaxListeners(0, this.sigterm.signal);
    const sleep = (ms: number, signal?: AbortSignal) => this.#sleep(clock, ms, signal);
    this.clock = { now: () => clock.now(), monotonic: () => clock.monotonic(), sleep };
  }

  get dead(): boolean {
    return this.#state === 'dead';
  }

  /** Calls now, after the thaw, or never. */
  deliver(call: () => void): void {
    if (this.#state === 'running') call();
    else if (this.#state === 'frozen') this.#queued.push(call);
  }

  /** Resolves when the instance may go on. */
  whenRunning(): Promise<void> {
    return new Promise(resolve => this.deliver(resolve));
  }

  /** Called when the instance dies, unless the function it returns is called before. */
  onKill(call: () => void): () => void {
    this.#killListeners.add(call);
    return () => void this.#killListeners.delete(call);
  }

  async read<T>(read: () => T): Promise<T> {
    this.program.detectHotLoop();
    await this.whenRunning();
    const answer = captureResult(read);
    await this.whenRunning();
    return answer();
  }

  async mutate<T>(name: string, body: unknown, perform: () => T): Promise<T> {
    await this.whenRunning();
    const mishap = this.program.beginMutation(name, body);
    await this.whenRunning();
    if (mishap?.is === 'killBefore') return this.#die<T>();
    if (mishap?.is === 'fault') throw mishap.error;
    if (mishap?.is === 'meanwhile') mishap.call();
    if (mishap?.is === 'freezeBefore') {
      this.program.freeze();
      await this.whenRunning();
    }
    const answer = captureResult(perform);
    if (mishap?.is === 'killAfter') return this.#die<T>();
    await this.whenRunning();
    if (mishap?.is === 'lost') throw mishap.error;
    return answer();
  }

  #die<T>(): Promise<T> {
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
    for (const call of this.#queued.splice(0)) this.deliver(call);
  }

  kill(): void {
    this.#state = 'dead';
    this.#queued.length = 0;
    for (const off of this.#killListeners) off();
    this.#killListeners.clear();
  }

  #sleep(clock: FakeClock, ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.dead) return never<void>();
    return new Promise<void>(resolve => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        off();
        forget();
        signal?.removeEventListener('abort', wake);
        this.deliver(resolve);
      };
      const off = clock.callAfter(ms, wake);
      const forget = this.onKill(off);
      signal?.addEventListener('abort', wake);
    });
  }
}

/** The outcome, kept until it may be told. */
function captureResult<T>(perform: () => T): () => T {
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
  mutations: Mutation[];
  main: (instance: Process) => Promise<void>;
  /** A program that ended is started anew after this; absent: it stays down. */
  restartMs?: number;
}

export class Program {
  readonly name: string;
  /** Acts since `countFromHere`. */
  mutationCount = 0;
  /** Instances started. */
  starts = 0;
  /** What befalls the next act, which has this number. */
  faultAt: (number: number, name: string) => InjectedFault | undefined = () => undefined;
  /** It asked without end and was stopped for it. */
  hotLooped = false;
  #calls = 0;
  #lastCall = 0;
  /** Told when an instance is frozen. */
  onFreeze: () => void = () => undefined;
  readonly #options: ProgramOptions;
  #process: Process | undefined;
  #shouldRun = false;
  #cancelRestart: (() => void) | undefined;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  resetMutationCount(): void {
    this.mutationCount = 0;
  }

  /** One that asks without end while no time passes is stopped: nothing else would ever get its turn. */
  detectHotLoop(): void {
    const now = this.#options.clock.monotonic();
    this.#calls = now === this.#lastCall ? this.#calls + 1 : 0;
    this.#lastCall = now;
    if (this.#calls < MOST_CALLS_AT_ONCE) return;
    this.hotLooped = true;
    this.stop();
  }

  beginMutation(name: string, body: unknown): InjectedFault | undefined {
    this.detectHotLoop();
    this.mutationCount += 1;
    const { mutations, clock } = this.#options;
    mutations.push({ program: this.name, number: this.mutationCount, at: clock.monotonic(), name, body });
    return this.faultAt(this.mutationCount, name);
  }

  /** Runs it, and again whenever it ends, until `leave`. */
  start(inMs = 0): void {
    this.#shouldRun = true;
    this.#cancelRestart?.();
    this.#cancelRestart = this.#options.clock.callAfter(inMs, () => this.#run());
  }

  /** It dies here and now; it is started again if it should be. */
  kill(): void {
    this.#process?.kill();
    this.#process = undefined;
    const { restartMs } = this.#options;
    if (this.#shouldRun && restartMs !== undefined) this.start(restartMs);
  }

  /** It dies here and now, and stays down until `start`. */
  stop(): void {
    this.#shouldRun = false;
    this.#cancelRestart?.();
    this.kill();
  }

  /** It is told to end, as by SIGTERM. */
  terminate(): void {
    this.#process?.sigterm.abort(new Error('stopped'));
  }

  freeze(): void {
    this.#process?.freeze();
    this.onFreeze();
  }

  thaw(): void {
    this.#process?.thaw();
  }

  #run(): void {
    if (this.#process) return;
    const instance = new Process(this, this.#options.clock);
    this.#process = instance;
    this.starts += 1;
    const ended = () => {
      if (this.#process === instance) this.kill();
    };
    void this.#options.main(instance).then(ended, ended);
  }
}
