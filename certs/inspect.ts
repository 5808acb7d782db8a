/** Reads certificates. node:crypto alone: what is read comes from outside, and forge's parsers have a history. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyPair } from './bundle.js';

export interface CertificateInfo {
  serial: string;
  notBefore: Date;
  notAfter: Date;
  dnsNames: readonly string[];
  isAuthority: boolean;
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** What stands in a certificate; undefined when it is none. */
export function inspect(pem: string): CertificateInfo | undefined {
  const certificate = parse(pem);
  if (!certificate) return undefined;
  const names = certificate.subjectAltName?.split(', ') ?? [];
  return {
    serial: certificate.serialNumber,
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    dnsNames: names.filter(name => name.startsWith('DNS:')).map(name => name.slice('DNS:'.length)),
    isAuthority: certificate.ca,
  };
}

/** The private key belongs to the certificate. */
export function isKeyMatching({ certificate, key }: KeyPair): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** That authority has signed that certificate. Dates are not looked at. */
export function isSignedBy(certificate: string, authority: string): boolean {
  const [below, above] = [parse(certificate), parse(authority)];
  return below !== undefined && above !== undefined && below.checkIssued(above) && below.verify(above.publicKey);
}
