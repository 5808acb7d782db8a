import { describe, expect, test } from '@jest/globals';
import { type CertificateBundle, trustBundle } from '../../certs/bundle.js';
import { certAction, isRenewalDue } from '../../certs/decide.js';
import { isSignedBy } from '../../certs/inspect.js';
import { issueAll, issueAuthority } from '../../certs/issue.js';
import { type CertStore, type StoredBundle, rotate } from '../../certs/rotate.js';
import { fakeClock } from '../fakes/clock.js';

const NAMES = ['webhook.operator-system.svc'];
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ISSUED = new Date('2026-01-01T00:00:00.000Z');
const after = (ms: number) => new Date(ISSUED.getTime() + ms);
const fresh = issueAll(NAMES, ISSUED);
const renewed = issueAll(NAMES, ISSUED, issueAuthority(ISSUED).certificate);

describe('the certificate action', () => {
  test.each<[string, CertificateBundle | undefined, Date, string]>([
    ['renews everything when nothing is stored', undefined, ISSUED, 'renewAuthority'],
    ['keeps certificates that were just issued', fresh, ISSUED, 'keep'],
    ['keeps the serving certificate just before two thirds of 90 days', fresh, after(59 * DAY - 1000), 'keep'],
    ['renews the serving certificate at two thirds of 90 days', fresh, after(59 * DAY), 'renewServing'],
    ['renews an expired serving certificate', fresh, after(91 * DAY), 'renewServing'],
    ['renews the authority at two thirds of ten years', fresh, after((3650 * DAY * 2) / 3 - DAY), 'renewAuthority'],
    ['renews an expired authority', fresh, after(3651 * DAY), 'renewAuthority'],
    ['renews everything when it was issued by a clock far ahead', fresh, after(-25 * HOUR), 'renewAuthority'],
    ['keeps the previous authority for a day', renewed, after(DAY - 1000), 'keep'],
    ['drops the previous authority after a day', renewed, after(DAY), 'forgetPrevious'],
    [
      'renews an authority that is no certificate',
      { ...fresh, authority: { certificate: 'x', key: 'x' } },
      ISSUED,
      'renewAuthority',
    ],
    ['renews an authority that may not sign', { ...fresh, authority: fresh.serving }, ISSUED, 'renewAuthority'],
    [
      'renews an authority that does not match its key',
      { ...fresh, authority: { ...fresh.authority, key: fresh.serving.key } },
      ISSUED,
      'renewAuthority',
    ],
    [
      'renews a serving certificate that is no certificate',
      { ...fresh, serving: { certificate: '', key: '' } },
      ISSUED,
      'renewServing',
    ],
    [
      'renews a serving certificate that does not match its key',
      { ...fresh, serving: { ...fresh.serving, key: renewed.serving.key } },
      ISSUED,
      'renewServing',
    ],
    [
      'renews a serving certificate of another authority',
      { ...fresh, serving: renewed.serving },
      ISSUED,
      'renewServing',
    ],
  ])('%s', (_sentence, stored, now, action) => expect(certAction(stored, NAMES, now)).toBe(action));

  test('renews a serving certificate without the name of the Service', () =>
    expect(certAction(fresh, ['other.operator-system.svc'], ISSUED)).toBe('renewServing'));

  test('renewal is due at exactly two thirds of the lifetime', () => {
    const info = { serial: '1', notBefore: ISSUED, notAfter: after(300), dnsNames: [], isAuthority: false };
    expect(isRenewalDue(info, after(199))).toBe(false);
    expect(isRenewalDue(info, after(200))).toBe(true);
  });
});

/** One Secret with versions, shared by several replicas. */
class SharedStore implements CertStore {
  stored: StoredBundle = {};
  saves = 0;

  async load(): Promise<StoredBundle> {
    await new Promise(resolve => setImmediate(resolve));
    return this.stored;
  }

  async save(bundle: CertificateBundle, expectedVersion: string | undefined): Promise<boolean> {
    await new Promise(resolve => setImmediate(resolve));
    if (expectedVersion !== this.stored.version) return false;
    this.saves += 1;
    this.stored = { bundle, version: String(this.saves) };
    return true;
  }
}

describe('rotation', () => {
  test('replicas that race over an empty store return the same certificates', async () => {
    const store = new SharedStore();
    const clock = fakeClock();
    const all = await Promise.all([1, 2, 3].map(() => rotate(store, NAMES, clock)));
    expect(store.saves).toBe(1);
    expect(new Set(all.map(one => one.bundle.serving.certificate)).size).toBe(1);
    expect(all.map(one => one.action).filter(action => action !== 'keep')).toEqual(['renewAuthority']);
  });

  test('the trust bundle covers every certificate that a replica still serves, for thirteen years', async () => {
    const store = new SharedStore();
    const clock = fakeClock();
    const actions: string[] = [];
    const untrusted: number[] = [];
    let lastServed: string | undefined;
    for (let day = 0; day < 13 * 365; day += 5) {
      const { bundle, action } = await rotate(store, NAMES, clock);
      const authorities = trustBundle(bundle).split(/(?<=-----END CERTIFICATE-----\n)/);
      const served = lastServed ?? bundle.serving.certificate;
      if (!authorities.some(one => isSignedBy(served, one))) untrusted.push(day);
      actions.push(action);
      lastServed = bundle.serving.certificate;
      clock.jumpWallClock(5 * DAY);
    }
    expect(untrusted).toEqual([]);
    expect(actions.filter(action => action === 'renewAuthority')).toHaveLength(2);
    expect(actions.filter(action => action === 'forgetPrevious')).toHaveLength(1);
    expect(actions.filter(action => action === 'renewServing').length).toBeGreaterThan(70);
  }, 60_000);

  test('unreadable content of the store is replaced', async () => {
    const store = new SharedStore();
    store.stored = { version: '7' };
    store.save = async (bundle, expectedVersion) => {
      expect(expectedVersion).toBe('7');
      store.stored = { bundle, version: '8' };
      return true;
    };
    expect((await rotate(store, NAMES, fakeClock())).action).toBe('renewAuthority');
    expect((await rotate(store, NAMES, fakeClock())).action).toBe('keep');
  });

  test.each<[string, string, boolean]>([
    [
      'keeps trusting the authority of the served certificate when the store lost it',
      fresh.authority.certificate,
      true,
    ],
    ['does not trust a certificate that is no authority', fresh.serving.certificate, false],
    ['does not trust a text that is no certificate', 'x', false],
  ])('rotation %s', async (_sentence, served, isKept) => {
    const { bundle } = await rotate(new SharedStore(), NAMES, fakeClock(), served);
    expect(bundle.previousAuthority).toBe(isKept ? served : undefined);
  });

  test('rotation fails when the store never accepts a write', async () => {
    const store: CertStore = { load: async () => ({}), save: async () => false };
    await expect(rotate(store, NAMES, fakeClock())).rejects.toThrow('5 times in a row');
  });
});
