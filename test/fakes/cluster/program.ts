/** A controller replica or an agent: it is started, killed, frozen and stopped, and its mutations are counted so that faults can be injected into them. */
import type { FakeClock } from '../clock.js';
import { type InjectedFault, Process, type Supervisor } from './process.js';

/** A write to the API server, or a change of the machine. Mutations are numbered from 1, across all processes of a program. */
export interface Mutation {
  program: string;
  number: number;
  /** Monotonic, in milliseconds. */
  at: number;
  name: string;
  body?: unknown;
}

/** Far more calls than any of these programs needs at one moment. */
const MAX_CALLS_AT_ONCE = 2_000;

export interface ProgramOptions {
  name: string;
  clock: FakeClock;
  /** The log to which the mutations of all programs are appended. */
  mutations: Mutation[];
  main: (process: Process) => Promise<void>;
  /** Delay after which a program that ended is started again; when absent, it stays down. */
  restartMs?: number;
  /** How far the wall clock of its machine is ahead; absent when it is right. */
  clockOffsetSeconds?: () => number;
}

export class Program implements Supervisor {
  readonly name: string;
  readonly clockOffsetSeconds: (() => number) | undefined;
  /** Mutations since `resetMutationCount`. */
  mutationCount = 0;
  /** Number of processes that were started. */
  starts = 0;
  /** Returns the fault to inject into the mutation of this number. */
  faultAt: (number: number, name: string) => InjectedFault | undefined = () => undefined;
  /** The program kept calling without any time passing, and was stopped for it. */
  hotLooped = false;
  #callsAtOnce = 0;
  #lastCall = 0;
  /** Called when a process is frozen. */
  onFreeze: () => void = () => undefined;
  readonly #options: ProgramOptions;
  #process: Process | undefined;
  #shouldRun = false;
  #cancelRestart: (() => void) | undefined;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.clockOffsetSeconds = options.clockOffsetSeconds;
    this.#options = options;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  resetMutationCount(): void {
    this.mutationCount = 0;
  }

  /** A hot loop is stopped, because the fake clock could not advance and no other program would run. */
  detectHotLoop(): void {
    const now = this.#options.clock.monotonic();
    this.#callsAtOnce = now === this.#lastCall ? this.#callsAtOnce + 1 : 0;
    this.#lastCall = now;
    if (this.#callsAtOnce < MAX_CALLS_AT_ONCE) return;
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

  /** Starts a process, and another whenever one ends, until `stop`. */
  start(inMs = 0): void {
    this.#shouldRun = true;
    this.#cancelRestart?.();
    this.#cancelRestart = this.#options.clock.callAfter(inMs, () => this.#run());
  }

  /** Kills the process at once; it is restarted unless the program was stopped. */
  kill(): void {
    this.#process?.kill();
    this.#process = undefined;
    const { restartMs } = this.#options;
    if (this.#shouldRun && restartMs !== undefined) this.start(restartMs);
  }

  /** Kills the process at once, without a restart before `start` is called. */
  stop(): void {
    this.#shouldRun = false;
    this.#cancelRestart?.();
    this.kill();
  }

  /** Asks the process to terminate, as SIGTERM does. */
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
    const process = new Process(this, this.#options.clock);
    this.#process = process;
    this.starts += 1;
    const ended = () => {
      if (this.#process === process) this.kill();
    };
    void this.#options.main(process).then(ended, ended);
  }
}
