/** What a container does once it runs: how long, with which exit code and effect. Defaults go by its name; a scenario may override them. */
import { CONTAINERS, SENTINEL_MOUNT } from '../../../api/names.js';
import { JOBS } from '../../../kube/resources.js';
import type { FakeClock } from '../clock.js';
import type { ContainerSpec, PodObject } from './object-types.js';
import type { Machine } from './machine.js';

/** An image in the registry. */
export interface ImageOptions {
  pullSeconds?: number;
  /** The error with which every pull fails. */
  error?: string;
  /** Content of its release file. */
  release?: string;
}

export interface ContainerBehavior {
  /** Its duration; it runs indefinitely when absent. */
  seconds?: number;
  exitCode?: number;
  /** Its termination message. */
  message?: string;
  /** Its effect, which takes place when it ends with exit code 0. */
  onSuccess?: () => void;
}

export interface StartedContainer {
  pod: PodObject;
  container: ContainerSpec;
  machine: Machine;
  image: ImageOptions;
  clock: FakeClock;
}

export type BehaviorOverride = (running: StartedContainer) => ContainerBehavior | undefined;

const BY_NAME: Readonly<Record<string, (running: StartedContainer) => ContainerBehavior>> = {
  [CONTAINERS.work]: ({ machine, image }) => ({
    seconds: 5,
    onSuccess: () => {
      if (image.release !== undefined) machine.nextRelease = image.release;
    },
  }),
  [CONTAINERS.sentinel]: running => ({ seconds: 1, onSuccess: () => writeSentinel(running) }),
  [CONTAINERS.preflight]: () => ({ seconds: 1 }),
  [CONTAINERS.pull]: () => ({ seconds: 1 }),
  [CONTAINERS.probe]: ({ image }) => ({ seconds: 1, message: image.release ?? '' }),
};

export const behaviorOf = (running: StartedContainer, override: BehaviorOverride): ContainerBehavior => {
  const defaults = BY_NAME[running.container.name]?.(running) ?? {};
  return { ...defaults, ...override(running) };
};

/** Writes the sentinel file of a finished Job, as the Job's sentinel container does on a real host. */
function writeSentinel({ pod, container, machine, clock }: StartedContainer): void {
  const job = pod.metadata.ownerReferences?.find(owner => owner.kind === JOBS.kind)?.name ?? '';
  const mount = container.volumeMounts?.find(({ mountPath }) => mountPath === SENTINEL_MOUNT);
  const dir = pod.spec.volumes?.find(({ name }) => name === mount?.name)?.hostPath?.path ?? '';
  const file = `${dir}/${job}-${Math.floor(clock.now().getTime() / 1000)}`;
  void machine.host.write(file, `${machine.bootId}\n`);
}
