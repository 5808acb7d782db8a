/** What a probe Pod has found out so far. */
import { CONTAINERS } from '../../api/names.js';
import type { FirstSeen } from '../../api/meta.js';
import type { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import type { Release } from '../../api/release.js';
import { parseRelease } from '../../api/release-text.js';
import { after } from '../../program/clock.js';
import { startError, waitingContainerOf } from '../cluster/container-wait.js';
import { firstSeen } from '../cluster/first-seen.js';
import { hasPullError, imagePullState, type PullState } from '../cluster/image-pull.js';
import { awaitedContainersOf, containerNamed, type ContainerStatus, type CachedPod } from '../cluster/pod.js';
import { digestFor } from './target.js';

/** Why the image could not be pulled, as the kubelet reports it. */
export interface PullError {
  message: string;
  since: Date;
  /** What to record of it. */
  seen: readonly FirstSeen[];
}

export type ProbeResult =
  /** The image could be run. Its release is unknown if it has no shell or no release file. */
  | { is: 'read'; release: Release | undefined; digest: string | undefined }
  | { is: 'waiting'; message: string; until?: Date; pullError?: PullError }
  /** Another attempt would end in the same way. */
  | { is: 'failed'; message: string; pullError?: PullError }
  /** The Pod ended for a reason that has nothing to do with the image. */
  | { is: 'lost'; cause: string };

const WRONG_CPU = /exec format error/i;
/** The image has no shell, or none that the unprivileged user of the probe may run, as in a hand-made image that only root can read. */
const NO_SHELL =
  /executable file not found|exec: .*(no such file or directory|permission denied)|stat .*(no such file or directory|permission denied)/i;
/** Exit codes of a shell for "cannot execute" and "not found". */
const NO_SHELL_CODES = [126, 127];

export interface ProbeContext {
  spec: NodeOpUpgradeSpec;
  now: Date;
  /** What is recorded of pull errors. */
  known: readonly FirstSeen[];
}

export function probeResult(pod: CachedPod, { spec, now, known }: ProbeContext): ProbeResult {
  const container = containerNamed(pod, CONTAINERS.probe);
  const { terminated, waiting, running } = container?.state ?? {};
  const read = (text: string): ProbeResult => ({
    is: 'read',
    release: parseRelease(text),
    digest: digestFor(spec.image, container?.imageID),
  });
  if (container && terminated?.exitCode === 0) return read(terminated.message ?? '');
  const error = terminated?.message ?? waiting?.message ?? '';
  if (WRONG_CPU.test(error))
    return { is: 'failed', message: `${imageText(spec)} is for another CPU than node ${nodeText(pod)} has: ${error}` };
  if (isWithoutShell(container)) return read('');
  if (terminated || pod.status.phase === 'Failed' || pod.status.phase === 'Succeeded')
    return { is: 'lost', cause: endCause(pod, container) };
  if (running) return { is: 'waiting', message: `reading ${imageText(spec)} on node ${nodeText(pod)}` };
  return startResult(pod, { spec, now }) ?? pullResult(pod, { spec, now, known });
}

/** Undefined while the image may still be pulled. */
function startResult(pod: CachedPod, { spec, now }: Omit<ProbeContext, 'known'>): ProbeResult | undefined {
  const trouble = startTrouble(pod);
  if (trouble === undefined) return undefined;
  const since = new Date(pod.metadata.creationTimestamp ?? now);
  const until = after(since, trouble.mayFollowPull ? spec.pullDeadlineSeconds : spec.startDeadlineSeconds);
  if (now >= until) return { is: 'lost', cause: trouble.words };
  return {
    is: 'waiting',
    message: `the Pod that reads ${imageText(spec)} starts on node ${nodeText(pod)}: ${trouble.words}`,
    until,
  };
}

interface StartTrouble {
  words: string;
  /** It may have come up only now, after a long pull, and may end by itself. */
  mayFollowPull: boolean;
}

function startTrouble(pod: CachedPod): StartTrouble | undefined {
  const container = waitingContainerOf(pod);
  if (container && hasPullError(container)) return undefined;
  const words = container && startError(container);
  if (words === undefined) return undefined;
  return { words, mayFollowPull: container?.state?.waiting?.reason !== 'CreateContainerConfigError' };
}

/** The pattern costs the square of a text that repeats its words; a message of a container has at most 4 KiB. */
const namesNoShell = (message = ''): boolean => NO_SHELL.test(message.slice(0, 4096));

function isWithoutShell(container: ContainerStatus | undefined): boolean {
  const { terminated, waiting } = container?.state ?? {};
  if (terminated) return NO_SHELL_CODES.includes(terminated.exitCode) || namesNoShell(terminated.message);
  return (
    (waiting?.reason === 'CreateContainerError' || waiting?.reason === 'RunContainerError') &&
    namesNoShell(waiting.message)
  );
}

function pullResult(pod: CachedPod, { spec, now, known }: ProbeContext): ProbeResult {
  const since = new Date(pod.metadata.creationTimestamp ?? now);
  const { pullDeadlineSeconds } = spec;
  const state = imagePullState(pod, { now, pullDeadlineSeconds, since, known });
  const pullError = pullErrorOf(pod, state, { now, known });
  const image = imageText(spec);
  const node = nodeText(pod);
  if (state.is === 'failed')
    return { is: 'failed', message: `${image} could not be read on node ${node}: ${state.message}`, pullError };
  const cause = state.message === undefined ? '' : `: ${state.message}`;
  return { is: 'waiting', message: `${image} is being pulled on node ${node}${cause}`, until: state.until, pullError };
}

function pullErrorOf(
  pod: CachedPod,
  state: PullState,
  { now, known }: Omit<ProbeContext, 'spec'>,
): PullError | undefined {
  if (state.message === undefined || hasInvalidName(pod)) return undefined;
  const error = firstSeen(`${pod.metadata.uid} error`, known, now);
  const refusal = state.is === 'pulling' && state.refusal ? [state.refusal] : [];
  return { message: state.message, since: new Date(error.since), seen: [error, ...refusal] };
}

/** No node can have a copy of an image whose name is invalid. */
const hasInvalidName = (pod: CachedPod) =>
  awaitedContainersOf(pod).some(({ state }) => state?.waiting?.reason === 'InvalidImageName');

const imageText = ({ image }: NodeOpUpgradeSpec) => `image "${image}"`;
const nodeText = (pod: CachedPod) => pod.spec.nodeName ?? '?';

/** Why the Pod ended, as reported by the kubelet or by the controller that ended it. */
function endCause({ status }: CachedPod, container: ContainerStatus | undefined): string {
  const { terminated } = container?.state ?? {};
  const reported = [status.reason, status.message ?? terminated?.message].filter(Boolean).join(': ');
  return (
    reported || (terminated ? `${terminated.reason ?? 'ended'} with exit code ${terminated.exitCode}` : 'the Pod ended')
  );
}
