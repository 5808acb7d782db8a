/** Rotates the certificates that all replicas share through one store. */
import type { CertificateBundle } from './bundle.js';
import { type CertAction, certAction } from './decide.js';
import { inspect } from './inspect.js';
import { issueAll, issueServing } from './issue.js';

/** `bundle` is absent when the store is empty or its content cannot be read. */
export interface StoredBundle {
  bundle?: CertificateBundle;
  /** Absent when the store is empty. */
  version?: string;
}

export interface CertStore {
  load(): Promise<StoredBundle>;
  /** Returns false and stores nothing when the store has another version by now. */
  save(bundle: CertificateBundle, expectedVersion: string | undefined): Promise<boolean>;
}

export interface RotationResult {
  bundle: CertificateBundle;
  /** What this call did. */
  action: CertAction;
}

/** Two replicas race at most once per renewal; more lost races mean that the store never accepts a write. */
const MAX_ATTEMPTS = 5;

/**
 * Renews what is due and returns the stored certificates. When two replicas race, one wins and both return the same bundle.
 * `servedAuthority` signed the certificate that the caller serves now; it stays trusted when the store has lost it.
 */
export async function rotate(
  store: CertStore,
  dnsNames: readonly string[],
  clock: { now(): Date },
  servedAuthority?: string,
): Promise<RotationResult> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { bundle: stored, version } = await store.load();
    const now = clock.now();
    const action = certAction(stored, dnsNames, now);
    if (stored && action === 'keep') return { bundle: stored, action };
    const bundle = applyAction(action, stored, { dnsNames, now, servedAuthority });
    if (await store.save(bundle, version)) return { bundle, action };
  }
  throw new Error(`another writer changed the certificates ${MAX_ATTEMPTS} times in a row`);
}

function applyAction(
  action: CertAction,
  stored: CertificateBundle | undefined,
  { dnsNames, now, servedAuthority }: { dnsNames: readonly string[]; now: Date; servedAuthority?: string },
): CertificateBundle {
  if (!stored || action === 'renewAuthority')
    return issueAll(dnsNames, now, firstValidAuthority([stored?.authority.certificate, servedAuthority], now));
  if (action === 'renewServing') return { ...stored, serving: issueServing(stored.authority, dnsNames, now) };
  return action === 'forgetPrevious' ? { authority: stored.authority, serving: stored.serving } : stored;
}

/** The first of these authorities that is valid, so that a replica may still serve a certificate of it. */
const firstValidAuthority = (authorities: readonly (string | undefined)[], now: Date): string | undefined =>
  authorities.find(pem => {
    const authority = pem === undefined ? undefined : inspect(pem);
    return authority?.isAuthority === true && authority.notAfter > now;
  });
