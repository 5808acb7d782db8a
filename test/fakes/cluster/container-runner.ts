/** One container of a Pod on a node: its image is pulled, it runs as its behavior says, and it is started again where its Pod asks for that. */
import { behaviorOf, type ContainerBehavior } from './container-behavior.js';
import { shorterDelay } from './control-loop.js';
import type { ContainerRun, KubeletOptions } from './kubelet.js';
import type { ContainerSpec, ContainerStatus, PodObject } from './object-types.js';
import { pullWaiting } from './image-pulls.js';

type State = ContainerStatus['state'];
type Stage =
  | { kind: 'pull'; until?: number; waiting?: State['waiting'] }
  | { kind: 'run'; until: number; behavior: ContainerBehavior; startedAt: string; entry: ContainerRun }
  | { kind: 'backOff'; until: number; ended: State['terminated'] }
  | { kind: 'ended'; state: State; exitCode: number };

const MAX_BACK_OFF_SECONDS = 300;

export class ContainerRunner {
  readonly spec: ContainerSpec;
  readonly #options: KubeletOptions;
  readonly #images: Set<string>;
  #stage: Stage = { kind: 'pull' };
  #containerID: string | undefined;
  #restarts = 0;

  constructor(spec: ContainerSpec, options: KubeletOptions, images: Set<string>) {
    this.spec = spec;
    this.#options = options;
    this.#images = images;
  }

  get isRunning(): boolean {
    return this.#stage.kind === 'run';
  }

  get hasStarted(): boolean {
    return this.#stage.kind !== 'pull' || this.#restarts > 0;
  }

  /** Its image was pulled, or could not be. */
  get isPullOver(): boolean {
    return this.#stage.kind !== 'pull' || this.#stage.waiting !== undefined;
  }

  /** Undefined while it has not ended for good. */
  get exitCode(): number | undefined {
    return this.#stage.kind === 'ended' ? this.#stage.exitCode : undefined;
  }

