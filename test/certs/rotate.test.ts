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
const BORN = new Date('2026-01-01T00:00:00.000Z');
const after = (ms: number) => new Date(BORN.getTime() + ms);
const fresh = issueAll(NAMES, BORN);
const renewed = issueAll(NAMES, BORN, issueAuthority(BORN).certificate);

describe('what is due', () => {
  test.each<[string, CertificateBundle | undefined, Date, string]>([
    ['everything, when there is nothing', undefined, BORN, 'renewAuthority'],
    ['nothing, right after issuing', fresh, BORN, 'keep'],
    ['nothing, just before two thirds of 90 days', fresh, after(59 * DAY - 1000), 'keep'],
    ['the serving certificate, at two thirds of 90 days', fresh, after(59 * DAY), 'renewServing'],
    ['the serving certificate, when it is over', fresh, after(91 * DAY), 'renewServing'],
    ['the authority, at two thirds of ten years', fresh, after((3650 * DAY * 2) / 3 - DAY), 'renewAuthority'],
    ['the authority, when it is over', fresh, after(3651 * DAY), 'renewAuthority'],
    ['everything, when it was issued by a clock far ahead', fresh, after(-25 * HOUR), 'renewAuthority'],
    ['nothing, within a day of a new authority', renewed, after(DAY - 1000), 'keep'],
    ['the old authority goes, a day after the new one', renewed, after(DAY), 'forgetPrevious'],
    [
      'the authority, when it is no certificate',
      { ...fresh, authority: { certificate: 'x', key: 'x' } },
      BORN,
      'renewAuthority',
    ],
    ['the authority, when it may not sign', { ...fresh, authority: fresh.serving }, BORN, 'renewAuthority'],
    [
      'the authority, when its key is another one',
      { ...fresh, authority: { ...fresh.authority, key: fresh.serving.key } },
      BORN,
      'renewAuthority',
    ],
    [
      'the serving certificate, when it is none',
      { ...fresh, serving: { certificate: '', key: '' } },
      BORN,
      'renewServing',
    ],
    [
      'the serving certificate, when its key is another one',
      { ...fresh, serving: { ...fresh.serving, key: renewed.serving.key } },
      BORN,
      'renewServing',
    ],
    [
      'the serving certificate, when another authority signed it',
      { ...fresh, serving: renewed.serving },
      BORN,
      'renewServing',
    ],
  ])('%s', (_sentence, held, now, action) => expect(certAction(held, NAMES, now)).toBe(action));

  test('the serving certificate, when the Service has another name', () =>
    expect(certAction(fresh, ['other.operator-system.svc'], BORN)).toBe('renewServing'));

  test('two thirds are meant exactly', () => {
    const look = { serial: '1', notBefore: BORN, notAfter: after(300), dnsNames: [], isAuthority: false };
    expect(isRenewalDue(look, after(199))).toBe(false);
    expect(isRenewalDue(look, after(200))).toBe(true);
  });
});

/** One Secret with versions, seen by several replicas. */
class SharedStore implements CertStore {
  held: StoredBundle = {};
  saves = 0;

  async load(): Promise<StoredBundle> {
    await new Promise(resolve => setImmediate(resolve));
    return this.held;
  }

  async save(bundle: CertificateBundle, insteadOf: string | undefined): Promise<boolean> {
    await new Promise(resolve => setImmediate(resolve));
    if (insteadOf !== this.held.version) return false;
    this.saves += 1;
    this.held = { bundle, version: String(this.saves) };
    return true;
  }
}

describe('rotation', () => {
  test('replicas that race over an empty store agree', async () => {
    const store = new SharedStore();
    const clock = fakeClock();
    const all = await Promise.all([1, 2, 3].map(() => rotate(store, NAMES, clock)));
    expect(store.saves).toBe(1);
    expect(new Set(all.map(one => one.bundle.serving.certificate)).size).toBe(1);
    expect(all.map(one => one.action).filter(action => action !== 'keep')).toEqual(['renewAuthority']);
  });

  test('over thirteen years some authority in the trusted text has always signed what any replica still serves', async () => {
    const store = new SharedStore();
    const clock = fakeClock();
    const actions: string[] = [];
    const untrusted: number[] = [];
    let shown: string | undefined;
    for (let day = 0; day < 13 * 365; day += 5) {
      const { bundle, action } = await rotate(store, NAMES, clock);
      const authorities = trustBundle(bundle).split(/(?<=-----END CERTIFICATE-----\n)/);
      const served = shown ?? bundle.serving.certificate;
      if (!authorities.some(one => isSignedBy(served, one))) untrusted.push(day);
      actions.push(action);
      shown = bundle.serving.certificate;
      clock.jump(5 * DAY);
    }
    expect(untrusted).toEqual([]);
    expect(actions.filter(action => action === 'renewAuthority')).toHaveLength(2);
    expect(actions.filter(action => action === 'forgetPrevious')).toHaveLength(1);
    expect(actions.filter(action => action === 'renewServing').length).toBeGreaterThan(70);
  }, 60_000);

  test('something unreadable in the store is replaced', async () => {
    const store = new SharedStore();
    store.held = { version: '7' };
    store.save = async (bundle, insteadOf) => {
      expect(insteadOf).toBe('7');
      store.held = { bundle, version: '8' };
      return true;
    };
    expect((await rotate(store, NAMES, fakeClock())).action).toBe('renewAuthority');
    expect((await rotate(store, NAMES, fakeClock())).action).toBe('keep');
  });

  test.each<[string, string, boolean]>([
    [
      'the authority that is still served under stays trusted when the store lost it',
      fresh.authority.certificate,
      true,
    ],
    ['what is no authority is not trusted', fresh.serving.certificate, false],
    ['what is no certificate is not trusted', 'x', false],
  ])('%s', async (_sentence, served, kept) => {
    const { bundle } = await rotate(new SharedStore(), NAMES, fakeClock(), served);
    expect(bundle.previousAuthority).toBe(kept ? served : undefined);
  });

  test('a store that never takes anything ends in an error, not in a loop', async () => {
    const store: CertStore = { load: async () => ({}), save: async () => false };
    await expect(rotate(store, NAMES, fakeClock())).rejects.toThrow('5 times in a row');
  });
});
