/** Parses certificates with node:crypto only: they come from outside, and the parsers of node-forge had vulnerabilities. */
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

/** Undefined when the text is no certificate. */
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

/** Whether the private key belongs to the certificate. */
export function isKeyMatching({ certificate, key }: KeyPair): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** Whether the authority signed the certificate; validity dates are not checked. */
export function isSignedBy(certificate: string, authority: string): boolean {
  const [subject, issuer] = [parse(certificate), parse(authority)];
  return (
    subject !== undefined && issuer !== undefined && subject.checkIssued(issuer) && subject.verify(issuer.publicKey)
  );
}