  /** Does what is due now; returns the milliseconds until more is due. */
  advance(pod: PodObject): number | undefined {
    for (;;) {
      const stage = this.#stage;
      if (stage.kind === 'ended') return undefined;
      if (stage.kind === 'run' && this.#now() < stage.until) return this.#left(stage.until);
      if (stage.kind === 'run') this.#finish(pod, stage);
      else if (stage.kind === 'backOff' && this.#now() < stage.until) return this.#left(stage.until);
      else if (stage.kind === 'backOff') this.#stage = { kind: 'pull' };
      else if (!this.#isPulled(stage)) return shorterDelay(this.#left(stage.until), undefined);
      else this.#start(pod);
    }
  }

  /** It is ended from outside, and does not start again. */
  kill(exitCode: number): void {
    if (this.#stage.kind === 'run') this.#end(this.#stage, exitCode);
  }

  /** Its process is gone with the power; nothing is reported before the machine is up again. */
  losePower(): void {
    if (this.#stage.kind === 'run') this.#stage.entry.ended ??= this.#now();
    else if (this.#stage.kind === 'pull') this.#stage = { kind: 'pull' };
  }

  /** It never started, or nothing is known of it any more, when its Pod was ended. */
  markUnknown(): void {
    if (this.#stage.kind === 'ended') return;
    const message = 'The container could not be located when the pod was terminated';
    const terminated = { exitCode: 137, reason: 'ContainerStatusUnknown', message };
    this.#stage = { kind: 'ended', state: { terminated }, exitCode: 137 };
  }

  /** It starts again in a new sandbox. */
  restart(): void {
    if (this.#stage.kind !== 'pull') this.#restarts += 1;
    this.#stage = { kind: 'pull' };
  }

  /** `waiting` is the reason of a container that has nothing to report yet. */
  status(waiting: string): ContainerStatus {
    const state = this.#state(waiting);
    return {
      name: this.spec.name,
      ready: state.running !== undefined,
      restartCount: this.#restarts,
      image: this.spec.image,
      imageID: '',
      containerID: this.#containerID,
      state,
    };
  }

  #state(waiting: string): State {
    const stage = this.#stage;
    if (stage.kind === 'run') return { running: { startedAt: stage.startedAt } };
    if (stage.kind === 'ended') return stage.state;
    if (stage.kind === 'backOff')
      return { waiting: { reason: 'CrashLoopBackOff', message: 'back-off restarting failed container' } };
    return { waiting: stage.waiting ?? { reason: waiting } };
  }

  #isPulled(stage: Extract<Stage, { kind: 'pull' }>): boolean {
    const { images } = this.#options;
    const { image, imagePullPolicy } = this.spec;
    const traits = images[image] ?? {};
    const isPresent = this.#images.has(image);
    if (imagePullPolicy === 'Never' && !isPresent) {
      stage.waiting = { reason: 'ErrImageNeverPull', message: 'the image is not present' };
      return false;
    }
    /* For an image that is present the registry is only asked for its digest, which takes no time. */
    if (isPresent && (imagePullPolicy !== 'Always' || traits.error === undefined)) return true;
    const trouble = pullWaiting(image, traits, this.#options.api.clock.monotonic());
    stage.waiting = trouble?.waiting;
    if (trouble) stage.until = trouble.retryAt;
    else stage.until ??= this.#now() + (traits.pullSeconds ?? 2) * 1000;
    if (trouble || this.#now() < (stage.until ?? 0)) return false;
    this.#images.add(image);
    return true;
  }

  #start(pod: PodObject): void {
    const { api, machine, images, behavior, containerRuns } = this.#options;
    const image = images[this.spec.image] ?? {};
    const does = behaviorOf({ pod, container: this.spec, machine, image, clock: api.clock }, behavior);
    const { name, uid, ownerReferences } = pod.metadata;
    const owner = ownerReferences?.find(each => each.controller === true)?.uid;
    const entry = {
      pod: name,
      podUid: uid,
      owner,
      container: this.spec.name,
      node: machine.name,
      at: this.#now(),
    };
    containerRuns.push(entry);
    const until = this.#now() + (does.seconds ?? Number.POSITIVE_INFINITY) * 1000;
    this.#containerID = `containerd://${uid}-${this.spec.name}-${entry.at}`;
    this.#stage = { kind: 'run', until, behavior: does, startedAt: machine.now().toISOString(), entry };
  }

  #finish(pod: PodObject, stage: Extract<Stage, { kind: 'run' }>): void {
    const { exitCode, message } = resultOf(stage.behavior);
    this.#end(stage, exitCode, message);
    const policy = this.spec.restartPolicy ?? pod.spec.restartPolicy ?? 'Always';
    const startsAgain = policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
    if (!startsAgain || this.#stage.kind !== 'ended') return;
    const seconds = Math.min(10 * 2 ** this.#restarts, MAX_BACK_OFF_SECONDS);
    this.#restarts += 1;
    this.#stage = { kind: 'backOff', until: this.#now() + seconds * 1000, ended: this.#stage.state.terminated };
  }

  #end({ entry, startedAt, behavior }: Extract<Stage, { kind: 'run' }>, exitCode: number, message?: string): void {
    entry.ended ??= this.#now();
    const finishedAt = this.#options.machine.now().toISOString();
    const reason = behavior.reason ?? (exitCode === 0 ? 'Completed' : 'Error');
    const terminated = { exitCode, reason, message, startedAt, finishedAt };
    this.#stage = { kind: 'ended', state: { terminated }, exitCode };
  }

  #left(until: number | undefined): number | undefined {
    return until !== undefined && Number.isFinite(until) ? until - this.#now() : undefined;
  }

  #now(): number {
    return this.#options.api.clock.monotonic();
  }
}

function resultOf({ exitCode = 0, message, onSuccess }: ContainerBehavior): { exitCode: number; message?: string } {
  if (exitCode !== 0) return { exitCode, message };
  try {
    onSuccess?.();
    return { exitCode, message };
  } catch (error) {
    return { exitCode: 1, message: error instanceof Error ? error.message : String(error) };
  }
}
