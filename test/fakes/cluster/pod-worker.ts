/** The kubelet's worker for one Pod: init containers one after the other, then all containers at once; phase and statuses as the kubelet reports them. */
import { ContainerRunner } from './container-runner.js';
import { shorterDelay } from './control-loop.js';
import type { KubeletOptions } from './kubelet.js';
import type { Condition, ContainerStatus, PodObject } from './object-types.js';

interface SyncResult {
  status?: PodObject['status'];
  recheckMs?: number;
}

/** Why the kubelet ended a Pod: its `status.reason` and `status.message`. */
export interface EndReason {
  reason: string;
  message: string;
}

/** The kubelet reports the ends of containers first, and the phase of the ended Pod with a later update. */
const TERMINAL_PHASE_MS = 500;

const isTerminal = (phase: string): boolean => phase === 'Succeeded' || phase === 'Failed';

const isSidecar = ({ spec }: ContainerRunner) => spec.restartPolicy === 'Always';

export class PodWorker {
  readonly #options: KubeletOptions;
  readonly #inits: readonly ContainerRunner[];
  readonly #mains: readonly ContainerRunner[];
  #endsAt: number | undefined;
  #startTime: string | undefined;
  #lostPower = false;
  /** The kubelet makes no new sandbox: no further container starts. */
  #hangs = false;
  #reported: string | undefined;
  /** The last phase that was reported before the end of the last container. */
  #livePhase = 'Pending';
  /** When the last container had ended. */
  #terminalSince: number | undefined;

  constructor({ spec }: PodObject, options: KubeletOptions, images: Set<string>) {
    this.#options = options;
    this.#inits = (spec.initContainers ?? []).map(each => new ContainerRunner(each, options, images));
    this.#mains = spec.containers.map(each => new ContainerRunner(each, options, images));
  }

  get #all(): ContainerRunner[] {
    return [...this.#inits, ...this.#mains];
  }

