/** Which certificate is due. */
import { BACKDATED_MS, type CertificateBundle } from './bundle.js';
import { inspect, isSignedBy, isKeyMatching, type CertificateInfo } from './inspect.js';

export type CertAction =
  | 'keep'
  /** A new serving certificate under the authority held. */
  | 'renewServing'
  /** A new authority and serving certificate; the authority held stays trusted. */
  | 'renewAuthority'
  /** Every replica has long changed over: the authority before need not be trusted any more. */
  | 'forgetPrevious';

/** Replicas look once a minute; a day leaves room for one that is cut off or stopped. */
const TRUST_OVERLAP_MS = 24 * 3_600_000;

/** Two thirds of its life are over, or it is not yet valid: whoever issued it had a wrong clock. */
export function isRenewalDue({ notBefore, notAfter }: CertificateInfo, now: Date): boolean {
  const life = notAfter.getTime() - notBefore.getTime();
  const lived = now.getTime() - notBefore.getTime();
  return lived < 0 || lived >= (life * 2) / 3;
}

/** What to do about the certificates held, which may be damaged or made for other names. */
export function certAction(held: CertificateBundle | undefined, dnsNames: readonly string[], now: Date): CertAction {
  const authority = held && inspect(held.authority.certificate);
  if (!held || !authority?.isAuthority || !isKeyMatching(held.authority) || isRenewalDue(authority, now))
    return 'renewAuthority';
  const serving = inspect(held.serving.certificate);
  const sound =
    serving !== undefined &&
    isKeyMatching(held.serving) &&
    isSignedBy(held.serving.certificate, held.authority.certificate) &&
    dnsNames.every(name => serving.dnsNames.includes(name));
  if (!sound || isRenewalDue(serving, now)) return 'renewServing';
  const changedOver = now.getTime() - authority.notBefore.getTime() >= BACKDATED_MS + TRUST_OVERLAP_MS;
  return held.previousAuthority !== undefined && changedOver ? 'forgetPrevious' : 'keep';
}
