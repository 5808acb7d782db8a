/** Keeps a trusted certificate in the server: from the store, renewed in time, with its authority told to the API server. */
import { type CertificateBundle, type KeyPair, trustBundle } from '../certs/bundle.js';
import { inspect } from '../certs/inspect.js';
import { type CertStore, rotate } from '../certs/rotate.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import type { PublishResult } from './ca-bundle.js';

/** What the keeper needs of the world. */
export interface RotationDeps {
  store: CertStore;
  /** Tells every API server what to trust; one answer for each configuration, by its name. */
  publish(pem: string): Promise<Record<string, PublishResult>>;
  show(pair: KeyPair): void;
  dnsNames: readonly string[];
  clock: Clock;
  log: Log;
}

/** How soon a certificate renewed by another replica is shown, and an overwritten authority is mended should no watch tell of it. */
const RECHECK_MS = 60_000;
/** Two programs that undo each other's writes must not keep the API server busy. */
const NUDGED_MS = 1_000;
const RETRY_MS = 5_000;
/** API servers learn of a new authority by their watches; a new certificate is held back for that long. */
const SPREAD_MS = 5_000;

export class CertificateRotation {
  readonly #parts: RotationDeps;
  #shown: CertificateBundle | undefined;
  #told = false;
  #absent: readonly string[] = [];
  /** In base64, as it stands in configurations. */
  #published: string | undefined;
  #rest = new AbortController();

  constructor(parts: RotationDeps) {
    this.#parts = parts;
  }

  /** When the certificate that is shown ends. */
  expiry(): Date | undefined {
    return this.#shown && inspect(this.#shown.serving.certificate)?.notAfter;
  }

  /** Why nobody can be served, if so. */
  certificateFault(): string | undefined {
    const end = this.expiry();
    if (!end) return 'there is none yet';
    return end > this.#parts.clock.now() ? undefined : `ended ${end.toISOString()}`;
  }

  /** Why no API server would trust us, if so. Once told, an authority that is overwritten is mended and no reason to stay away. */
  publicationFault(): string | undefined {
    return this.#told ? undefined : 'not yet in every webhook configuration';
  }

  /** One look: renews what is due, shows what is new, mends what was overwritten. False: something is still missing. */
  async reconcile(signal?: AbortSignal): Promise<boolean> {
    const { store, dnsNames, clock, log } = this.#parts;
    const { bundle, action } = await rotate(store, dnsNames, clock, this.#shown?.authority.certificate);
    if (action !== 'keep')
      log.info({ action, certificate: inspect(bundle.serving.certificate) }, 'certificates renewed');
    const known = this.#shown === undefined || this.#shown.authority.certificate === bundle.authority.certificate;
    if (known) this.#show(bundle);
    const well = await this.#publish(bundle);
    if (known) return well;
    /* An authority that is not trusted any more cannot be waited under. */
    if (this.#shown && trustBundle(bundle).includes(this.#shown.authority.certificate.trim()))
      await clock.sleep(SPREAD_MS, signal);
    this.#show(bundle);
    return well;
  }

  /** Looks until there is a certificate to show, or the signal aborts. */
  async waitForCertificate(signal: AbortSignal): Promise<void> {
    while (!this.#shown && !signal.aborted) {
      const well = await this.#lookSafely(signal);
      if (!well && !this.#shown) await this.#parts.clock.sleep(RETRY_MS, signal);
    }
  }

  /** Looks for as long as the signal lets it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    signal.addEventListener('abort', () => this.trigger());
    while (!signal.aborted) {
      this.#rest = new AbortController();
      const well = await this.#lookSafely(signal);
      if (signal.aborted) return;
      await clock.sleep(well ? RECHECK_MS : RETRY_MS, this.#rest.signal);
      if (this.#rest.signal.aborted) await clock.sleep(NUDGED_MS, signal);
    }
  }

  /** Looks soon: something was changed by somebody else. */
  trigger(): void {
    this.#rest.abort();
  }

  /** Is this what API servers shall trust? As long as nothing was published, nothing can be wrong. */
  isPublished(caBundle: string | undefined): boolean {
    return this.#published === undefined || this.#published === caBundle;
  }

  /** An API server that is away must not end the program: the certificate shown is good for weeks. */
  async #lookSafely(signal: AbortSignal): Promise<boolean> {
    try {
      return await this.reconcile(signal);
    } catch (error) {
      if (!signal.aborted) this.#parts.log.warn({ err: error }, 'certificates not looked after; trying again');
      return false;
    }
  }

  #show(bundle: CertificateBundle): void {
    if (this.#shown?.serving.certificate !== bundle.serving.certificate) {
      this.#parts.show(bundle.serving);
      this.#parts.log.info({ certificate: inspect(bundle.serving.certificate) }, 'certificate shown');
    }
    this.#shown = bundle;
  }

  /** True: every configuration has it. */
  async #publish(bundle: CertificateBundle): Promise<boolean> {
    const { log } = this.#parts;
    const pem = trustBundle(bundle);
    this.#published = Buffer.from(pem).toString('base64');
    const verdicts = Object.entries(await this.#parts.publish(pem));
    const those = (wanted: PublishResult) => verdicts.filter(([, verdict]) => verdict === wanted).map(([name]) => name);
    for (const configuration of those('written')) log.info({ configuration }, 'authority written');
    const absent = those('absent');
    for (const configuration of absent.filter(name => !this.#absent.includes(name)))
      log.warn({ configuration }, 'there is no such webhook configuration; looking for it every few seconds');
    this.#absent = absent;
    if (those('contested').length > 0) throw new Error('a webhook configuration was written by somebody else just now');
    if (absent.length === 0) this.#told = true;
    return absent.length === 0;
  }
}
