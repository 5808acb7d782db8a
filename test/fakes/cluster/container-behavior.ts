/** What becomes of a container once it runs: the story says, or else its name does. */
import { CONTAINERS, SENTINEL_MOUNT } from '../../../api/names.js';
import { JOBS } from '../../../kube/resources.js';
import type { FakeClock } from '../clock.js';
import type { ContainerSpec, PodObject } from './object-types.js';
import type { Machine } from './machine.js';

/** What a registry has under a name. */
export interface ImageOptions {
  pullSeconds?: number;
  /** It cannot be pulled, in the registry's words. */
  error?: string;
  /** Text of the release file in it. */
  release?: string;
}

export interface ContainerBehavior {
  /** Absent: it runs for ever. */
  seconds?: number;
  exitCode?: number;
  /** Termination message. */
  message?: string;
  /** What it has done by the time it ends. */
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

export const behaviorOf = (running: StartedContainer, told: BehaviorOverride): ContainerBehavior => {
  const usual = BY_NAME[running.container.name]?.(running) ?? {};
  return { ...usual, ...told(running) };
};

/** What the Job's second container does on a real host. */
function writeSentinel({ pod, container, machine, clock }: StartedContainer): void {
  const job = pod.metadata.ownerReferences?.find(owner => owner.kind === JOBS.kind)?.name ?? '';
  const mount = container.volumeMounts?.find(({ mountPath }) => mountPath === SENTINEL_MOUNT);
  const dir = pod.spec.volumes?.find(({ name }) => name === mount?.name)?.hostPath?.path ?? '';
  const file = `${dir}/${job}-${Math.floor(clock.now().getTime() / 1000)}`;
  void machine.host.write(file, `${machine.bootId}\n`);
}
