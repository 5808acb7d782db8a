/** The kubelet's worker for one Pod: pulls, starts and ends its containers one after the other, as their behavior says. */
import { type ContainerBehavior, behaviorOf } from './container-behavior.js';
import type { ContainerSpec, ContainerStatus, PodObject } from './object-types.js';
import type { KubeletOptions, ContainerRun } from './kubelet.js';

type Stage =
  | { kind: 'pull'; until?: number }
  | { kind: 'run'; until: number; errand: ContainerBehavior; startedAt: string; entry: ContainerRun };

interface SyncResult {
  status?: PodObject['status'];
  recheckMs?: number;
}

export class PodWorker {
  readonly #options: KubeletOptions;
  readonly #images: Set<string>;
  /** The current container; init containers come first. */
  #containerIndex = 0;
  #stage: Stage = { kind: 'pull' };
  #finishedContainers: ContainerStatus[] = [];
  #restarts = 0;
  #endsAt: number | undefined;
  #startTime: string | undefined;
  #lostPower = false;
  #reported: string | undefined;

  constructor(options: KubeletOptions, images: Set<string>) {
    this.#options = options;
    this.#images = images;
  }

  /** The machine went down while the Pod ran. */
  losePower(): void {
    this.#recordEnd();
    if (this.#stage.kind === 'run') this.#lostPower = true;
    else this.#stage = { kind: 'pull' };
  }

  /** Ends the Pod within `ms`; returns the milliseconds that remain. */
  terminate(ms: number): number {
    const now = this.#now();
    if (this.#lostPower || this.#stage.kind === 'pull') this.#endsAt = now;
    this.#endsAt ??= now + ms;
    if (this.#endsAt <= now) this.#recordEnd();
    return this.#endsAt - now;
  }

  /** The Pod with the status that it gets after a SIGTERM. */
  failedPod(pod: PodObject): PodObject {
    return { ...pod, status: this.#failedPodStatus(pod, 137) };
  }

  /** Returns the new status, if it changed, and the milliseconds until it may change by itself. */
  sync(pod: PodObject): SyncResult {
    this.#startTime ??= this.#options.api.clock.now().toISOString();
    if (this.#lostPower) {
      this.#lostPower = false;
      if (pod.spec.restartPolicy === 'Never') return { status: this.#failedPodStatus(pod, 255) };
      this.#restarts += 1;
      this.#stage = { kind: 'pull' };
    }
    for (;;) {
      const container = containersOf(pod)[this.#containerIndex];
      if (container === undefined) return this.#report(pod, { phase: 'Succeeded' });
      const result = this.#stage.kind === 'pull' ? this.#pull(pod, container) : this.#run(pod, container, this.#stage);
      if (result) return result;
    }
  }

  #pull(pod: PodObject, container: ContainerSpec): SyncResult | undefined {
    const { images } = this.#options;
    const traits = images[container.image] ?? {};
    const isPresent = this.#images.has(container.image);
    if (container.imagePullPolicy === 'Never' && !isPresent) {
      const waiting = { reason: 'ErrImageNeverPull', message: 'the image is not present' };
      return this.#report(pod, { phase: 'Pending', state: { waiting } });
    }
    /* For an image that is present the registry is only asked for its digest, which takes no time. */
    if (!isPresent || (container.imagePullPolicy === 'Always' && traits.error !== undefined)) {
      if (traits.error !== undefined) {
        const waiting = { reason: 'ErrImagePull', message: traits.error };
        return this.#report(pod, { phase: 'Pending', state: { waiting } });
      }
      if (this.#stage.kind === 'pull') this.#stage.until ??= this.#now() + (traits.pullSeconds ?? 2) * 1000;
      const left = this.#stage.kind === 'pull' ? (this.#stage.until ?? 0) - this.#now() : 0;
      if (left > 0)
        return this.#report(pod, {
          phase: 'Pending',
          state: { waiting: { reason: 'ContainerCreating' } },
          recheckMs: left,
        });
      this.#images.add(container.image);
    }
    this.#start(pod, container);
    return undefined;
  }

  #start(pod: PodObject, container: ContainerSpec): void {
    const { api, machine, images, behavior, containerRuns } = this.#options;
    const { clock } = api;
    const image = images[container.image] ?? {};
    const errand = behaviorOf({ pod, container, machine, image, clock }, behavior);
    const { name, uid, ownerReferences } = pod.metadata;
    const owner = ownerReferences?.find(each => each.controller === true)?.uid;
    const entry = { pod: name, podUid: uid, owner, container: container.name, node: machine.name, at: this.#now() };
    containerRuns.push(entry);
    const until = this.#now() + (errand.seconds ?? Number.POSITIVE_INFINITY) * 1000;
    this.#stage = { kind: 'run', until, errand, startedAt: clock.now().toISOString(), entry };
  }

  #run(pod: PodObject, container: ContainerSpec, stage: Extract<Stage, { kind: 'run' }>): SyncResult | undefined {
    const left = stage.until - this.#now();
    if (left > 0) {
      const running = { startedAt: stage.startedAt };
      const recheckMs = Number.isFinite(left) ? left : undefined;
      return this.#report(pod, { phase: this.#isMain(pod) ? 'Running' : 'Pending', state: { running }, recheckMs });
    }
    const exitCode = stage.errand.exitCode ?? 0;
    if (exitCode === 0) stage.errand.onSuccess?.();
    if (exitCode !== 0) return { status: this.#failedPodStatus(pod, exitCode, stage.errand.message) };
    this.#recordEnd();
    this.#finishedContainers.push(this.#status(container, this.#terminated(stage, 0, stage.errand.message)));
    this.#containerIndex += 1;
    this.#stage = { kind: 'pull' };
    return undefined;
  }

  /** The status of a Pod that failed with its current container. */
  #failedPodStatus(pod: PodObject, exitCode: number, message?: string): PodObject['status'] {
    this.#recordEnd();
    const container = containersOf(pod)[this.#containerIndex];
    const state: ContainerStatus['state'] =
      this.#stage.kind === 'run' ? this.#terminated(this.#stage, exitCode, message) : { waiting: { reason: 'Ended' } };
    return this.#statusOf(pod, 'Failed', container && this.#status(container, state));
  }

  #report(
    pod: PodObject,
    { phase, state, recheckMs }: { phase: string; state?: ContainerStatus['state']; recheckMs?: number },
  ): SyncResult {
    const summary = `${phase} ${this.#containerIndex} ${this.#restarts} ${JSON.stringify(state)}`;
    if (summary === this.#reported) return { recheckMs };
    this.#reported = summary;
    const container = containersOf(pod)[this.#containerIndex];
    return { recheckMs, status: this.#statusOf(pod, phase, container && state && this.#status(container, state)) };
  }

  #statusOf(pod: PodObject, phase: string, current: ContainerStatus | undefined): PodObject['status'] {
    const all = [...this.#finishedContainers, ...(current ? [current] : [])];
    const inits = pod.spec.initContainers?.length ?? 0;
    const ready = phase === 'Running' ? 'True' : 'False';
    return {
      phase,
      startTime: this.#startTime,
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        { type: 'Ready', status: ready },
      ],
      initContainerStatuses: inits > 0 ? all.slice(0, inits) : undefined,
      containerStatuses: all.slice(inits),
    };
  }

  #status({ name, image }: ContainerSpec, state: ContainerStatus['state']): ContainerStatus {
    const { podUid = '', at = 0 } = this.#stage.kind === 'run' ? this.#stage.entry : {};
    const containerID = state.waiting ? undefined : `containerd://${podUid}-${name}-${at}`;
    return {
      name,
      ready: state.running !== undefined,
      restartCount: this.#restarts,
      image,
      imageID: '',
      containerID,
      state,
    };
  }

  #terminated({ startedAt }: { startedAt: string }, exitCode: number, message?: string): ContainerStatus['state'] {
    const finishedAt = this.#options.api.clock.now().toISOString();
    return { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', message, startedAt, finishedAt } };
  }

  #recordEnd(): void {
    if (this.#stage.kind === 'run') this.#stage.entry.ended ??= this.#now();
  }

  #isMain(pod: PodObject): boolean {
    return this.#containerIndex >= (pod.spec.initContainers?.length ?? 0);
  }

  #now(): number {
    return this.#options.api.clock.monotonic();
  }
}

/** Every Pod in the fake cluster has one container besides its init containers. */
const containersOf = ({ spec }: PodObject): ContainerSpec[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers.slice(0, 1),
];
