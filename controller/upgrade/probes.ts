/** All probes of an upgrade together: which to make, which to give up, and what they have said when all are through. */
import { isFinal } from '../cluster/phases.js';
import type { Action, Facts, Target } from './facts.js';
import { probeName, type ProbePlace } from './probe-pod.js';
import { type ProbeResult, probeResult } from './probe-result.js';
import type { Reading } from './target.js';

export type Probed =
  | { is: 'done'; readings: readonly Reading[]; leftOut: readonly string[] }
  | { is: 'failed'; message: string }
  | { is: 'going'; message: string; actions: readonly Action[]; requeueAfterMs: number };

/** One architecture. */
type Row =
  | { is: 'read'; reading: Reading }
  | { is: 'failed'; message: string }
  | { is: 'leftOut'; arch: string; message: string }
  | { is: 'going'; message: string; actions: readonly Action[]; until?: Date };

/** One answer that does not come is no reason to take an older image: by then the kubelet has asked several times. */
const NO_PULL_MS = 60_000;

/** A Pod that the kubelet sent away is not made again at once. */
const LOST_PAUSE_MS = 10_000;
const RECHECK_MS = 5_000;

/** Since when the image is being read: the upgrade counts as reconciling from its first status on. */
export function probingSince({ upgrade: { status }, now }: Facts): Date {
  const reconciling = status?.conditions?.find(({ type, status: is }) => type === 'Reconciling' && is === 'True');
  return reconciling && !isFinal(status) ? new Date(reconciling.lastTransitionTime) : now;
}

export function probeAll(facts: Facts): Probed {
  const arches = [...new Set(facts.targets.map(target => target.arch))].filter(arch => arch !== '');
  const rows = arches.map(arch => probeOne(arch, facts));
  const failed = rows.find(row => row.is === 'failed');
  if (failed) return failed;
  const going = rows.filter(row => row.is === 'going');
  const [first] = going;
  const stale = staleProbes(facts);
  if (first || arches.length === 0)
    return {
      is: 'going',
      message: first?.message ?? 'waiting for a node to tell its CPU architecture',
      actions: [...going.flatMap(row => row.actions), ...stale],
      requeueAfterMs: Math.min(RECHECK_MS, ...going.flatMap(row => (row.until ? [msUntil(row.until, facts)] : []))),
    };
  const readings = rows.flatMap(row => (row.is === 'read' ? [row.reading] : []));
  const leftOut = rows.filter(row => row.is === 'leftOut');
  const copied = readings.find(({ noPull }) => noPull !== undefined);
  if (copied && readings.some(({ noPull }) => noPull === undefined))
    return {
      is: 'failed',
      message: `image "${facts.spec.image}" could not be pulled for ${copied.arch}, while it could for others: ${copied.noPull}`,
    };
  if (readings.length === 0) return { is: 'failed', message: leftOut.map(row => row.message).join('; ') };
  return { is: 'done', readings, leftOut: leftOut.map(row => row.arch) };
}

const msUntil = (until: Date, { now }: Facts) => Math.max(until.getTime() - now.getTime(), 100);

/** The first answer counts; a Pod that is of no use is replaced, on another node where there is one. */
function probeOne(arch: string, facts: Facts): Row {
  const { spec, now } = facts;
  const targets = facts.targets.filter(target => target.arch === arch);
  const probes = facts.probes
    .filter(pod => isCurrent(pod, targets, facts))
    .map(pod => ({ pod, result: probeResult(pod, { spec, now }) }));
  for (const { result } of probes)
    if (result.is === 'read') return { is: 'read', reading: { arch, release: result.release, digest: result.digest } };
  const copied = fromCopy(arch, probes, facts);
  if (copied) return copied;
  const failed = probes.find(({ result }) => result.is === 'failed');
  if (failed?.result.is === 'failed') return failed.result;
  const useful = probes.find(({ pod, result }) => result.is === 'waiting' && !isStranded(pod, targets));
  if (useful?.result.is === 'waiting')
    return { is: 'going', message: useful.result.message, actions: [], until: useful.result.until };
  return anotherTry(arch, targets, probes, facts);
}

