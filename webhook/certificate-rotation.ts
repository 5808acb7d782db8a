/** Keeps the server supplied with a trusted certificate: loads it, renews it in time, and publishes its authority to the API server. */
import { type CertificateBundle, type KeyPair, trustBundle } from '../certs/bundle.js';
import { inspect } from '../certs/inspect.js';
import { type CertStore, rotate } from '../certs/rotate.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import type { PublishResult } from './ca-bundle.js';

export interface RotationDeps {
  store: CertStore;
  /** Publishes the CA bundle to the API server; one result per webhook configuration, by its name. */
  publish(pem: string): Promise<Record<string, PublishResult>>;
  /** Makes the server use this certificate. */
  serve(pair: KeyPair): void;
  dnsNames: readonly string[];
  clock: Clock;
  log: Log;
}

/** How soon a certificate renewed by another replica is served, and an overwritten CA bundle is restored if the watch missed it. */
const RESYNC_MS = 60_000;
/** Delay after a trigger, so that two programs that undo each other's writes do not keep the API server busy. */
const TRIGGER_DELAY_MS = 1_000;
const RETRY_MS = 5_000;
/** API servers observe a new authority through their watches; a certificate issued by it is served only after this delay. */
const PROPAGATION_MS = 5_000;

export class CertificateRotation {
  readonly #deps: RotationDeps;
  #served: CertificateBundle | undefined;
  #hasPublished = false;
  #absent: readonly string[] = [];
  /** The CA bundle last published, in base64 as in the configurations. */
  #caBundle: string | undefined;
  #wait = new AbortController();

  constructor(deps: RotationDeps) {
    this.#deps = deps;
  }

  /** When the served certificate expires; undefined while there is none. */
  expiry(): Date | undefined {
    return this.#served && inspect(this.#served.serving.certificate)?.notAfter;
  }

  /** Why there is no valid certificate to serve, if so. */
  certificateFault(): string | undefined {
    const expiry = this.expiry();
    if (!expiry) return 'no certificate yet';
    return expiry > this.#deps.clock.now() ? undefined : `expired at ${expiry.toISOString()}`;
  }

  /** Why the API server would not trust this replica yet, if so. A CA bundle that is overwritten later is restored and no fault. */
  publicationFault(): string | undefined {
    return this.#hasPublished ? undefined : 'not yet in every webhook configuration';
  }

  /**
   * Renews certificates that are due, serves a new one, and restores an overwritten CA bundle. Resolves to false while a webhook
   * configuration is missing; rejects when the API server cannot be used.
   */
  async reconcile(signal?: AbortSignal): Promise<boolean> {
    const { store, dnsNames, clock, log } = this.#deps;
    const { bundle, action } = await rotate(store, dnsNames, clock, this.#served?.authority.certificate);
    if (action !== 'keep')
      log.info({ action, certificate: inspect(bundle.serving.certificate) }, 'certificates renewed');
    const sameAuthority =
      this.#served === undefined || this.#served.authority.certificate === bundle.authority.certificate;
    if (sameAuthority) this.#serve(bundle);
    const isComplete = await this.#publish(bundle);
    if (sameAuthority) return isComplete;
    /* While the previous authority is still trusted, the API servers get time to observe the new one. */
    if (this.#served && trustBundle(bundle).includes(this.#served.authority.certificate.trim()))
      await clock.sleep(PROPAGATION_MS, signal);
    this.#serve(bundle);
    return isComplete;
  }

  /** Reconciles until there is a certificate to serve, or the signal aborts. */
  async waitForCertificate(signal: AbortSignal): Promise<void> {
    while (!this.#served && !signal.aborted) {
      const isComplete = await this.#tryReconcile(signal);
      if (!isComplete && !this.#served) await this.#deps.clock.sleep(RETRY_MS, signal);
    }
  }

  /** Reconciles periodically and after each trigger, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    signal.addEventListener('abort', () => this.trigger());
    while (!signal.aborted) {
      this.#wait = new AbortController();
      const isComplete = await this.#tryReconcile(signal);
      if (signal.aborted) return;
      await clock.sleep(isComplete ? RESYNC_MS : RETRY_MS, this.#wait.signal);
      if (this.#wait.signal.aborted) await clock.sleep(TRIGGER_DELAY_MS, signal);
    }
  }

  /** Makes `run` reconcile soon, because another client changed something. */
  trigger(): void {
    this.#wait.abort();
  }

  /** Whether this base64 CA bundle is the published one; true as long as nothing was published. */
  isPublished(caBundle: string | undefined): boolean {
    return this.#caBundle === undefined || this.#caBundle === caBundle;
  }

  /** An unavailable API server must not end the program: the served certificate stays valid for weeks. */
  async #tryReconcile(signal: AbortSignal): Promise<boolean> {
    try {
      return await this.reconcile(signal);
    } catch (error) {
      if (!signal.aborted) this.#deps.log.warn({ err: error }, 'certificate rotation failed, retrying');
      return false;
    }
  }

  #serve(bundle: CertificateBundle): void {
    if (this.#served?.serving.certificate !== bundle.serving.certificate) {
      this.#deps.serve(bundle.serving);
      this.#deps.log.info({ certificate: inspect(bundle.serving.certificate) }, 'serving a new certificate');
    }
    this.#served = bundle;
  }

  /** Resolves to true when every configuration has the CA bundle. */
  async #publish(bundle: CertificateBundle): Promise<boolean> {
    const { log } = this.#deps;
    const pem = trustBundle(bundle);
    this.#caBundle = Buffer.from(pem).toString('base64');
    const results = Object.entries(await this.#deps.publish(pem));
    const namesWith = (wanted: PublishResult) =>
      results.filter(([, result]) => result === wanted).map(([name]) => name);
    for (const configuration of namesWith('written')) log.info({ configuration }, 'CA bundle written');
    const absent = namesWith('absent');
    for (const configuration of absent.filter(name => !this.#absent.includes(name)))
      log.warn({ configuration }, 'webhook configuration does not exist, retrying until it does');
    this.#absent = absent;
    if (namesWith('conflict').length > 0) throw new Error('a webhook configuration was modified by another client');
    if (absent.length === 0) this.#hasPublished = true;
    return absent.length === 0;
  }
}
