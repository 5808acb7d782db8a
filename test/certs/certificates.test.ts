import { X509Certificate } from 'node:crypto';
import { createServer, request } from 'node:https';
import { describe, expect, test } from '@jest/globals';
import { trustBundle } from '../../certs/bundle.js';
import { inspect, isSignedBy, isKeyMatching } from '../../certs/inspect.js';
import { issueAll, issueAuthority, issueServing } from '../../certs/issue.js';

const NAMES = ['webhook.operator-system.svc', 'webhook.operator-system.svc.cluster.local'];
const NOW = new Date('2026-03-01T12:00:00.000Z');
const DAY = 86_400_000;

describe('an authority', () => {
  const authority = issueAuthority(NOW);
  const certificate = new X509Certificate(authority.certificate);

  test('signs itself', () => expect(isSignedBy(authority.certificate, authority.certificate)).toBe(true));
  test('may sign others', () => expect(certificate.ca).toBe(true));
  test('has its own key', () => expect(isKeyMatching(authority)).toBe(true));
  test('uses P-256', () => expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1'));

  test('is valid from a day ago for ten years, whatever clocks say', () => {
    const look = inspect(authority.certificate);
    expect(look?.notBefore).toEqual(new Date(NOW.getTime() - DAY));
    expect(look?.notAfter).toEqual(new Date(NOW.getTime() - DAY + 3650 * DAY));
  });

  test('is told from the next one by its name', () =>
    expect(new X509Certificate(issueAuthority(new Date(NOW.getTime() + 1)).certificate).subject).not.toBe(
      certificate.subject,
    ));

  test('can be born late in the century, when dates are written in another form', () => {
    const late = new Date('2051-03-01T12:00:00.000Z');
    expect(inspect(issueAuthority(late).certificate)?.notBefore).toEqual(new Date(late.getTime() - DAY));
    expect(inspect(issueAuthority(new Date('2045-01-01T00:00:00Z')).certificate)?.notAfter.getUTCFullYear()).toBe(2054);
  });
});

describe('a serving certificate', () => {
  const { authority, serving } = issueAll(NAMES, NOW);
  const certificate = new X509Certificate(serving.certificate);
  const look = inspect(serving.certificate);

  test('is signed by its authority', () => expect(isSignedBy(serving.certificate, authority.certificate)).toBe(true));
  test('is not signed by another authority', () =>
    expect(isSignedBy(serving.certificate, issueAuthority(NOW).certificate)).toBe(false));
  test('is no authority', () => expect(look?.isAuthority).toBe(false));
  test('has its own key', () => expect(isKeyMatching(serving)).toBe(true));
  test('has no other key', () => expect(isKeyMatching({ ...serving, key: authority.key })).toBe(false));
  test('stands for the DNS names of the Service', () => expect(look?.dnsNames).toEqual(NAMES));
  test('answers for such a host', () => expect(certificate.checkHost(NAMES[0] ?? '')).toBe(NAMES[0]));
  test('answers for no other host', () => expect(certificate.checkHost('webhook.default.svc')).toBeUndefined());
  test('is for servers only', () => expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']));
  test('lives 90 days', () => expect(Number(look?.notAfter) - Number(look?.notBefore)).toBe(90 * DAY));

  test('has a random serial number of 128 bits, never the same twice', () => {
    const serials = Array.from({ length: 20 }, () => inspect(issueServing(authority, NAMES, NOW).certificate)?.serial);
    expect(new Set(serials).size).toBe(20);
    for (const serial of serials) expect(serial).toMatch(/^[0-9A-F]{32}$/);
  });
});

test('a client that trusts old and new authority accepts servers under both', async () => {
  const old = issueAll(['localhost'], new Date());
  const next = issueAll(['localhost'], new Date(), old.authority.certificate);
  for (const pair of [old.serving, next.serving]) {
    const server = createServer({ key: pair.key, cert: pair.certificate }, (_, response) => response.end('well'));
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

test('what is no certificate is told apart without an error', () => {
  expect(inspect('')).toBeUndefined();
  expect(inspect('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toBeUndefined();
  expect(isKeyMatching({ certificate: 'no', key: 'no' })).toBe(false);
  expect(isSignedBy('no', 'no')).toBe(false);
});
