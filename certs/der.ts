/** Builders for the DER structures of a certificate, named as in RFC 5280. */
import forge from 'node-forge';

const { asn1 } = forge;
type Node = forge.asn1.Asn1;
const { Class, Type } = asn1;

/** node-forge represents bytes as a string with one character per byte. */
const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const universal = (type: forge.asn1.Type, constructed: boolean, value: string | Node[]): Node =>
  asn1.create(Class.UNIVERSAL, type, constructed, value);

export const sequence = (...parts: Node[]): Node => universal(Type.SEQUENCE, true, parts);
export const set = (...parts: Node[]): Node => universal(Type.SET, true, parts);
export const oid = (dotted: string): Node => universal(Type.OID, false, asn1.oidToDer(dotted).getBytes());
export const integer = (bytes: Uint8Array): Node => universal(Type.INTEGER, false, binary(bytes));
export const booleanTrue = (): Node => universal(Type.BOOLEAN, false, '\xff');
export const utf8 = (text: string): Node => universal(Type.UTF8, false, binary(Buffer.from(text, 'utf8')));
export const octets = (content: Node | Uint8Array): Node =>
  universal(Type.OCTETSTRING, false, binary(content instanceof Uint8Array ? content : toDer(content)));

/** `unused`: how many bits at the end of the last byte do not count. */
export const bits = (bytes: Uint8Array, unused = 0): Node =>
  universal(Type.BITSTRING, false, String.fromCharCode(unused) + binary(bytes));

/** Context-specific tags of certificate fields. node-forge uses the enumeration of the universal types for them. */
const TAGS = { 0: Type.NONE, 2: Type.INTEGER, 3: Type.BITSTRING } as const;
type Tag = keyof typeof TAGS;

/** An explicit `[tag]` around parts. */
export const explicit = (tag: Tag, ...parts: Node[]): Node =>
  asn1.create(Class.CONTEXT_SPECIFIC, TAGS[tag], true, parts);
/** An implicit `[tag]`, which replaces the type of the bytes. */
export const implicit = (tag: Tag, bytes: Uint8Array): Node =>
  asn1.create(Class.CONTEXT_SPECIFIC, TAGS[tag], false, binary(bytes));

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
export const time = (date: Date): Node =>
  date.getUTCFullYear() < 2050
    ? universal(Type.UTCTIME, false, asn1.dateToUtcTime(date))
    : universal(Type.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date));

export const fromDer = (bytes: Uint8Array): Node => asn1.fromDer(binary(bytes));
export const toDer = (node: Node): Buffer => Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
