/** One Pod on its machine: its containers one after the other, each pulled, started, and ended as its errand says. */
import { type Errand, errandOf } from './pending-work.js';
import type { ContainerSpec, ContainerStatus, PodObject } from './kinds.js';
import type { KubeletOptions, Started } from './kubelet.js';

type Stage =
  | { is: 'pull'; until?: number }
  | { is: 'run'; until: number; errand: Errand; startedAt: string; entry: Started };

interface Told {
  status?: PodObject['status'];
  again?: number;
}

export class PodRun {
  readonly #with: KubeletOptions;
  readonly #images: Set<string>;
  /** Which container it is at: those of the beginning come first. */
  #at = 0;
  #stage: Stage = { is: 'pull' };
  #ended: ContainerStatus[] = [];
  #restarts = 0;
  #endsAt: number | undefined;
  #startTime: string | undefined;
  #wasCut = false;
  #told: string | undefined;

  constructor(options: KubeletOptions, images: Set<string>) {
    this.#with = options;
    this.#images = images;
  }

  /** The machine went away under it. */
  cut(): void {
    this.#finish();
    if (this.#stage.is === 'run') this.#wasCut = true;
    else this.#stage = { is: 'pull' };
  }

  /** It is to end within this time: how long that still takes. */
  end(ms: number): number {
    const now = this.#now();
    if (this.#wasCut || this.#stage.is === 'pull') this.#endsAt = now;
    this.#endsAt ??= now + ms;
    if (this.#endsAt <= now) this.#finish();
    return this.#endsAt - now;
  }

  /** What is told of a Pod that was ended from outside. */
  failed(pod: PodObject): PodObject {
    return { ...pod, status: this.#over(pod, 137) };
  }

  /** How things stand, if they stand otherwise than before, and when they will change by themselves. */
  goOn(pod: PodObject): Told {
    this.#startTime ??= this.#with.api.clock.now().toISOString();
    if (this.#wasCut) {
      this.#wasCut = false;
      if (pod.spec.restartPolicy === 'Never') return { status: this.#over(pod, 255) };
      this.#restarts += 1;
      this.#stage = { is: 'pull' };
    }
    for (;;) {
      const container = containersOf(pod)[this.#at];
      if (container === undefined) return this.#tell(pod, { phase: 'Succeeded' });
      const told = this.#stage.is === 'pull' ? this.#pull(pod, container) : this.#run(pod, container, this.#stage);
      if (told) return told;
    }
  }

  #pull(pod: PodObject, container: ContainerSpec): Told | undefined {
    const { images } = this.#with;
    const traits = images[container.image] ?? {};
    const isThere = this.#images.has(container.image);
    if (container.imagePullPolicy === 'Never' && !isThere) {
      const waiting = { reason: 'ErrImageNeverPull', message: 'the image is not present' };
      return this.#tell(pod, { phase: 'Pending', state: { waiting } });
    }
    /* What is there is only looked up, which takes no time. */
    if (!isThere || (container.imagePullPolicy === 'Always' && traits.error !== undefined)) {
      if (traits.error !== undefined) {
        const waiting = { reason: 'ErrImagePull', message: traits.error };
        return this.#tell(pod, { phase: 'Pending', state: { waiting } });
      }
      if (this.#stage.is === 'pull') this.#stage.until ??= this.#now() + (traits.pullSeconds ?? 2) * 1000;
      const left = this.#stage.is === 'pull' ? (this.#stage.until ?? 0) - this.#now() : 0;
      if (left > 0)
        return this.#tell(pod, { phase: 'Pending', state: { waiting: { reason: 'ContainerCreating' } }, again: left });
      this.#images.add(container.image);
    }
    this.#start(pod, container);
    return undefined;
  }

  #start(pod: PodObject, container: ContainerSpec): void {
    const { api, machine, images, errands, started } = this.#with;
    const { clock } = api;
    const image = images[container.image] ?? {};
    const errand = errandOf({ pod, container, machine, image, clock }, errands);
    const { name, uid, ownerReferences } = pod.metadata;
    const owner = ownerReferences?.find(each => each.controller === true)?.uid;
    const entry = { pod: name, podUid: uid, owner, container: container.name, node: machine.name, at: this.#now() };
    started.push(entry);
    const until = this.#now() + (errand.seconds ?? Number.POSITIVE_INFINITY) * 1000;
    this.#stage = { is: 'run', until, errand, startedAt: clock.now().toISOString(), entry };
  }

  #run(pod: PodObject, container: ContainerSpec, stage: Extract<Stage, { is: 'run' }>): Told | undefined {
    const left = stage.until - this.#now();
    if (left > 0) {
      const running = { startedAt: stage.startedAt };
      const again = Number.isFinite(left) ? left : undefined;
      return this.#tell(pod, { phase: this.#isMain(pod) ? 'Running' : 'Pending', state: { running }, again });
    }
    const exitCode = stage.errand.exitCode ?? 0;
    if (exitCode === 0) stage.errand.done?.();
    if (exitCode !== 0) return { status: this.#over(pod, exitCode, stage.errand.message) };
    this.#finish();
    this.#ended.push(this.#status(container, this.#terminated(stage, 0, stage.errand.message)));
    this.#at += 1;
    this.#stage = { is: 'pull' };
    return undefined;
  }

  /** The whole Pod failed with the container it is at. */
  #over(pod: PodObject, exitCode: number, message?: string): PodObject['status'] {
    this.#finish();
    const container = containersOf(pod)[this.#at];
    const state: ContainerStatus['state'] =
      this.#stage.is === 'run' ? this.#terminated(this.#stage, exitCode, message) : { waiting: { reason: 'Ended' } };
    return this.#statusOf(pod, 'Failed', container && this.#status(container, state));
  }

  #tell(
    pod: PodObject,
    { phase, state, again }: { phase: string; state?: ContainerStatus['state']; again?: number },
  ): Told {
    const words = `${phase} ${this.#at} ${this.#restarts} ${JSON.stringify(state)}`;
    if (words === this.#told) return { again };
    this.#told = words;
    const container = containersOf(pod)[this.#at];
    return { again, status: this.#statusOf(pod, phase, container && state && this.#status(container, state)) };
  }

  #statusOf(pod: PodObject, phase: string, current: ContainerStatus | undefined): PodObject['status'] {
    const all = [...this.#ended, ...(current ? [current] : [])];
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
    const { podUid = '', at = 0 } = this.#stage.is === 'run' ? this.#stage.entry : {};
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
    const finishedAt = this.#with.api.clock.now().toISOString();
    return { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', message, startedAt, finishedAt } };
  }

  #finish(): void {
    if (this.#stage.is === 'run') this.#stage.entry.ended ??= this.#now();
  }

  #isMain(pod: PodObject): boolean {
    return this.#at >= (pod.spec.initContainers?.length ?? 0);
  }

  #now(): number {
    return this.#with.api.clock.monotonic();
  }
}

/** A Pod here has one container beside those of its beginning. */
const containersOf = ({ spec }: PodObject): ContainerSpec[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers.slice(0, 1),
];
