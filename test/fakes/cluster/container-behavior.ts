/** What a container does once it runs: how long, with which exit code and effect. Defaults go by its name; a scenario may override them. */
import { CONTAINERS, SENTINEL_MOUNT } from '../../../api/names.js';
import { JOBS } from '../../../kube/resources.js';
import type { FakeClock } from '../clock.js';
import type { ContainerSpec, PodObject } from './object-types.js';
import { DISK_ERRORS, type Machine } from './machine.js';

/** An image in the registry. */
export interface ImageOptions {
  pullSeconds?: number;
  /** The error with which every pull fails. */
  error?: string;
  /** ErrImagePull and ImagePullBackOff are reported in turn, as the kubelet does; otherwise always ErrImagePull. */
  backsOff?: boolean;
  /** Pulls succeed from this monotonic second on. */
  errorUntilSeconds?: number;
  /** Content of its release file. */
  release?: string;
}

export interface ContainerBehavior {
  /** Its duration; it runs indefinitely when absent. */
  seconds?: number;
  exitCode?: number;
  /** Why it ended, for example OOMKilled; `Completed` or `Error` when absent. */
  reason?: string;
  /** Its termination message. */
  message?: string;
  /** Its effect, which takes place when it ends with exit code 0; if it throws, the container fails with this message. */
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
  [CONTAINERS.sentinel]: running => ({
    seconds: 1,
    onSuccess: () => writeSentinel(running),
    ...sentinelFailure(running),
  }),
  [CONTAINERS.preflight]: () => ({ seconds: 1 }),
  [CONTAINERS.pull]: () => ({ seconds: 1 }),
  [CONTAINERS.probe]: ({ image }) => ({ seconds: 1, message: image.release ?? '' }),
};

export const behaviorOf = (running: StartedContainer, override: BehaviorOverride): ContainerBehavior => {
  const defaults = BY_NAME[running.container.name]?.(running) ?? {};
  return { ...defaults, ...override(running) };
};

/** The disk may be full or read-only; an SELinux host lets only privileged containers write. */
function sentinelFailure({ machine, container }: StartedContainer): Partial<ContainerBehavior> {
  if (machine.diskTrouble) return { exitCode: 1, message: DISK_ERRORS[machine.diskTrouble] };
  const isDenied = machine.enforcesSelinux && container.securityContext?.privileged !== true;
  return isDenied ? { exitCode: 1, message: 'EACCES: permission denied, open' } : {};
}

/** Writes the sentinel file of a finished Job, as the Job's sentinel container does on a real host. */
function writeSentinel({ pod, container, machine }: StartedContainer): void {
  if (machine.diskTrouble) throw new Error(DISK_ERRORS[machine.diskTrouble]);
  const job = pod.metadata.ownerReferences?.find(owner => owner.kind === JOBS.kind)?.name ?? '';
  const mount = container.volumeMounts?.find(({ mountPath }) => mountPath === SENTINEL_MOUNT);
  const dir = pod.spec.volumes?.find(({ name }) => name === mount?.name)?.hostPath?.path ?? '';
  const file = `${dir}/${job}-${Math.floor(machine.now().getTime() / 1000)}`;
  void machine.host.write(file, `${machine.bootId}\n`);
}
