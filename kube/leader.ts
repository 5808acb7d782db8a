/**
 * Leader election by a Lease: of several replicas of a program, one acts.
 *
 *     standby ──(lease free, ours, or unchanged for its whole duration)──▶ leading
 *        ▲                                                                   │
 *        └── the program exits and is restarted ◀──(not renewed in time)─────┘
 *
 * Clocks of other machines are not trusted: a lease has expired when this replica has observed it unchanged for its whole duration.
 * When two replicas try at the same time, the resource version lets only one of them write.
 * The leader stops 20 s after it sent its last successful renewal, before another replica may start after 30 s. A response that takes long
 * counts when it arrives: if an API server that is slow to everyone ended its leaders, each successor would lose the lease in the same way.
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
  /** Unique per replica; usually the Pod name. */
  identity: string;
}

export interface LeaderDeps {
  log: Log;
  clock: Clock;
  /** Stops the work and releases the lease. */
  signal: AbortSignal;
  random?: () => number;
}

/**
 * Twice the durations that Kubernetes controllers commonly use, and one write every 10 s instead of a read and a write every 2 s: six
 * requests a minute instead of sixty. The price is a wait of up to 30 s after a crash; a leader that stops in order releases the lease.
 */
const RENEW_EVERY_MS = 10_000;
const RENEW_DEADLINE_MS = 20_000;
const RETRY_MS = 2_000;
/** After this time another attempt is made, so that a call that hangs leaves time for one before the deadline. */
const ATTEMPT_MS = 5_000;
/** How long the work may take to stop after leadership is lost; its API calls are aborted already. */
const STOP_GRACE_MS = 3_000;

/** One replica that competes for the lease, with the lease as it last observed it. */
class Candidate {
  readonly #kube: Kube;
  readonly #lease: LeaseName;
  readonly #deps: LeaderDeps;
  #observed: { lease: LeaseObject; at: number } | undefined;
  #renewedAt = -Infinity;
  #renewal = deferred();
  #attempts = 0;

  constructor(kube: Kube, lease: LeaseName, deps: LeaderDeps) {
    this.#kube = kube;
    this.#lease = lease;
    this.#deps = deps;
  }

  /** Monotonic time at which the last successful write of the lease was sent. */
  get renewedAt(): number {
    return this.#renewedAt;
  }

  /** Resolves when the next write succeeds, whichever attempt sent it. */
  get nextRenewal(): Promise<void> {
    return this.#renewal.promise;
  }

