/** The certificates of the operator, everything in PEM. */

export interface KeyPair {
  certificate: string;
  key: string;
}

export interface CertificateBundle {
  /** Signs the serving certificate; its key never leaves the Secret. */
  authority: KeyPair;
  /** Certificate of the authority before this one; trusted until every replica serves a certificate of the new one. */
  previousAuthority?: string;
  /** The certificate that the webhook presents to the API server. */
  serving: KeyPair;
}

/** New certificates are valid from this long ago, because the clock of an API server or of another replica may be behind. */
export const BACKDATED_MS = 24 * 3_600_000;

/** The value of `caBundle` in the webhook configurations. */
export const trustBundle = (bundle: CertificateBundle): string =>
  [bundle.authority.certificate, bundle.previousAuthority ?? '']
    .map(pem => (pem === '' ? '' : `${pem.trim()}\n`))
    .join('');
