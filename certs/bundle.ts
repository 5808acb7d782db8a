/** What the operator holds of certificates: everything in PEM. */

export interface KeyPair {
  certificate: string;
  key: string;
}

export interface CertificateBundle {
  /** Signs the serving certificate; its key never leaves the Secret. */
  authority: KeyPair;
  /** Certificate of the authority before, trusted until every replica serves under the new one. */
  previousAuthority?: string;
  /** What the webhook shows to the API server. */
  serving: KeyPair;
}

/**
 * How far back the validity of a new certificate begins: the clock of an API server, or of the other replica, may be
 * that far behind ours.
 */
export const BACKDATED_MS = 24 * 3_600_000;

/** What the API server is told to trust. */
export const trustBundle = (bundle: CertificateBundle): string =>
  [bundle.authority.certificate, bundle.previousAuthority ?? '']
    .map(pem => (pem === '' ? '' : `${pem.trim()}\n`))
    .join('');
