/** The controller's question and this host → is there anything to do here, and may it be done? */
import type { BootState, CheckAnswer, NodeAgentStatus, Operation } from '../api/node-agent.js';
import type { Release } from '../api/release.js';
import { versionTriple } from '../api/version-triple.js';

type Ask = NonNullable<Operation['check']>;

/** The host as the check sees it. */
export interface HostView {
  release?: Release;
  state: BootState;
  fellBack?: NodeAgentStatus['fellBack'];
}

/** A reason for which a target is refused. Returns the sentence, or undefined when it does not apply or not enough is known. */
interface Guard {
  name: 'Architecture' | 'TrustedBoot' | 'KubernetesSkew' | 'FallenBack';
  against(ask: Ask, host: HostView): string | undefined;
}

const kind = (trusted: boolean) => (trusted ? 'made for trusted boot' : 'not made for trusted boot');

const GUARDS: readonly Guard[] = [
  {
    name: 'Architecture',
    against: ({ release: target }, { release }) =>
      target.arch !== undefined && release?.arch !== undefined && target.arch !== release.arch
        ? `the image is for ${target.arch}, the node is ${release.arch}`
        : undefined,
  },
  {
    name: 'TrustedBoot',
    against: ({ release: target }, { release }) =>
      target.trustedBoot !== undefined &&
      release?.trustedBoot !== undefined &&
      target.trustedBoot !== release.trustedBoot
        ? `the image is ${kind(target.trustedBoot)}, the node is ${kind(release.trustedBoot)}`
        : undefined,
  },
  {
    name: 'KubernetesSkew',
    against: ({ release: target, kubernetesCeiling: ceiling }) =>
      isNewer(target.kubernetesMinor, ceiling)
        ? `the image has Kubernetes ${target.kubernetesMinor}, a control plane still runs ${ceiling}`
        : undefined,
  },
  {
    name: 'FallenBack',
    against: ({ release: target }, { fellBack }) =>
      target.version !== undefined &&
      fellBack?.version === target.version &&
      isSameImage(target.digest, fellBack.digest)
        ? `the node fell back from ${target.version} at ${fellBack.at}`
        : undefined,
  },
];

/** Skip when the wished system runs already; Refuse when a guard says so; Proceed in every doubt. */
export function checkAnswer(ask: Ask, host: HostView): CheckAnswer {
  const current = versionTriple(host.release);
  const target = ask.release.version;
  const runsIt = target !== undefined && target === current && (host.state === 'active' || host.state === 'unknown');
  if (ask.release.skipIfCurrent && runsIt)
    return { verdict: 'Skip', reason: 'AlreadyCurrent', message: `node is already at ${current}` };

  for (const guard of GUARDS) {
    if (ask.release.allow?.includes(guard.name)) continue;
    const message = guard.against(ask, host);
    const words = `${message}; spec.allow: [${guard.name}] would let it`;
    if (message !== undefined) return { verdict: 'Refuse', reason: guard.name, message: words };
  }
  const warnings = oddities(ask, host);
  return { verdict: 'Proceed', ...(warnings.length > 0 ? { warnings } : {}) };
}

/** An image of the same version that was made anew may be the mended one. */
const isSameImage = (a: string | undefined, b: string | undefined) => a === undefined || b === undefined || a === b;

/** What a person may want to know, though it holds nothing up. */
function oddities({ release: target }: Ask, { release }: HostView): string[] {
  const other = (what: 'flavor' | 'model') =>
    target[what] !== undefined && release?.[what] !== undefined && target[what] !== release[what]
      ? [`the image has ${what} ${target[what]}, the node ${release[what]}`]
      : [];
  const older = isOlder(target.version, release?.version)
    ? [`downgrade: the image has ${target.version}, the node ${versionTriple(release)}`]
    : [];
  return [...older, ...other('flavor'), ...other('model')];
}

/** By the numbers of the Kairos version alone; what has none is neither older nor newer. */
function isOlder(target: string | undefined, current: string | undefined): boolean {
  const [a, b] = [target, current].map(text =>
    /^v?(\d+)\.(\d+)\.(\d+)/
      .exec(text ?? '')
      ?.slice(1)
      .map(Number),
  );
  if (!a || !b) return false;
  const differs = a.findIndex((number, at) => number !== b[at]);
  return differs >= 0 && (a[differs] ?? 0) < (b[differs] ?? 0);
}

/** Is the first Kubernetes minor newer? An unreadable one never is. */
function isNewer(minor: string | undefined, ceiling: string | undefined): boolean {
  const [a, b] = [numbers(minor), numbers(ceiling)];
  if (!a || !b) return false;
  return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
}

function numbers(minor: string | undefined): [number, number] | undefined {
  const [, major, rest] = /^v?(\d+)\.(\d+)/.exec(minor ?? '') ?? [];
  return major === undefined || rest === undefined ? undefined : [Number(major), Number(rest)];
}