/** Where the registry does not give the image, the copy that the node has will do: machines without a way out are upgraded from copies. */
function fromCopy(arch: string, probes: readonly Probe[], facts: Facts): Row | undefined {
  const { upgrade, spec, now } = facts;
  const targets = facts.targets.filter(target => target.arch === arch);
  for (const { pod, result } of probes) {
    if (!('noPull' in result) || result.noPull === undefined || pod.spec.nodeName === undefined) continue;
    const hasTried = result.is === 'failed' || isOlderThan(pod, NO_PULL_MS, now);
    if (!hasTried || isStranded(pod, targets)) continue;
    const { noPull, message } = result;
    const place: ProbePlace = { arch, node: pod.spec.nodeName, copy: true };
    const name = probeName(upgrade.metadata, spec.image, place);
    const copy = facts.probes.find(({ metadata }) => metadata.name === name);
    if (copy === undefined) return { is: 'going', message, actions: [{ do: 'probe', place }] };
    const said = probeResult(copy, { spec, now });
    if (said.is === 'read')
      return { is: 'read', reading: { arch, release: said.release, digest: said.digest, noPull } };
    if (said.is === 'waiting' && said.noPull === undefined) return { is: 'going', message, actions: [] };
  }
  return undefined;
}

type Probe = { pod: Facts['probes'][number]; result: ProbeResult };

function anotherTry(arch: string, targets: readonly Target[], probes: readonly Probe[], facts: Facts): Row {
  const { upgrade, spec, now } = facts;
  const late = now.getTime() >= probingSince(facts).getTime() + spec.startDeadlineSeconds * 1000;
  const lost = probes.flatMap(({ result }) => (result.is === 'lost' ? [result.why] : []))[0];
  const image = `image "${spec.image}"`;
  if (late && lost !== undefined) return { is: 'failed', message: `${image} could not be read: ${lost}` };
  const ready = targets.filter(target => target.ready);
  if (ready.length === 0) {
    const message = `no node of architecture ${arch} is Ready to read ${image} on`;
    return late ? { is: 'leftOut', arch, message } : { is: 'going', message: `waiting: ${message}`, actions: [] };
  }
  const settled = probes.filter(({ pod }) => isOlderThan(pod, LOST_PAUSE_MS, now) && !pod.metadata.deletionTimestamp);
  const actions: Action[] = settled.map(({ pod }) => ({ do: 'deleteProbe', pod }));
  const taken = new Set(probes.map(({ pod }) => pod.metadata.name));
  const free = ready.find(({ node }) => !taken.has(probeName(upgrade.metadata, spec.image, { arch, node })));
  const mayBegin = probes.length === settled.length;
  if (free && mayBegin) actions.push({ do: 'probe', place: { arch, node: free.node } });
  const why = lost === undefined ? '' : `: ${lost}`;
  return { is: 'going', message: `reading ${image} for ${arch}${why}`, actions };
}

const isOlderThan = ({ metadata }: Probe['pod'], ms: number, now: Date) =>
  now.getTime() - new Date(metadata.creationTimestamp ?? 0).getTime() >= ms;

/** On a node that is not Ready, while another is. */
const isStranded = (pod: Probe['pod'], targets: readonly Target[]) =>
  targets.some(target => target.ready) && !targets.some(target => target.node === pod.spec.nodeName && target.ready);

/** For the image and the targets as they are now. */
const isCurrent = (pod: Probe['pod'], targets: readonly Target[], { upgrade, spec }: Facts) =>
  targets.some(target => probeName(upgrade.metadata, spec.image, target) === pod.metadata.name);

const isCopy = (pod: Probe['pod'], { upgrade, spec, targets }: Facts) =>
  targets.some(target => probeName(upgrade.metadata, spec.image, { ...target, copy: true }) === pod.metadata.name);

const staleProbes = (facts: Facts): Action[] =>
  facts.probes
    .filter(pod => !isCurrent(pod, facts.targets, facts) && !isCopy(pod, facts) && !pod.metadata.deletionTimestamp)
    .map(pod => ({ do: 'deleteProbe', pod }));
