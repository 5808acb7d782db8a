/** All probes of an upgrade together: which to create, which to delete, and their results once all are finished. */
import type { FirstSeen } from '../../api/meta.js';
import { isFinal } from '../cluster/phases.js';
import type { CachedPod } from '../cluster/pod.js';
import type { Action, Facts, Target } from './facts.js';
import { probeName, type ProbePlace } from './probe-pod.js';
import { type ProbeResult, probeResult } from './probe-result.js';
import type { Reading } from './target.js';

export type Probed =
  | { is: 'done'; readings: readonly Reading[]; skipped: readonly string[] }
  | { is: 'failed'; message: string }
  | {
      is: 'pending';
      message: string;
      actions: readonly Action[];
      requeueAfterMs: number;
      /** What to record of pull errors. */
      pullErrors: readonly FirstSeen[];
    };

/** Result for one CPU architecture. */
type ArchitectureResult =
  | { is: 'read'; reading: Reading }
  | { is: 'failed'; message: string }
  | { is: 'skipped'; arch: string; message: string }
  | { is: 'pending'; message: string; actions: readonly Action[]; until?: Date };

/** An older copy of the image is not used before the kubelet has tried several times to pull the image. */
const PULL_ERROR_MS = 60_000;

/** Pause before a Pod that the kubelet rejected is created again. */
const LOST_PAUSE_MS = 10_000;
const RECHECK_MS = 5_000;

/** When the image began to be read: the condition Reconciling is true from the first status of the upgrade on. */
export function probingSince({ upgrade: { status }, now }: Facts): Date {
  const reconciling = status?.conditions?.find(({ type, status: is }) => type === 'Reconciling' && is === 'True');
  return reconciling && !isFinal(status) ? new Date(reconciling.lastTransitionTime) : now;
}

export function probeAll(facts: Facts): Probed {
  const arches = [...new Set(facts.targets.map(target => target.arch))].filter(arch => arch !== '');
  const results = arches.map(arch => probeArchitecture(arch, facts));
  const failed = results.find(result => result.is === 'failed');
  if (failed) return failed;
  const pending = results.filter(result => result.is === 'pending');
  const [first] = pending;
  if (first || arches.length === 0)
    return {
      is: 'pending',
      message: first?.message ?? 'waiting for a node to report its CPU architecture',
      actions: [...pending.flatMap(result => result.actions), ...deleteOutdated(facts)],
      pullErrors: pullErrorsOf(facts),
      requeueAfterMs: Math.min(
        RECHECK_MS,
        ...pending.flatMap(result => (result.until ? [msUntil(result.until, facts)] : [])),
      ),
    };
  const readings = results.flatMap(result => (result.is === 'read' ? [result.reading] : []));
  const skipped = results.filter(result => result.is === 'skipped');
  const copied = readings.find(({ pullError }) => pullError !== undefined);
  if (copied && readings.some(({ pullError }) => pullError === undefined))
    return {
      is: 'failed',
      message: `image "${facts.spec.image}" could not be pulled for ${copied.arch}, while it could for others: ${copied.pullError}`,
    };
  if (readings.length === 0) return { is: 'failed', message: skipped.map(result => result.message).join('; ') };
  return { is: 'done', readings, skipped: skipped.map(result => result.arch) };
}

const resultOf = (pod: CachedPod, { upgrade, spec, now }: Facts): ProbeResult =>
  probeResult(pod, { spec, now, known: upgrade.status?.pullErrors ?? [] });

/** The records of all Pods that exist. One stays although its Pod reports no error for a moment, while the kubelet tries again. */
function pullErrorsOf(facts: Facts): FirstSeen[] {
  const { upgrade, probes } = facts;
  const known = upgrade.status?.pullErrors ?? [];
  const kept = known.filter(({ for: state }) => probes.some(({ metadata: { uid } }) => state.startsWith(`${uid} `)));
  const seen = probes.flatMap(pod => {
    const result = resultOf(pod, facts);
    return 'pullError' in result ? (result.pullError?.seen ?? []) : [];
  });
  return [...kept, ...seen.filter(each => !kept.includes(each))];
}

const msUntil = (until: Date, { now }: Facts) => Math.max(until.getTime() - now.getTime(), 100);

/** The first reading counts. A Pod that is of no use is replaced, on another node if there is one. */
function probeArchitecture(arch: string, facts: Facts): ArchitectureResult {
  const targets = facts.targets.filter(target => target.arch === arch);
  const probes = facts.probes
    .filter(pod => isCurrent(pod, targets, facts))
    .map(pod => ({ pod, result: resultOf(pod, facts) }));
  for (const { result } of probes)
    if (result.is === 'read') return { is: 'read', reading: { arch, release: result.release, digest: result.digest } };
  const fromCopy = readCopy(arch, probes, facts);
  if (fromCopy) return fromCopy;
  const failed = probes.find(({ result }) => result.is === 'failed');
  if (failed?.result.is === 'failed') return failed.result;
  const waiting = probes.find(({ pod, result }) => result.is === 'waiting' && !isOnLostNode(pod, targets));
  if (waiting?.result.is === 'waiting')
    return { is: 'pending', message: waiting.result.message, actions: [], until: waiting.result.until };
  return replaceProbe(arch, targets, probes, facts);
}

