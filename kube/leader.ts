/**
 * Which of several equal programs acts, decided by one Lease.
 *
 *     not leading ──(lease free, ours, or unchanged for its whole duration)──▶ leading
 *          ▲                                                                      │
 *          └── the program ends and is started again ◀──(not renewed in time)─────┘
 *
 * Clocks of other machines are not believed: a lease is over when *we* have seen it unchanged for as long as it lasts.
 * Of two that try at once the API server lets one write, by the resource version.
 * The leader stops by itself (10 s after its last renewal) before another may start (15 s).
 */
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { isAlreadyExists, isConflict, isNotFound } from './errors.js';
import type { Kube, Stored } from './kube.js';
import { LEASES } from './resources.js';

export interface LeaseName {
  namespace: string;
  name: string;
  /** Ours, and nobody else's: the Pod's name, as a rule. */
  identity: string;
}

export interface LeaderDeps {
  log: Log;
  clock: Clock;
  /** Stop, and hand the lease over. */
  signal: AbortSignal;
  random?: () => number;
}

export interface LeaseObject extends Stored {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/** The same numbers as every controller of Kubernetes has. */
const LEASE_SECONDS = 15;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;

/** `metav1.MicroTime` wants six decimals; a Date has three. */
export const microTime = (date: Date): string => date.toISOString().replace('Z', '000Z');

/** May we take it? `unchangedMs`: for how long we have seen it as it is. */
export function isFree(spec: LeaseObject['spec'], identity: string, unchangedMs: number): boolean {
  const holder = spec?.holderIdentity ?? '';
  return holder === '' || holder === identity || unchangedMs >= (spec?.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
}

/** The lease as we would write it, over what is there. */
export function claim(spec: LeaseObject['spec'], identity: string, now: Date): NonNullable<LeaseObject['spec']> {
  const ours = spec?.holderIdentity === identity;
  const transitions = spec?.leaseTransitions ?? 0;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: LEASE_SECONDS,
    acquireTime: ours ? (spec?.acquireTime ?? microTime(now)) : microTime(now),
    renewTime: microTime(now),
    leaseTransitions: spec === undefined || ours ? transitions : transitions + 1,
  };
}

/** One candidate: what it has seen of the lease, and its attempts to get it. */
class Candidate {
  readonly #kube: Kube;
  readonly #lease: LeaseName;
  readonly #deps: LeaderDeps;
  #seen: { lease: LeaseObject; at: number } | undefined;

  constructor(kube: Kube, lease: LeaseName, deps: LeaderDeps) {
    this.#kube = kube;
    this.#lease = lease;
    this.#deps = deps;
  }

