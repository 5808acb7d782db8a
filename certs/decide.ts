/** Decides which certificate must be renewed. Pure. */
import { BACKDATED_MS, type CertificateBundle } from './bundle.js';
import { inspect, isSignedBy, isKeyMatching, type CertificateInfo } from './inspect.js';

export type CertAction =
  | 'keep'
  /** Issue a serving certificate with the current authority. */
  | 'renewServing'
  /** Issue a new authority and serving certificate; the current authority stays trusted. */
  | 'renewAuthority'
  /** Every replica uses the new authority by now, so the previous one need not be trusted any more. */
  | 'forgetPrevious';

/** Replicas reload once a minute; a day allows for one that is stopped or has no connection. */
const TRUST_OVERLAP_MS = 24 * 3_600_000;

/** After two thirds of its lifetime, or when it is not valid yet because it was issued by a clock that was ahead. */
export function isRenewalDue({ notBefore, notAfter }: CertificateInfo, now: Date): boolean {
  const lifetime = notAfter.getTime() - notBefore.getTime();
  const age = now.getTime() - notBefore.getTime();
  return age < 0 || age >= (lifetime * 2) / 3;
}

/** What to do about the stored certificates, which may be damaged or issued for other DNS names. */
export function certAction(stored: CertificateBundle | undefined, dnsNames: readonly string[], now: Date): CertAction {
  const authority = stored && inspect(stored.authority.certificate);
  if (!stored || !authority?.isAuthority || !isKeyMatching(stored.authority) || isRenewalDue(authority, now))
    return 'renewAuthority';
  const serving = inspect(stored.serving.certificate);
  const isServingUsable =
    serving !== undefined &&
    isKeyMatching(stored.serving) &&
    isSignedBy(stored.serving.certificate, stored.authority.certificate) &&
    dnsNames.every(name => serving.dnsNames.includes(name));
  if (!isServingUsable || isRenewalDue(serving, now)) return 'renewServing';
  const isOverlapOver = now.getTime() - authority.notBefore.getTime() >= BACKDATED_MS + TRUST_OVERLAP_MS;
  return stored.previousAuthority !== undefined && isOverlapOver ? 'forgetPrevious' : 'keep';
}