  /**
   * Tries to acquire or renew the lease; true when this replica holds it. Never throws. Once `stop` has aborted nothing more is written:
   * the lease may have been released meanwhile, and would be taken again.
   */
  async tryAcquire(stop: AbortSignal): Promise<boolean> {
    const { log } = this.#deps;
    if (stop.aborted) return false;
    try {
      const lease = await this.#read();
      if (stop.aborted) return false;
      if (!lease) return await this.#create();
      const unchangedMs = this.#deps.clock.monotonic() - (this.#observed?.at ?? 0);
      if (!canAcquire(lease.spec, this.#lease.identity, unchangedMs)) return false;
      this.#observe(await this.#write(lease, acquiredSpec(lease.spec, this.#lease.identity, this.#deps.clock.now())));
      return true;
    } catch (error) {
      if (stop.aborted) return false;
      if (isConflict(error) || isAlreadyExists(error)) log.debug('another replica acquired the lease');
      else log.warn({ err: error }, 'failed to read or write the lease');
      return false;
    }
  }

  /**
   * Renews with one write, whose precondition is the version written last. On any error it reads the lease and tries again, unless a later
   * attempt is under way, which this one would only get in the way of.
   */
  async renew(stop: AbortSignal): Promise<boolean> {
    if (stop.aborted) return false;
    this.#attempts += 1;
    const attempt = this.#attempts;
    const lease = this.#observed?.lease;
    if (lease?.spec?.holderIdentity !== this.#lease.identity) return this.tryAcquire(stop);
    try {
      this.#observe(await this.#write(lease, acquiredSpec(lease.spec, this.#lease.identity, this.#deps.clock.now())));
      return true;
    } catch {
      return attempt === this.#attempts && this.tryAcquire(stop);
    }
  }

  /**
   * Releases the lease, so that the next replica need not wait for it to expire: no holder, and a duration of one second. A renewal that
   * was in flight at the stop may arrive between the read and the write, hence the second try.
   */
  async release(): Promise<void> {
    try {
      await this.#releaseOnce();
    } catch (error) {
      if (!isConflict(error)) throw error;
      await this.#releaseOnce();
    }
  }

  async #releaseOnce(): Promise<void> {
    const lease = await this.#read();
    if (lease?.spec?.holderIdentity !== this.#lease.identity) return;
    const now = microTime(this.#deps.clock.now());
    const released = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
    await this.#write(lease, { ...lease.spec, ...released });
  }

  async #read(): Promise<LeaseObject | undefined> {
    const { namespace, name } = this.#lease;
    try {
      return this.#observe(await this.#kube.get<LeaseObject>(LEASES, { namespace, name }));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Records the lease; the time since which it is unchanged restarts with each new version. */
  #observe(lease: LeaseObject): LeaseObject {
    const known = this.#observed?.lease.metadata;
    if (known?.uid !== lease.metadata.uid || known.resourceVersion !== lease.metadata.resourceVersion)
      this.#observed = { lease, at: this.#deps.clock.monotonic() };
    return lease;
  }

  async #create(): Promise<boolean> {
    const { namespace, name, identity } = this.#lease;
    const spec = acquiredSpec(undefined, identity, this.#deps.clock.now());
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec };
    this.#observe(await this.#timed(() => this.#kube.create<LeaseObject>(LEASES, body, namespace)));
    return true;
  }

  #write(lease: LeaseObject, spec: LeaseObject['spec']): Promise<LeaseObject> {
    const { namespace, name } = this.#lease;
    return this.#timed(() => this.#kube.replace<LeaseObject>(LEASES, { namespace, name }, { ...lease, spec }));
  }

  async #timed(write: () => Promise<LeaseObject>): Promise<LeaseObject> {
    const sentAt = this.#deps.clock.monotonic();
    const lease = await write();
    this.#renewedAt = Math.max(this.#renewedAt, sentAt);
    this.#renewal.resolve();
    this.#renewal = deferred();
    return lease;
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>(done => (resolve = done));
  return { promise, resolve };
}

/** Thrown when the lease was not renewed in time: the program must exit, because another replica may be leading. */
export class LeadershipLost extends Error {
  constructor() {
    super('the lease was not renewed in time');
    this.name = 'LeadershipLost';
  }
}

/**
 * Waits for the lease, runs `lead` while this replica holds it, and releases it afterwards. The signal `leading` aborts when `lead`
 * must stop. Rejects with `LeadershipLost` when the lease was lost; the program must exit then.
 * `kube` must stay usable after the stop, to release the lease. `lead` must use a client created by `kube.with(leading)`, so that
 * nothing is written after leadership has ended.
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
  if (!(await acquire(candidate, deps))) return;
  /* Stopped while the lease was being acquired: the work would only start to be aborted. */
  if (signal.aborted) return releaseLease(candidate, log);
  log.info({ identity: lease.identity }, 'acquired the lease, leading');
  const leading = new AbortController();
  /* Every call and loop of the leader adds a listener. */
  setMaxListeners(0, leading.signal);
  const stop = () => leading.abort(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  const work = run(lead, leading.signal).finally(stop);
  /* The work is awaited below; until then a rejection must not count as unhandled. */
  work.catch(() => undefined);
  try {
    if ((await renewUntilStopped(candidate, clock, leading)) === 'lost') {
      await Promise.race([work.catch(() => undefined), clock.sleep(STOP_GRACE_MS)]);
      throw new LeadershipLost();
    }
    /* The lease is released only after the work has ended, so that no other replica starts before. */
    try {
      await work;
    } finally {
      await releaseLease(candidate, log);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Async, so that a `lead` that throws synchronously rejects too. */
const run = async (lead: (leading: AbortSignal) => Promise<void>, leading: AbortSignal) => lead(leading);

const releaseLease = (candidate: Candidate, log: Log) =>
  candidate.release().catch((error: unknown) => log.warn({ err: error }, 'failed to release the lease'));

/** True when the lease is acquired, false when stopped before. */
async function acquire(candidate: Candidate, deps: LeaderDeps): Promise<boolean> {
  const { clock, signal, random = Math.random } = deps;
  while (!signal.aborted) {
    if (await candidate.tryAcquire(signal)) return true;
    /* Jitter as in client-go, so that replicas do not retry in step. */
    await clock.sleep(RETRY_MS * (1 + 1.2 * random()), signal);
  }
  return false;
}

/** Renews until `leading` aborts, or aborts it when the deadline passes without a renewal. */
async function renewUntilStopped(
  candidate: Candidate,
  clock: Clock,
  leading: AbortController,
): Promise<'stopped' | 'lost'> {
  const msSinceRenewal = () => clock.monotonic() - candidate.renewedAt;
  let pause = RENEW_EVERY_MS - msSinceRenewal();
  for (;;) {
    await clock.sleep(Math.max(pause, 0), leading.signal);
    if (leading.signal.aborted) return 'stopped';
    const before = candidate.renewedAt;
    const limit = Math.min(RENEW_DEADLINE_MS - msSinceRenewal(), ATTEMPT_MS);
    /* The write of an earlier attempt may be answered during this one. */
    const renewal = candidate.nextRenewal;
    await withTimeout(Promise.race([candidate.renew(leading.signal), renewal]), limit, clock, leading.signal);
    if (leading.signal.aborted) return 'stopped';
    if (msSinceRenewal() >= RENEW_DEADLINE_MS) {
      leading.abort(new LeadershipLost());
      return 'lost';
    }
    pause = candidate.renewedAt > before ? RENEW_EVERY_MS - msSinceRenewal() : RETRY_MS;
  }
}

/** Waits for the attempt, `ms` at most, or until `stop` aborts. After `stop`, an attempt that still runs sends nothing more. */
async function withTimeout(attempt: Promise<unknown>, ms: number, clock: Clock, stop: AbortSignal): Promise<void> {
  const timeout = new AbortController();
  const cancel = () => timeout.abort();
  stop.addEventListener('abort', cancel, { once: true });
  await Promise.race([attempt, clock.sleep(ms, timeout.signal)]);
  timeout.abort();
  stop.removeEventListener('abort', cancel);
}
