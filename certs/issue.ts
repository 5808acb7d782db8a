/**
 * Issues the authority and the serving certificate. node-forge encodes the ASN.1; keys and signatures come from node:crypto,
 * because node-forge supports no elliptic curves and signs a hundred times slower, blocking the event loop.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { BACKDATED_MS, type CertificateBundle, type KeyPair } from './bundle.js';
import {
  bits,
  explicit,
  fromDer,
  implicit,
  integer,
  octets,
  oid,
  sequence,
  set,
  time,
  toDer,
  utf8,
  booleanTrue,
} from './der.js';

const DAY_MS = 24 * 3_600_000;
export const AUTHORITY_LIFE_MS = 3650 * DAY_MS;
export const SERVING_LIFE_MS = 90 * DAY_MS;

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/* keyUsage, RFC 5280 section 4.2.1.3: bit 0 digitalSignature, bit 5 keyCertSign, bit 6 cRLSign. */
const SIGNS_HANDSHAKES = () => bits(Buffer.from([0x80]), 7);
const SIGNS_CERTIFICATES = () => bits(Buffer.from([0x06]), 1);

type Part = ReturnType<typeof sequence>;

const extension = (id: string, critical: boolean, content: Part) =>
  critical ? sequence(oid(id), booleanTrue(), octets(content)) : sequence(oid(id), octets(content));

const nameOf = (commonName: string) => sequence(set(sequence(oid(OID.commonName), utf8(commonName))));

/** 128 random bits, the first one set: DER forbids superfluous leading zeros. The zero byte in front makes the number positive. */
function serialNumber(): Buffer {
  const random = randomBytes(16);
  random.writeUInt8(random.readUInt8(0) | 0x80, 0);
  return Buffer.concat([Buffer.from([0]), random]);
}

interface Key {
  pem: string;
  /** SubjectPublicKeyInfo. */
  spki: Buffer;
}

function newKey(): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spki: publicKey.export({ type: 'spki', format: 'der' }),
  };
}

/** SHA-1 of the key as RFC 5280 section 4.2.1.2 suggests. It only identifies the key, so the weakness of SHA-1 does not matter. */
const keyIdentifier = (spki: Buffer) => createHash('sha1').update(spki).digest();

interface CertificateTemplate {
  commonName: string;
  spki: Buffer;
  lifeMs: number;
  extensions: readonly Part[];
  issuer: { commonName: string; key: string };
  now: Date;
}

function signCertificate(template: CertificateTemplate): string {
  const algorithm = () => sequence(oid(OID.ecdsaWithSha256));
  const notBefore = new Date(template.now.getTime() - BACKDATED_MS);
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    algorithm(),
    nameOf(template.issuer.commonName),
    sequence(time(notBefore), time(new Date(notBefore.getTime() + template.lifeMs))),
    nameOf(template.commonName),
    fromDer(template.spki),
    explicit(3, sequence(...template.extensions)),
  );
  const signature = sign('sha256', toDer(toBeSigned), createPrivateKey(template.issuer.key));
  return pemOf(toDer(sequence(toBeSigned, algorithm(), bits(signature))));
}

const pemOf = (der: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

/** An authority for ten years. Its name contains the time of issue, because two authorities trusted together must not share a name. */
export function issueAuthority(now: Date): KeyPair {
  const key = newKey();
  const commonName = `kairos-operator webhook authority ${now.toISOString()}`;
  const extensions = [
    extension(OID.basicConstraints, true, sequence(booleanTrue())),
    extension(OID.keyUsage, true, SIGNS_CERTIFICATES()),
    extension(OID.subjectKeyIdentifier, false, octets(keyIdentifier(key.spki))),
  ];
  const issuer = { commonName, key: key.pem };
  const certificate = signCertificate({
    commonName,
    spki: key.spki,
    lifeMs: AUTHORITY_LIFE_MS,
    extensions,
    issuer,
    now,
  });
  return { certificate, key: key.pem };
}

/** A serving certificate for 90 days. */
export function issueServing(authority: KeyPair, dnsNames: readonly string[], now: Date): KeyPair {
  const key = newKey();
  const issuerCertificate = new X509Certificate(authority.certificate);
  const issuerSpki = createPublicKey(authority.key).export({ type: 'spki', format: 'der' });
  const names = dnsNames.map(name => implicit(2, Buffer.from(name, 'ascii')));
  const extensions = [
    extension(OID.basicConstraints, true, sequence()),
    extension(OID.keyUsage, true, SIGNS_HANDSHAKES()),
    extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth))),
    extension(OID.subjectAltName, false, sequence(...names)),
    extension(OID.subjectKeyIdentifier, false, octets(keyIdentifier(key.spki))),
    extension(OID.authorityKeyIdentifier, false, sequence(implicit(0, keyIdentifier(issuerSpki)))),
  ];
  const issuer = { commonName: issuerCertificate.subject.replace(/^CN=/, ''), key: authority.key };
  const commonName = 'kairos-operator webhook';
  const certificate = signCertificate({ commonName, spki: key.spki, lifeMs: SERVING_LIFE_MS, extensions, issuer, now });
  return { certificate, key: key.pem };
}

export function issueAll(dnsNames: readonly string[], now: Date, previousAuthority?: string): CertificateBundle {
  const authority = issueAuthority(now);
  return { authority, previousAuthority, serving: issueServing(authority, dnsNames, now) };
}
