/** What a probe Pod has found out so far. */
import { CONTAINERS } from '../../api/names.js';
import type { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import type { Release } from '../../api/release.js';
import { parseRelease } from '../../api/release-text.js';
import { imagePullState } from '../cluster/image-pull.js';
import type { ContainerStatus, CachedPod } from '../cluster/pod.js';
import { digestFor } from './target.js';

/** `noPull`: why the registry did not give the image, in the kubelet's words. */
export type ProbeResult =
  /** The image was there; what it says of itself is unknown where it has no shell or no release file. */
  | { is: 'read'; release: Release | undefined; digest: string | undefined }
  | { is: 'waiting'; message: string; until?: Date; noPull?: string }
  /** Another try would end the same way. */
  | { is: 'failed'; message: string; noPull?: string }
  /** The Pod ended for reasons of its own, not of the image. */
  | { is: 'lost'; why: string };

const WRONG_CPU = /exec format error/i;
/** Or none for the probe's user, in a hand-made image that only root may look into. */
const NO_SHELL =
  /executable file not found|exec: .*(no such file or directory|permission denied)|stat .*(no such file or directory|permission denied)/i;
/** A shell's own words for "cannot be executed" and "not found". */
const NO_SHELL_CODES = [126, 127];

type Question = { spec: NodeOpUpgradeSpec; now: Date };

export function probeResult(pod: CachedPod, { spec, now }: Question): ProbeResult {
  const container = pod.status.containerStatuses?.find(each => each.name === CONTAINERS.probe);
  const { terminated, waiting, running } = container?.state ?? {};
  const read = (text: string): ProbeResult => ({
    is: 'read',
    release: parseRelease(text),
    digest: digestFor(spec.image, container?.imageID),
  });
  if (container && terminated?.exitCode === 0) return read(terminated.message ?? '');
  const trouble = terminated?.message ?? waiting?.message ?? '';
  if (WRONG_CPU.test(trouble))
    return { is: 'failed', message: `${said(spec)} is for another CPU than node ${nodeOf(pod)} has: ${trouble}` };
  if (isWithoutShell(container)) return read('');
  if (terminated || pod.status.phase === 'Failed' || pod.status.phase === 'Succeeded')
    return { is: 'lost', why: endOf(pod, container) };
  if (running) return { is: 'waiting', message: `reading ${said(spec)} on node ${nodeOf(pod)}` };
  return pulling(pod, { spec, now });
}

function isWithoutShell(container: ContainerStatus | undefined): boolean {
  const { terminated, waiting } = container?.state ?? {};
  if (terminated) return NO_SHELL_CODES.includes(terminated.exitCode) || NO_SHELL.test(terminated.message ?? '');
  return (
    (waiting?.reason === 'CreateContainerError' || waiting?.reason === 'RunContainerError') &&
    NO_SHELL.test(waiting.message ?? '')
  );
}

function pulling(pod: CachedPod, { spec, now }: Question): ProbeResult {
  const since = new Date(pod.status.startTime ?? pod.metadata.creationTimestamp ?? now);
  const state = imagePullState(pod, { now, nodeOp: { spec } }, since);
  const noPull = hasBadName(pod) ? undefined : state.message;
  const image = said(spec);
  const node = nodeOf(pod);
  if (state.is === 'failed')
    return { is: 'failed', message: `${image} could not be read on node ${node}: ${state.message}`, noPull };
  const words = state.message === undefined ? '' : `: ${state.message}`;
  return { is: 'waiting', message: `${image} is being pulled on node ${node}${words}`, until: state.until, noPull };
}

/** No node can have a copy of what has no valid name. */
const hasBadName = ({ status }: CachedPod) =>
  status.containerStatuses?.some(({ state }) => state?.waiting?.reason === 'InvalidImageName') === true;

const said = ({ image }: NodeOpUpgradeSpec) => `image "${image}"`;
const nodeOf = (pod: CachedPod) => pod.spec.nodeName ?? '?';

/** Why the Pod is over, in the words of whoever ended it. */
function endOf({ status }: CachedPod, container: ContainerStatus | undefined): string {
  const { terminated } = container?.state ?? {};
  const words = [status.reason, status.message ?? terminated?.message].filter(Boolean).join(': ');
  return (
    words || (terminated ? `${terminated.reason ?? 'ended'} with exit code ${terminated.exitCode}` : 'the Pod ended')
  );
}
