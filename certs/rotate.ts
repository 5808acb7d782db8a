/** Keeps one set of certificates for all replicas in one store. */
import type { CertificateBundle } from './bundle.js';
import { type CertAction, certAction } from './decide.js';
import { inspect } from './inspect.js';
import { issueAll, issueServing } from './issue.js';

/** What is in the store; `bundle` is absent when there is nothing or nothing readable. */
export interface StoredBundle {
  bundle?: CertificateBundle;
  /** Absent when there is nothing at all. */
  version?: string;
}

export interface CertStore {
  load(): Promise<StoredBundle>;
  /** False, and nothing is stored, when somebody else has written since that version. */
  save(bundle: CertificateBundle, insteadOf: string | undefined): Promise<boolean>;
}

export interface RotationResult {
  bundle: CertificateBundle;
  /** What was done by this call. */
  action: CertAction;
}

/** Two replicas race at most once per renewal; more lost races mean that the store does not keep its word. */
const MAX_ATTEMPTS = 5;

/**
 * Brings the store up to date and returns what it holds. When two replicas race, one wins and both return the same.
 * `served`: the authority above what the caller serves now. It stays trusted when the store has lost it.
 */
export async function rotate(
  store: CertStore,
  dnsNames: readonly string[],
  clock: { now(): Date },
  served?: string,
): Promise<RotationResult> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { bundle: held, version } = await store.load();
    const now = clock.now();
    const action = certAction(held, dnsNames, now);
    if (held && action === 'keep') return { bundle: held, action };
    const bundle = applyAction(action, held, { dnsNames, now, served });
    if (await store.save(bundle, version)) return { bundle, action };
  }
  throw new Error(`the certificates were changed by somebody else ${MAX_ATTEMPTS} times in a row`);
}

/** What to hold after that action. */
function applyAction(
  action: CertAction,
  held: CertificateBundle | undefined,
  { dnsNames, now, served }: { dnsNames: readonly string[]; now: Date; served?: string },
): CertificateBundle {
  if (!held || action === 'renewAuthority')
    return issueAll(dnsNames, now, firstValidAuthority([held?.authority.certificate, served], now));
  if (action === 'renewServing') return { ...held, serving: issueServing(held.authority, dnsNames, now) };
  return action === 'forgetPrevious' ? { authority: held.authority, serving: held.serving } : held;
}

/** The first authority under which certificates may still be served. */
const firstValidAuthority = (authorities: readonly (string | undefined)[], now: Date): string | undefined =>
  authorities.find(pem => {
    const authority = pem === undefined ? undefined : inspect(pem);
    return authority?.isAuthority === true && authority.notAfter > now;
  });
