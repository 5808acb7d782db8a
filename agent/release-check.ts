/** Compares the release that the controller asks about with this host: is there anything to do, and is it allowed? */
import type { BootState, CheckAnswer, NodeAgentStatus, Operation } from '../api/node-agent.js';
import type { Release } from '../api/release.js';
import { versionTriple } from '../api/version-triple.js';

type Question = NonNullable<Operation['check']>;

/** What the check needs to know about the host. */
export interface HostFacts {
  release?: Release;
  /** The release files cannot be read, so it is unknown whether the host is Kairos. */
  identityUnknown?: boolean;
  state: BootState;
  fellBack?: NodeAgentStatus['fellBack'];
}

/** A rule that refuses some targets, and that `spec.allow` lifts. */
interface Guard {
  name: 'Architecture' | 'TrustedBoot' | 'KubernetesSkew' | 'FallenBack' | 'Downgrade' | 'NotKairos';
  /** Why the target is refused; undefined when the rule does not apply or too little is known. */
  refusal(question: Question, host: HostFacts): string | undefined;
}

const trustedBootText = (trusted: boolean) => (trusted ? 'made for trusted boot' : 'not made for trusted boot');

/** There is no installed Kairos system to upgrade: the command would fail after the node was drained, or write to a medium that forgets it. */
function notInstalledText({ release, identityUnknown, state }: HostFacts): string | undefined {
  if (state === 'livecd') return 'the node runs from a live medium, no system is installed on it';
  /* A boot state that only Kairos has proves a Kairos host, whatever became of its release files. */
  return release === undefined && !identityUnknown && state === 'unknown' ? 'the node is not a Kairos node' : undefined;
}

const GUARDS: readonly Guard[] = [
  { name: 'NotKairos', refusal: (_question, host) => notInstalledText(host) },
  {
    name: 'Architecture',
    refusal: ({ release: target }, { release }) =>
      target.arch !== undefined && release?.arch !== undefined && target.arch !== release.arch
        ? `the image is for ${target.arch}, the node is ${release.arch}`
        : undefined,
  },
  {
    name: 'TrustedBoot',
    refusal: ({ release: target }, { release }) =>
      target.trustedBoot !== undefined &&
      release?.trustedBoot !== undefined &&
      target.trustedBoot !== release.trustedBoot
        ? `the image is ${trustedBootText(target.trustedBoot)}, the node is ${trustedBootText(release.trustedBoot)}`
        : undefined,
  },
  {
    /* Kubernetes version skew policy: a kubelet must not be newer than any API server. */
    name: 'KubernetesSkew',
    refusal: ({ release: target, kubernetesCeiling: ceiling }) =>
      isNewerMinor(target.kubernetesMinor, ceiling)
        ? `the image has Kubernetes ${target.kubernetesMinor}, a control plane still runs ${ceiling}`
        : undefined,
  },
  {
    name: 'FallenBack',
    refusal: ({ release: target }, { fellBack }) =>
      target.version !== undefined &&
      fellBack?.version === target.version &&
      mayBeSameImage(target.digest, fellBack.digest)
        ? `the node fell back from ${target.version} at ${fellBack.at}`
        : undefined,
  },
  {
    name: 'Downgrade',
    refusal: ({ release: target }, { release }) =>
      isDowngrade(target.version, release)
        ? `downgrade: the image has ${target.version}, the node ${versionTriple(release)}`
        : undefined,
  },
];

/**
 * Skip when the node already runs the target from its active system; Refuse when a guard applies; Proceed otherwise, also when too little
 * is known to decide.
 */
export function checkRelease(question: Question, host: HostFacts): CheckAnswer {
  const current = versionTriple(host.release);
  const target = question.release.version;
  const isCurrent = target !== undefined && target === current && (host.state === 'active' || host.state === 'unknown');
  if (question.release.skipIfCurrent && isCurrent)
    return { verdict: 'Skip', reason: 'AlreadyCurrent', message: `node is already at ${current}` };

  for (const guard of GUARDS) {
    const { name } = guard;
    if (question.release.allow?.includes(name)) continue;
    const why = guard.refusal(question, host);
    if (why !== undefined)
      return { verdict: 'Refuse', reason: name, message: `${why}; add ${name} to spec.allow to override` };
  }
  const warnings = warningsFor(question, host);
  return { verdict: 'Proceed', ...(warnings.length > 0 ? { warnings } : {}) };
}

/** A rebuilt image of the same version may contain the fix, so a different digest is another image. */
const mayBeSameImage = (a: string | undefined, b: string | undefined) => a === undefined || b === undefined || a === b;

/** Differences that a user may want to know about, although they do not stop the upgrade. */
function warningsFor({ release: target }: Question, { release }: HostFacts): string[] {
  const difference = (field: 'flavor' | 'model') =>
    target[field] !== undefined && release?.[field] !== undefined && target[field] !== release[field]
      ? [`the image has ${field} ${target[field]}, the node ${release[field]}`]
      : [];
  const downgrade = isDowngrade(target.version, release)
    ? [`downgrade: the image has ${target.version}, the node ${versionTriple(release)}`]
    : [];
  return [...downgrade, ...difference('flavor'), ...difference('model')];
}

/**
 * Compares the numbers of the Kairos version and those of its software, such as k3s. A minor version of Kubernetes is never gone back to, not
 * even with a newer Kairos: neither the store of a control plane nor the skew policy allows it. Its patch counts where Kairos is the same,
 * because releases are built side by side for several of them. A version without numbers, or with other software, is neither older nor newer.
 */
function isDowngrade(target: string | undefined, current: Release | undefined): boolean {
  const byKairos = compareNumbers(target, current?.version);
  if (byKairos < 0 || target === undefined) return byKairos < 0;
  const prefix = current?.softwareVersionPrefix;
  const at = prefix === undefined ? -1 : target.lastIndexOf(`-${prefix}`);
  if (prefix === undefined || at < 0) return false;
  const software = target.slice(at + 1 + prefix.length);
  const bySoftware = compareNumbers(software, current?.softwareVersion);
  return byKairos === 0 ? bySoftware < 0 : isNewerMinor(current?.softwareVersion, software);
}

/** Negative when the first version is older; 0 also when either has no numbers to compare. */
function compareNumbers(a: string | undefined, b: string | undefined): number {
  const [first, second] = [versionNumbers(a), versionNumbers(b)];
  if (!first || !second) return 0;
  const differs = first.findIndex((number, at) => number !== second[at]);
  return differs < 0 ? 0 : (first[differs] ?? 0) - (second[differs] ?? 0);
}

const PRE_RELEASES = ['alpha', 'beta', 'rc'];

/** Major, minor and patch; then the kind of pre-release and its number, of which a release has the highest. A development build counts as one. */
function versionNumbers(text: string | undefined): number[] | undefined {
  const found = /^v?(\d+)\.(\d+)\.(\d+)(?:-(alpha|beta|rc)[.-]?(\d*))?/i.exec(text ?? '');
  if (!found) return undefined;
  const [, major, minor, patch, kind, number] = found;
  const rank = kind === undefined ? PRE_RELEASES.length : PRE_RELEASES.indexOf(kind.toLowerCase());
  return [...[major, minor, patch].map(Number), rank, Number(number ?? 0)];
}

/** Whether a Kubernetes minor such as 1.35 is newer than the ceiling; an unreadable one never is. */
function isNewerMinor(minor: string | undefined, ceiling: string | undefined): boolean {
  const [a, b] = [parseMinor(minor), parseMinor(ceiling)];
  if (!a || !b) return false;
  return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
}

function parseMinor(text: string | undefined): [number, number] | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(text ?? '') ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}