/** If the image cannot be pulled, the copy in the image store of the node is read, so that clusters without access to the registry can be upgraded. */
function readCopy(arch: string, probes: readonly Probe[], facts: Facts): ArchitectureResult | undefined {
  const { upgrade, spec, now } = facts;
  const targets = facts.targets.filter(target => target.arch === arch);
  for (const { pod, result } of probes) {
    if (!('pullError' in result) || result.pullError === undefined || pod.spec.nodeName === undefined) continue;
    const hasTried = result.is === 'failed' || now.getTime() - result.pullError.since.getTime() >= PULL_ERROR_MS;
    if (!hasTried || isOnLostNode(pod, targets)) continue;
    const { pullError, message } = result;
    const place: ProbePlace = { arch, node: pod.spec.nodeName, copy: true };
    const name = probeName(upgrade.metadata, spec.image, place);
    const copyProbe = facts.probes.find(({ metadata }) => metadata.name === name);
    if (copyProbe === undefined) return { is: 'pending', message, actions: [{ do: 'createProbe', place }] };
    const ofCopy = resultOf(copyProbe, facts);
    if (ofCopy.is === 'read')
      return {
        is: 'read',
        reading: { arch, release: ofCopy.release, digest: ofCopy.digest, pullError: pullError.message },
      };
    if (ofCopy.is === 'waiting' && ofCopy.pullError === undefined) return { is: 'pending', message, actions: [] };
  }
  return undefined;
}

type Probe = { pod: Facts['probes'][number]; result: ProbeResult };

function replaceProbe(
  arch: string,
  targets: readonly Target[],
  probes: readonly Probe[],
  facts: Facts,
): ArchitectureResult {
  const { upgrade, spec, now } = facts;
  const isLate = now.getTime() >= probingSince(facts).getTime() + spec.startDeadlineSeconds * 1000;
  const lost = probes.flatMap(({ result }) => (result.is === 'lost' ? [result.cause] : []))[0];
  const image = `image "${spec.image}"`;
  if (isLate && lost !== undefined) return { is: 'failed', message: `${image} could not be read: ${lost}` };
  const ready = targets.filter(target => target.ready);
  if (ready.length === 0) {
    const message = `no node of architecture ${arch} is Ready to read ${image} on`;
    return isLate ? { is: 'skipped', arch, message } : { is: 'pending', message: `waiting: ${message}`, actions: [] };
  }
  const removable = probes.filter(({ pod }) => isOlderThan(pod, LOST_PAUSE_MS, now) && !pod.metadata.deletionTimestamp);
  const actions: Action[] = removable.map(({ pod }) => ({ do: 'deleteProbe', pod }));
  const usedNames = new Set(probes.map(({ pod }) => pod.metadata.name));
  const free = ready.find(({ node }) => !usedNames.has(probeName(upgrade.metadata, spec.image, { arch, node })));
  const canCreate = probes.length === removable.length;
  if (free && canCreate) actions.push({ do: 'createProbe', place: { arch, node: free.node } });
  const cause = lost === undefined ? '' : `: ${lost}`;
  return { is: 'pending', message: `reading ${image} for ${arch}${cause}`, actions };
}

const isOlderThan = ({ metadata }: Probe['pod'], ms: number, now: Date) =>
  now.getTime() - new Date(metadata.creationTimestamp ?? 0).getTime() >= ms;

/** The node of the Pod is not Ready, while another one is. */
const isOnLostNode = (pod: Probe['pod'], targets: readonly Target[]) =>
  targets.some(target => target.ready) && !targets.some(target => target.node === pod.spec.nodeName && target.ready);

/** The Pod was created for the current image and one of the current targets. */
const isCurrent = (pod: Probe['pod'], targets: readonly Target[], { upgrade, spec }: Facts) =>
  targets.some(target => probeName(upgrade.metadata, spec.image, target) === pod.metadata.name);

const isCurrentCopyProbe = (pod: Probe['pod'], { upgrade, spec, targets }: Facts) =>
  targets.some(target => probeName(upgrade.metadata, spec.image, { ...target, copy: true }) === pod.metadata.name);

const deleteOutdated = (facts: Facts): Action[] =>
  facts.probes
    .filter(pod => !isCurrent(pod, facts.targets, facts) && !isCurrentCopyProbe(pod, facts))
    .filter(pod => !pod.metadata.deletionTimestamp)
    .map(pod => ({ do: 'deleteProbe', pod }));
