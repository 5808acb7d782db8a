import { X509Certificate } from 'node:crypto';
import { createServer, request } from 'node:https';
import { describe, expect, test } from '@jest/globals';
import { trustBundle } from '../../certs/bundle.js';
import { inspect, isSignedBy, isKeyMatching } from '../../certs/inspect.js';
import { issueAll, issueAuthority, issueServing } from '../../certs/issue.js';

const NAMES = ['webhook.operator-system.svc', 'webhook.operator-system.svc.cluster.local'];
const NOW = new Date('2026-03-01T12:00:00.000Z');
const DAY = 86_400_000;

describe('a certificate authority', () => {
  const authority = issueAuthority(NOW);
  const certificate = new X509Certificate(authority.certificate);

  test('the authority is self-signed', () =>
    expect(isSignedBy(authority.certificate, authority.certificate)).toBe(true));
  test('the authority may sign certificates', () => expect(certificate.ca).toBe(true));
  test('the authority matches its key', () => expect(isKeyMatching(authority)).toBe(true));
  test('the authority uses a P-256 key', () =>
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1'));

  test('the authority is valid for ten years, starting a day ago', () => {
    const info = inspect(authority.certificate);
    expect(info?.notBefore).toEqual(new Date(NOW.getTime() - DAY));
    expect(info?.notAfter).toEqual(new Date(NOW.getTime() - DAY + 3650 * DAY));
  });

  test('two authorities have different names', () =>
    expect(new X509Certificate(issueAuthority(new Date(NOW.getTime() + 1)).certificate).subject).not.toBe(
      certificate.subject,
    ));

  test('the authority may be valid beyond 2049, where dates are encoded as GeneralizedTime', () => {
    const late = new Date('2051-03-01T12:00:00.000Z');
    expect(inspect(issueAuthority(late).certificate)?.notBefore).toEqual(new Date(late.getTime() - DAY));
    expect(inspect(issueAuthority(new Date('2045-01-01T00:00:00Z')).certificate)?.notAfter.getUTCFullYear()).toBe(2054);
  });
});

describe('a serving certificate', () => {
  const { authority, serving } = issueAll(NAMES, NOW);
  const certificate = new X509Certificate(serving.certificate);
  const info = inspect(serving.certificate);

  test('the serving certificate is signed by its authority', () =>
    expect(isSignedBy(serving.certificate, authority.certificate)).toBe(true));
  test('the serving certificate is not signed by another authority', () =>
    expect(isSignedBy(serving.certificate, issueAuthority(NOW).certificate)).toBe(false));
  test('the serving certificate is no authority', () => expect(info?.isAuthority).toBe(false));
  test('the serving certificate matches its key', () => expect(isKeyMatching(serving)).toBe(true));
  test('the serving certificate does not match the key of the authority', () =>
    expect(isKeyMatching({ ...serving, key: authority.key })).toBe(false));
  test('the serving certificate contains the DNS names of the Service', () => expect(info?.dnsNames).toEqual(NAMES));
  test('the serving certificate is valid for the host of the Service', () =>
    expect(certificate.checkHost(NAMES[0] ?? '')).toBe(NAMES[0]));
  test('the serving certificate is not valid for another host', () =>
    expect(certificate.checkHost('webhook.default.svc')).toBeUndefined());
  test('the serving certificate is for server authentication only', () =>
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']));
  test('the serving certificate is valid for 90 days', () =>
    expect(Number(info?.notAfter) - Number(info?.notBefore)).toBe(90 * DAY));

  test('every serving certificate has its own random serial number of 128 bits', () => {
    const serials = Array.from({ length: 20 }, () => inspect(issueServing(authority, NAMES, NOW).certificate)?.serial);
    expect(new Set(serials).size).toBe(20);
    for (const serial of serials) expect(serial).toMatch(/^[0-9A-F]{32}$/);
  });
});

test('a client that trusts the old and the new authority accepts certificates of both', async () => {
  const old = issueAll(['localhost'], new Date());
  const next = issueAll(['localhost'], new Date(), old.authority.certificate);
  for (const pair of [old.serving, next.serving]) {
    const server = createServer({ key: pair.key, cert: pair.certificate }, (_, response) => response.end('ok'));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const code = await new Promise((resolve, reject) => {
      const ask = { host: '127.0.0.1', port, servername: 'localhost', ca: trustBundle(next), agent: false };
      request(ask, answer => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end();
    });
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    expect(code).toBe(200);
  }
});

test('text that is no certificate is rejected without an error', () => {
  expect(inspect('')).toBeUndefined();
  expect(inspect('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toBeUndefined();
  expect(isKeyMatching({ certificate: 'no', key: 'no' })).toBe(false);
  expect(isSignedBy('no', 'no')).toBe(false);
});
