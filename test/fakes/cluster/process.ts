/**
 * One process of a program, which can be killed or frozen between any two of its mutations. Everything that it does goes
 * through this class: its clock, its API client and its machine. A killed process is inert: none of its calls has an effect
 * or resolves any more, as after a real SIGKILL. What would reach a frozen process is queued until the thaw, while time passes
 * for it as for all others.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../../../program/clock.js';
import type { FakeClock } from '../clock.js';

/** What is done to one mutation. With `error` it is not performed; with `responseLost` it is, and its caller gets the error. */
export type InjectedFault =
  | { kind: 'killBefore' | 'killAfter' | 'freezeBefore' }
  | { kind: 'error' | 'responseLost'; error: Error }
  | { kind: 'runBefore'; call: () => void };

/** How long the API server takes for a request, and the signal with which its client gives up. */
export interface SentRequest {
  takesMs: number;
  cancelled?: AbortSignal;
}

const AT_ONCE: SentRequest = { takesMs: 0 };

export interface MutationRequest {
  name: string;
  body: unknown;
  sent?: SentRequest;
}

/** What a process needs of the program that it belongs to. */
export interface Supervisor {
  readonly name: string;
  /** Stops a program that keeps calling without any time passing. */
  detectHotLoop(): void;
  /** Counts and records a mutation; returns the fault that is injected into it. */
  beginMutation(name: string, body: unknown): InjectedFault | undefined;
  freeze(): void;
  kill(): void;
  /** How far the wall clock of its machine is ahead; absent when it is right. */
  readonly clockOffsetSeconds?: () => number;
}

/** Never resolves. Each call returns a new promise, so that what waits for it can be garbage collected. */
const never = <T>() => new Promise<T>(() => undefined);

export class Process {
  readonly program: Supervisor;
  /** Aborts when the program is asked to terminate; a kill does not abort it. */
  readonly sigterm = new AbortController();
  readonly clock: Clock;
  #state: 'running' | 'frozen' | 'killed' = 'running';
  readonly #clock: FakeClock;
  readonly #queued: (() => void)[] = [];
  readonly #killListeners = new Set<() => void>();

  constructor(program: Supervisor, clock: FakeClock) {
    this.program = program;
    this.#clock = clock;
    /* Every loop of the program adds a listener. */
    setMaxListeners(0, this.sigterm.signal);
    const sleep = (ms: number, signal?: AbortSignal) => this.#sleep(ms, signal);
    const offset = () => (program.clockOffsetSeconds?.() ?? 0) * 1000;
    this.clock = { now: () => new Date(clock.now().getTime() + offset()), monotonic: () => clock.monotonic(), sleep };
  }

  /** Calls at once if the process runs, after the thaw if it is frozen, and never if it was killed. */
  deliver(call: () => void): void {
    if (this.#state === 'running') call();
    else if (this.#state === 'frozen') this.#queued.push(call);
  }

  /** Resolves when the process is running. */
  whenRunning(): Promise<void> {
    return new Promise(resolve => this.deliver(resolve));
  }

  /** Registers a listener for the kill; returns a function that removes it. */
  onKill(listener: () => void): () => void {
    this.#killListeners.add(listener);
    return () => void this.#killListeners.delete(listener);
  }

  async read<T>(perform: () => T, sent: SentRequest = AT_ONCE): Promise<T> {
    this.program.detectHotLoop();
    await this.whenRunning();
    const result = await this.#performAtServer(perform, sent);
    await this.whenRunning();
    return result();
  }

  async mutate<T>({ name, body, sent = AT_ONCE }: MutationRequest, perform: () => T): Promise<T> {
    await this.whenRunning();
    const fault = this.program.beginMutation(name, body);
    await this.whenRunning();
    if (fault?.kind === 'killBefore') return this.#die<T>();
    if (fault?.kind === 'error') throw fault.error;
    if (fault?.kind === 'runBefore') fault.call();
    if (fault?.kind === 'freezeBefore') {
      this.program.freeze();
      await this.whenRunning();
    }
    const result = await this.#performAtServer(perform, sent);
    if (fault?.kind === 'killAfter') return this.#die<T>();
    await this.whenRunning();
    if (fault?.kind === 'responseLost') throw fault.error;
    return result();
  }

  /** A freeze does not keep the API server from performing a request; a kill closes the connection, and thereby cancels it. */
  #performAtServer<T>(perform: () => T, { takesMs, cancelled }: SentRequest): (() => T) | Promise<() => T> {
    if (takesMs <= 0) return captureResult(perform);
    return new Promise(resolve => {
      const cancel = this.#clock.callAfter(takesMs, () => {
        removeKillListener();
        if (!cancelled?.aborted) resolve(captureResult(perform));
      });
      const removeKillListener = this.onKill(cancel);
    });
  }

  #die<T>(): Promise<T> {
    this.program.kill();
    return never<T>();
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  /** Queued calls run in the order in which they arrived. */
  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    for (const call of this.#queued.splice(0)) this.deliver(call);
  }

  kill(): void {
    this.#state = 'killed';
    this.#queued.length = 0;
    for (const listener of this.#killListeners) listener();
    this.#killListeners.clear();
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#state === 'killed') return never<void>();
    return new Promise<void>(resolve => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        cancel();
        removeKillListener();
        signal?.removeEventListener('abort', wake);
        this.deliver(resolve);
      };
      const cancel = this.#clock.callAfter(ms, wake);
      const removeKillListener = this.onKill(cancel);
      signal?.addEventListener('abort', wake);
    });
  }
}

/** Performs at once; the value is returned, or the error thrown, only when the returned function is called. */
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
