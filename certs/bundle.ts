/** What the operator holds of certificates: everything in PEM. */

export interface Pair {
  certificate: string;
  key: string;
}

export interface Bundle {
  /** Signs the serving certificate; its key never leaves the Secret. */
  authority: Pair;
  /** Certificate of the authority before, trusted until every replica serves under the new one. */
  previousAuthority?: string;
  /** What the webhook shows to the API server. */
  serving: Pair;
}

/**
 * How far back the validity of a new certificate begins: the clock of an API server, or of the other replica, may be
 * that far behind ours.
 */
export const BACKDATED_MS = 24 * 3_600_000;

/** What the API server is told to trust. */
export const trusted = (bundle: Bundle): string =>
  [bundle.authority.certificate, bundle.previousAuthority ?? '']
    .map(pem => (pem === '' ? '' : `${pem.trim()}\n`))
    .join('');
