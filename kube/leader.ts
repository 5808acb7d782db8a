/**
 * Which of several equal programs acts, decided by one Lease.
 *
 *     not leading ──(lease free, ours, or unchanged for its whole duration)──▶ leading
 *          ▲                                                                      │
 *          └── the program ends and is started again ◀──(not renewed in time)─────┘
 *
 * Clocks of other machines are not believed: a lease is over when *we* have seen it unchanged for as long as it lasts.
 * Of two that try at once the API server lets one write, by the resource version.
 * The leader stops by itself (20 s after its last renewal) before another may start (30 s).
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { isAlreadyExists, isConflict, isNotFound } from './errors.js';
import type { Kube } from './kube.js';
import { acquiredSpec, canAcquire, type LeaseObject, microTime } from './lease.js';
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

/**
 * Twice the numbers that controllers of Kubernetes commonly have, and one write where they read and write every 2 s: six requests a minute,
 * not sixty. Whoever follows a leader that died without a word waits up to 30 s; one that stops in order hands the lease over.
 */
const RENEW_EVERY_MS = 10_000;
const RENEW_DEADLINE_MS = 20_000;
const RETRY_MS = 2_000;
/** A call that hangs must leave time for another one before the deadline. */
const ATTEMPT_MS = 5_000;
/** After a loss the work has this long to notice; its calls are aborted already. */
const LAST_WORDS_MS = 3_000;

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
      if (!canAcquire(lease.spec, this.#lease.identity, unchangedMs)) return false;
      this.#note(await this.#write(lease, acquiredSpec(lease.spec, this.#lease.identity, this.#deps.clock.now())));
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (isConflict(error) || isAlreadyExists(error)) log.debug('another candidate was faster');
      else log.warn({ err: error }, 'the lease cannot be reached');
      return false;
    }
  }

  /** While it is ours nobody else writes it: the version we wrote last is the precondition. Anything unexpected: looked at anew. */
  async renew(): Promise<boolean> {
    const held = this.#seen?.lease;
    if (held?.spec?.holderIdentity !== this.#lease.identity) return this.try();
    try {
      this.#note(await this.#write(held, acquiredSpec(held.spec, this.#lease.identity, this.#deps.clock.now())));
      return true;
    } catch {
      return this.try();
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
    const spec = acquiredSpec(undefined, identity, this.#deps.clock.now());
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
 * Waits for the lease, runs `lead` while it is held, and hands it over afterwards. `leading` aborts when we must stop.
 * Rejects with `LeadershipLost` when the lease was lost. Then the program must end.
 * `kube` must outlive the stop, for the handing over; give the calls of `lead` a client made by `kube.with(leading)`, so that
 * nothing is written after the end.
 */
export async function whileLeader(
  kube: Kube,
  lease: LeaseName,
  deps: LeaderDeps,
  lead: (leading: AbortSignal) => Promise<void>,
): Promise<void> {
  const { signal, clock } = deps;
  const log = deps.log.child({ lease: lease.name });
  const candidate = new Candidate(kube, lease, { ...deps, log });
  const held = await wait(candidate, deps);
  if (!held) return;
  log.info({ identity: lease.identity }, 'leading');
  const leading = new AbortController();
  /* Every call and loop of the leader listens. */
  setMaxListeners(0, leading.signal);
  const stop = () => leading.abort(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const work = run(lead, leading.signal).finally(stop);
  /* It is awaited below; until then its failure must not count as unheard. */
  work.catch(() => undefined);
  try {
    if ((await keep(candidate, clock, leading, held.since)) === 'lost') {
      await Promise.race([work.catch(() => undefined), clock.sleep(LAST_WORDS_MS)]);
      throw new LeadershipLost();
    }
    /* As long as it runs, nobody else may: only then is the lease handed over. */
    try {
      await work;
    } finally {
      await handOver(candidate, log);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Also a `lead` that throws before its first await rejects. */
const run = async (lead: (leading: AbortSignal) => Promise<void>, leading: AbortSignal) => lead(leading);

const handOver = (candidate: Candidate, log: Log) =>
  candidate.release().catch((error: unknown) => log.warn({ err: error }, 'the lease was not handed over'));

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

/** Renews until `leading` ends; when the deadline passes without a renewal, ends it. */
async function keep(
  candidate: Candidate,
  clock: Clock,
  leading: AbortController,
  since: number,
): Promise<'stopped' | 'lost'> {
  let renewed = since;
  let pause = RENEW_EVERY_MS;
  for (;;) {
    await clock.sleep(pause, leading.signal);
    if (leading.signal.aborted) return 'stopped';
    const begun = clock.monotonic();
    const left = renewed + RENEW_DEADLINE_MS - begun;
    const ok = await within(candidate.renew(), Math.min(left, ATTEMPT_MS), clock, leading.signal);
    if (leading.signal.aborted) return 'stopped';
    pause = ok ? RENEW_EVERY_MS : RETRY_MS;
    if (ok) renewed = begun;
    else if (clock.monotonic() - renewed >= RENEW_DEADLINE_MS) {
      leading.abort(new LeadershipLost());
      return 'lost';
    }
  }
}

/** What the attempt says, or false when it takes too long or `stop` aborts. An attempt left behind does no harm: at most the lease is held longer. */
async function within(attempt: Promise<boolean>, ms: number, clock: Clock, stop: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const cancel = () => over.abort();
  stop.addEventListener('abort', cancel, { once: true });
  const ok = await Promise.race([attempt, clock.sleep(ms, over.signal).then(() => false)]);
  over.abort();
  stop.removeEventListener('abort', cancel);
  return ok;
}