  /** Tries to take or renew it; true when it is ours now. Never throws. */
  async try(): Promise<boolean> {
    const { log, signal } = this.#deps;
    try {
      const lease = await this.#look();
      if (!lease) return await this.#create();
      const unchangedMs = this.#deps.clock.monotonic() - (this.#seen?.at ?? 0);
      if (!isFree(lease.spec, this.#lease.identity, unchangedMs)) return false;
      this.#note(await this.#write(lease, claim(lease.spec, this.#lease.identity, this.#deps.clock.now())));
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (isConflict(error) || isAlreadyExists(error)) log.debug('another candidate was faster');
      else log.warn({ err: error }, 'the lease cannot be reached');
      return false;
    }
  }

  /** Hands it over: the next candidate need not wait. The lease must not be empty-handed for long, hence one second. */
  async release(): Promise<void> {
    const lease = await this.#look();
    if (lease?.spec?.holderIdentity !== this.#lease.identity) return;
    const now = microTime(this.#deps.clock.now());
    const given = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
    await this.#write(lease, { ...lease.spec, ...given });
  }

  async #look(): Promise<LeaseObject | undefined> {
    const { namespace, name } = this.#lease;
    try {
      return this.#note(await this.#kube.get<LeaseObject>(LEASES, { namespace, name }));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** The age of what we see begins anew whenever it changes. */
  #note(lease: LeaseObject): LeaseObject {
    const known = this.#seen?.lease.metadata;
    if (known?.uid !== lease.metadata.uid || known.resourceVersion !== lease.metadata.resourceVersion)
      this.#seen = { lease, at: this.#deps.clock.monotonic() };
    return lease;
  }

  async #create(): Promise<boolean> {
    const { namespace, name, identity } = this.#lease;
    const spec = claim(undefined, identity, this.#deps.clock.now());
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec };
    this.#note(await this.#kube.create<LeaseObject>(LEASES, body, namespace));
    return true;
  }

  #write(lease: LeaseObject, spec: LeaseObject['spec']): Promise<LeaseObject> {
    const { namespace, name } = this.#lease;
    return this.#kube.replace<LeaseObject>(LEASES, { namespace, name }, { ...lease, spec });
  }
}

/** Thrown when the lease could not be renewed in time: the program must end, for it can no longer know that it is alone. */
export class LeadershipLost extends Error {
  constructor() {
    super('the lease was not renewed in time');
    this.name = 'LeadershipLost';
  }
}

/**
 * Waits for the lease, runs `lead` while it is held, and hands it over after an orderly stop.
 * Rejects with `LeadershipLost` when it was lost, once `lead` has come to its end; `leading` aborts in both cases.
 * Give the calls of `lead` a client made by `kube.with(leading)`: then nothing is written after the end.
 */
export async function whileLeader(
  kube: Kube,
  lease: LeaseName,
  deps: LeaderDeps,
  lead: (leading: AbortSignal) => Promise<void>,
): Promise<void> {
  const { signal } = deps;
  const log = deps.log.child({ lease: lease.name });
  const candidate = new Candidate(kube, lease, { ...deps, log });
  const held = await wait(candidate, deps);
  if (!held) return;
  log.info({ identity: lease.identity }, 'leading');
  const leading = new AbortController();
  const stop = () => leading.abort(new Error('stopped'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.all([lead(leading.signal).finally(stop), renewUntil(candidate, deps, leading, held.since)]);
  } finally {
    signal.removeEventListener('abort', stop);
    /* Only now: as long as `lead` runs, nobody else may. */
    await candidate.release().catch((error: unknown) => log.warn({ err: error }, 'the lease was not handed over'));
  }
}

/** Resolves when the lease is ours: `since` when, by our own clock, the successful attempt began. Undefined: told to stop. */
async function wait(candidate: Candidate, deps: LeaderDeps): Promise<{ since: number } | undefined> {
  const { clock, signal, random = Math.random } = deps;
  while (!signal.aborted) {
    const since = clock.monotonic();
    if (await candidate.try()) return { since };
    /* As client-go: never two candidates in step. */
    await clock.sleep(RETRY_MS * (1 + 1.2 * random()), signal);
  }
  return undefined;
}

/** Renews until `leading` ends; ends it itself, and rejects, when the deadline passes without a renewal. */
async function renewUntil(candidate: Candidate, { clock }: LeaderDeps, leading: AbortController, since: number) {
  let renewed = since;
  while (!leading.signal.aborted) {
    await clock.sleep(RETRY_MS, leading.signal);
    if (leading.signal.aborted) return;
    const begun = clock.monotonic();
    const left = new AbortController();
    const done = candidate.try();
    const late = clock.sleep(renewed + RENEW_DEADLINE_MS - begun, left.signal).then(() => false);
    const stopped = new Promise<boolean>(resolve => {
      leading.signal.addEventListener('abort', () => resolve(false), { once: true, signal: left.signal });
    });
    const ok = await Promise.race([done, late, stopped]);
    left.abort();
    if (leading.signal.aborted) return;
    if (ok) renewed = begun;
    else if (clock.monotonic() - renewed >= RENEW_DEADLINE_MS) {
      const lost = new LeadershipLost();
      leading.abort(lost);
      throw lost;
    }
  }
}