  /** The machine went down while the Pod ran. */
  losePower(): void {
    for (const each of this.#all) each.losePower();
    this.#lostPower = true;
    this.#terminalSince = undefined;
  }

  /** Ends the Pod within `ms`; returns the milliseconds that remain. */
  terminate(ms: number): number {
    const now = this.#now();
    if (this.#lostPower || !this.#all.some(each => each.isRunning)) this.#endsAt = now;
    this.#endsAt ??= now + ms;
    if (this.#endsAt <= now) for (const each of this.#all) each.kill(137);
    return this.#endsAt - now;
  }

  /** The Pod with the status that it gets when its containers were ended from outside. */
  failedPod(pod: PodObject, why?: EndReason): PodObject {
    for (const each of this.#all) each.kill(137);
    if (this.#isInitialized()) for (const each of this.#mains) each.markUnknown();
    const target: Condition = { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' };
    /* A Pod whose containers have all ended by themselves has succeeded, even if it is deleted before its phase is reported. */
    const phase = why === undefined && this.#phase(pod) === 'Succeeded' ? 'Succeeded' : 'Failed';
    const status = this.#statusOf(pod, phase, false);
    const conditions = [...(status.conditions ?? []), ...(why ? [{ ...target, message: why.message }] : [])];
    return { ...pod, status: { ...status, ...why, conditions } };
  }

  /** Returns the new status, if it changed, and the milliseconds until it may change by itself. */
  sync(pod: PodObject): SyncResult {
    this.#startTime ??= this.#options.machine.now().toISOString();
    if (this.#lostPower) this.#recover(pod);
    const recheckMs = this.#hangs ? undefined : this.#advance(pod);
    const { phase, recheckMs: phaseMs } = this.#reportablePhase(this.#phase(pod));
    const { isReady, recheckMs: readyMs } = this.#readiness(pod, phase);
    return this.#report(pod, { phase, isReady, recheckMs: shorterDelay(shorterDelay(recheckMs, readyMs), phaseMs) });
  }

  /** Sidecars end when the other containers have; until the update after that, the phase remains what it was. */
  #reportablePhase(phase: string): { phase: string; recheckMs?: number } {
    if (!isTerminal(phase)) {
      this.#livePhase = phase;
      return { phase };
    }
    for (const each of this.#all) each.kill(0);
    this.#terminalSince ??= this.#now();
    const left = this.#terminalSince + TERMINAL_PHASE_MS - this.#now();
    return left > 0 ? { phase: this.#livePhase, recheckMs: left } : { phase };
  }

  /** After a power cut a Pod that is never restarted has lost its sandbox; any other Pod starts from its first init container. */
  #recover(pod: PodObject): void {
    this.#lostPower = false;
    const { afterPowerCut = 'goesOn' } = this.#options;
    if (pod.spec.restartPolicy !== 'Never') {
      for (const each of this.#all) each.restart();
      return;
    }
    const wasRunning = this.#all.some(each => each.isRunning);
    const began = this.#all.some(each => each.hasStarted);
    for (const each of this.#all) each.kill(255);
    if (wasRunning || !began || afterPowerCut === 'goesOn') return;
    this.#hangs = true;
    if (afterPowerCut === 'fails') for (const each of this.#all) each.markUnknown();
  }

  #advance(pod: PodObject): number | undefined {
    let recheckMs: number | undefined;
    for (const init of this.#inits) {
      recheckMs = shorterDelay(recheckMs, init.advance(pod));
      const mayGoOn = isSidecar(init) ? init.isRunning : init.exitCode === 0;
      if (!mayGoOn) return recheckMs;
    }
    for (const main of this.#mains) recheckMs = shorterDelay(recheckMs, main.advance(pod));
    return recheckMs;
  }

  #phase(pod: PodObject): string {
    const failedInit = this.#inits.some(each => (each.exitCode ?? 0) !== 0);
    if (failedInit && pod.spec.restartPolicy === 'Never') return 'Failed';
    if (!this.#isInitialized()) return 'Pending';
    const codes = this.#mains.map(each => each.exitCode);
    if (!codes.includes(undefined)) return codes.every(code => code === 0) ? 'Succeeded' : 'Failed';
    return this.#mains.every(each => each.hasStarted) ? 'Running' : 'Pending';
  }

  /** It is made before the first pull, but the kubelet reports it only when that pull has ended. */
  #showsSandbox(phase: string): boolean {
    return !this.#hangs && !isTerminal(phase) && this.#all[0]?.isPullOver === true;
  }

  #isInitialized(): boolean {
    return this.#inits.every(each => (isSidecar(each) ? each.hasStarted : each.exitCode === 0));
  }

  #readiness(pod: PodObject, phase: string): SyncResult & { isReady: boolean } {
    if (phase !== 'Running' || !this.#mains.every(each => each.isRunning)) return { isReady: false };
    const readyAt = this.#options.readyAt?.(pod) ?? 0;
    const left = readyAt - this.#now();
    return { isReady: left <= 0, recheckMs: left > 0 && Number.isFinite(left) ? left : undefined };
  }

  #report(
    pod: PodObject,
    { phase, isReady, recheckMs }: { phase: string; isReady: boolean; recheckMs: number | undefined },
  ): SyncResult {
    const status = this.#statusOf(pod, phase, isReady);
    const summary = JSON.stringify(status);
    if (summary === this.#reported) return { recheckMs };
    this.#reported = summary;
    return { recheckMs, status };
  }

  #statusOf(pod: PodObject, phase: string, isReady: boolean): PodObject['status'] {
    const waiting = this.#isInitialized() ? 'ContainerCreating' : 'PodInitializing';
    const inits = this.#inits.map(each => each.status('PodInitializing'));
    /* The kubelet sorts the statuses of containers by name; those of init containers stay in the order of the spec. */
    const mains = this.#mains.map(each => each.status(waiting)).toSorted(byName);
    return {
      phase,
      startTime: this.#startTime,
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        { type: 'PodReadyToStartContainers', status: this.#showsSandbox(phase) ? 'True' : 'False' },
        { type: 'Initialized', status: this.#isInitialized() ? 'True' : 'False' },
        { type: 'Ready', status: isReady ? 'True' : 'False' },
        /* A condition that others wrote stays. */
        ...(pod.status.conditions ?? []).filter(({ type }) => type === 'DisruptionTarget'),
      ],
      initContainerStatuses: inits.length > 0 ? inits : undefined,
      containerStatuses: mains,
    };
  }

  #now(): number {
    return this.#options.api.clock.monotonic();
  }
}

const byName = (a: ContainerStatus, b: ContainerStatus) => (a.name < b.name ? -1 : 1);
