/** Keeps one set of certificates for all replicas in one store. */
import type { Bundle } from './bundle.js';
import { type CertAction, certAction } from './decide.js';
import { inspect } from './inspect.js';
import { issueAll, issueServing } from './issue.js';

/** What is in the store; `bundle` is absent when there is nothing or nothing readable. */
export interface Held {
  bundle?: Bundle;
  /** Absent when there is nothing at all. */
  version?: string;
}

export interface CertStore {
  load(): Promise<Held>;
  /** False, and nothing is stored, when somebody else has written since that version. */
  save(bundle: Bundle, insteadOf: string | undefined): Promise<boolean>;
}

export interface Rotated {
  bundle: Bundle;
  /** What was done by this call. */
  action: CertAction;
}

/** Two replicas race at most once per renewal; more lost races mean that the store does not keep its word. */
const ATTEMPTS = 5;

/** Brings the store up to date and returns what it holds. When two replicas race, one wins and both return the same. */
export async function rotate(store: CertStore, dnsNames: readonly string[], clock: { now(): Date }): Promise<Rotated> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const { bundle: held, version } = await store.load();
    const now = clock.now();
    const action = certAction(held, dnsNames, now);
    if (held && action === 'keep') return { bundle: held, action };
    const bundle = carriedOut(action, held, { dnsNames, now });
    if (await store.save(bundle, version)) return { bundle, action };
  }
  throw new Error(`the certificates were changed by somebody else ${ATTEMPTS} times in a row`);
}

/** What to hold after that action. */
function carriedOut(
  action: CertAction,
  held: Bundle | undefined,
  { dnsNames, now }: { dnsNames: readonly string[]; now: Date },
): Bundle {
  if (!held || action === 'renewAuthority') return issueAll(dnsNames, now, stillTrusted(held, now));
  if (action === 'renewServing') return { ...held, serving: issueServing(held.authority, dnsNames, now) };
  return action === 'forgetPrevious' ? { authority: held.authority, serving: held.serving } : held;
}

/** The authority held, when certificates under it may still be served. */
function stillTrusted(held: Bundle | undefined, now: Date): string | undefined {
  const authority = held && inspect(held.authority.certificate);
  return authority?.isAuthority && authority.notAfter > now ? held?.authority.certificate : undefined;
}
