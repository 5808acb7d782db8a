import { describe, expect, test } from '@jest/globals';
import type { KeyPair } from '../../certs/bundle.js';
import { isSignedBy } from '../../certs/inspect.js';
import { issueAll } from '../../certs/issue.js';
import { KubeError } from '../../kube/errors.js';
import { MUTATING_WEBHOOKS, SECRETS, VALIDATING_WEBHOOKS } from '../../kube/resources.js';
import { silentLog } from '../../program/log.js';
import { CertificateRotation } from '../../webhook/certificate-rotation.js';
import { readConfig } from '../../webhook/config.js';
import { createCertificateRotation } from '../../webhook/connect.js';
import { fakeClock } from '../fakes/clock.js';
import { TinyKube } from './tiny-kube.js';

const DAY = 86_400_000;
const config = readConfig({ EXTRA_NAMES: 'localhost' }, []);
const SECRET = { name: config.secretName, namespace: config.podNamespace };
const VALIDATING = { name: config.validatingConfiguration };
const MUTATING = { name: config.mutatingConfiguration };
const two = () => ({
  webhooks: [
    { name: 'a', clientConfig: { service: {} } },
    { name: 'b', clientConfig: { service: {} } },
  ],
});

function cluster(): TinyKube {
  const kube = new TinyKube();
  kube.put(VALIDATING_WEBHOOKS, VALIDATING, two());
  kube.put(MUTATING_WEBHOOKS, MUTATING, two());
  return kube;
}

function replica(kube: TinyKube, clock = fakeClock()) {
  const shown: KeyPair[] = [];
  const keeper = createCertificateRotation(kube, config, {
    clock,
    log: silentLog,
    show: pair => void shown.push(pair),
  });
  return { keeper, shown, clock };
}

interface Hooks {
  webhooks: { clientConfig: { caBundle?: string } }[];
}
const bundlesOf = (kube: TinyKube) =>
  [kube.look(VALIDATING_WEBHOOKS, VALIDATING), kube.look(MUTATING_WEBHOOKS, MUTATING)].flatMap(found =>
    ((found as Hooks | undefined)?.webhooks ?? []).map(({ clientConfig }) =>
      Buffer.from(clientConfig.caBundle ?? '', 'base64').toString(),
    ),
  );
const certificatesIn = (pem = '') => pem.split('BEGIN CERTIFICATE').length - 1;
const dataOf = (kube: TinyKube) => kube.look(SECRETS, SECRET)?.data as Record<string, string> | undefined;

describe('the certificate of the webhook', () => {
  test('is made, kept in a Secret, and its authority told in every webhook of both configurations', async () => {
    const kube = cluster();
    const { keeper, shown } = replica(kube);
    expect(keeper.certificateFault()).toBe('there is none yet');
    await keeper.reconcile();
    expect(keeper.certificateFault()).toBeUndefined();
    expect(shown).toHaveLength(1);
    expect(Object.keys(dataOf(kube) ?? {}).toSorted()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    expect(new Set(bundlesOf(kube)).size).toBe(1);
    expect(bundlesOf(kube)).toHaveLength(4);
    expect(certificatesIn(bundlesOf(kube)[0])).toBe(1);
  });

  test('is the same for replicas that start together', async () => {
    const kube = cluster();
    const clock = fakeClock();
    const replicas = [1, 2, 3].map(() => replica(kube, clock));
    await Promise.allSettled(replicas.map(({ keeper }) => keeper.reconcile()));
    await Promise.all(replicas.map(({ keeper }) => keeper.reconcile()));
    expect(new Set(replicas.flatMap(({ shown }) => shown.map(pair => pair.certificate))).size).toBe(1);
    expect(kube.writes.filter(write => write === 'create Secret')).toHaveLength(1);
  });

  test('nothing is written while nothing is due', async () => {
    const kube = cluster();
    const { keeper, clock } = replica(kube);
    await keeper.reconcile();
    const before = kube.writes.length;
    for (let hour = 0; hour < 24; hour += 1) {
      clock.jumpWallClock(DAY / 24);
      await keeper.reconcile();
    }
    expect(kube.writes).toHaveLength(before);
  });

  test('an authority that somebody overwrote is mended by the next look', async () => {
    const kube = cluster();
    const { keeper } = replica(kube);
    await keeper.reconcile();
    const [told] = bundlesOf(kube);
    kube.put(VALIDATING_WEBHOOKS, VALIDATING, two());
    await keeper.reconcile();
    expect(bundlesOf(kube)).toEqual([told, told, told, told]);
  });

  test('is renewed under the same authority after 60 days, and the other replica shows the new one at its next look', async () => {
    const kube = cluster();
    const clock = fakeClock();
    const [one, other] = [replica(kube, clock), replica(kube, clock)];
    await one.keeper.reconcile();
    await other.keeper.reconcile();
    const [told] = bundlesOf(kube);
    clock.jumpWallClock(61 * DAY);
    await one.keeper.reconcile();
    await other.keeper.reconcile();
    expect(one.shown).toHaveLength(2);
    expect(other.shown).toEqual(one.shown);
    expect(bundlesOf(kube)[0]).toBe(told);
  });

  test('under a new authority is shown only after the API servers could hear of both', async () => {
    const kube = cluster();
    const { keeper, shown, clock } = replica(kube);
    await keeper.reconcile();
    clock.jumpWallClock(7 * 365 * DAY);
    const looking = keeper.reconcile();
    await clock.advance(4_000);
    expect(certificatesIn(bundlesOf(kube)[0])).toBe(2);
    expect(shown).toHaveLength(1);
    await clock.advance(2_000);
    await looking;
    expect(shown).toHaveLength(2);
    clock.jumpWallClock(2 * DAY);
    await keeper.reconcile();
    expect(certificatesIn(bundlesOf(kube)[0])).toBe(1);
    expect(shown).toHaveLength(2);
  });

  test('replaces what is damaged in the Secret and leaves what others put there', async () => {
    const kube = cluster();
    kube.put(SECRETS, SECRET, { metadata: { labels: { team: 'a' } }, data: { 'tls.crt': 'AAAA' } });
    await replica(kube).keeper.reconcile();
    expect(kube.look(SECRETS, SECRET)?.metadata).toBeDefined();
    expect(certificatesIn(Buffer.from(dataOf(kube)?.['tls.crt'] ?? '', 'base64').toString())).toBe(1);
  });

  test('needs no webhook configuration to be there yet', async () => {
    const { keeper, shown } = replica(new TinyKube());
    expect(await keeper.reconcile()).toBe(false);
    expect(shown).toHaveLength(1);
  });

  test('makes the replica ready only once every configuration has its authority', async () => {
    const kube = new TinyKube();
    kube.put(VALIDATING_WEBHOOKS, VALIDATING, two());
    const { keeper, clock } = replica(kube);
    const stop = new AbortController();
    await keeper.waitForCertificate(stop.signal);
    const keeping = keeper.run(stop.signal);
    await clock.advance(60_000);
    expect(keeper.certificateFault()).toBeUndefined();
    expect(keeper.publicationFault()).toBe('not yet in every webhook configuration');
    kube.put(MUTATING_WEBHOOKS, MUTATING, two());
    await clock.advance(6_000);
    expect(keeper.publicationFault()).toBeUndefined();
    stop.abort();
    await keeping;
  });

  test('is not ready while its authority cannot be written, and stays ready when the API server is away later', async () => {
    let published = false;
    const bundle = issueAll(['webhook'], fakeClock().now());
    const keeper = new CertificateRotation({
      store: { load: async () => ({ bundle, version: '1' }), save: async () => true },
      publish: async () => {
        if (!published) throw new KubeError(503, 'away');
        return { both: 'same' };
      },
      show: () => undefined,
      dnsNames: ['webhook'],
      clock: fakeClock(),
      log: silentLog,
    });
    await keeper.waitForCertificate(new AbortController().signal);
    expect([keeper.certificateFault(), keeper.publicationFault()]).toEqual([
      undefined,
      'not yet in every webhook configuration',
    ]);
    published = true;
    expect(await keeper.reconcile()).toBe(true);
    published = false;
    await expect(keeper.reconcile()).rejects.toThrow('away');
    expect(keeper.publicationFault()).toBeUndefined();
  });

  test('of a replica is trusted at every moment after the Secret was deleted', async () => {
    const kube = cluster();
    const clock = fakeClock();
    const replicas = [replica(kube, clock), replica(kube, clock)];
    for (const { keeper } of replicas) await keeper.reconcile();
    kube.objects.delete(`secrets/${SECRET.namespace}/${SECRET.name}`);
    const stop = new AbortController();
    const keeping: Promise<void>[] = [];
    const untrusted: number[] = [];
    for (let second = 0; second < 150; second += 1) {
      /* They look at different moments: the other one half a minute later. */
      const next = second % 30 === 0 ? replicas[second / 30] : undefined;
      if (next) keeping.push(next.keeper.run(stop.signal));
      await clock.advance(1_000);
      const authorities = bundlesOf(kube).map(text => text.split(/(?<=-----END CERTIFICATE-----\n)/));
      const served = replicas.map(({ shown }) => shown.at(-1)?.certificate ?? '');
      const trusted = served.every(one => authorities.every(some => some.some(each => isSignedBy(one, each))));
      if (!trusted) untrusted.push(second);
    }
    expect(untrusted).toEqual([]);
    expect(replicas.map(({ shown }) => shown.length)).toEqual([2, 2]);
    expect(replicas[0]?.shown[1]).toEqual(replicas[1]?.shown[1]);
    stop.abort();
    await Promise.all(keeping);
  });

  test('put into the Secret by somebody else is shown at once when it no longer trusts the one before', async () => {
    const kube = cluster();
    const { keeper, shown } = replica(kube);
    await keeper.reconcile();
    const other = new TinyKube();
    await replica(other).keeper.reconcile();
    kube.put(SECRETS, SECRET, { data: dataOf(other) });
    await keeper.reconcile();
    expect(shown).toHaveLength(2);
    expect(certificatesIn(bundlesOf(kube)[0])).toBe(1);
  });

  test('is waited for while the API server is away, and kept while it is away later', async () => {
    const kube = cluster();
    const { keeper, shown, clock } = replica(kube);
    const stop = new AbortController();
    kube.fault = new KubeError(503, 'away');
    const first = keeper.waitForCertificate(stop.signal);
    await clock.advance(20_000);
    expect(shown).toHaveLength(0);
    kube.fault = undefined;
    await clock.advance(6_000);
    await first;
    expect(shown).toHaveLength(1);
    kube.fault = new KubeError(503, 'away');
    const keeping = keeper.run(stop.signal);
    await clock.advance(120_000);
    expect(keeper.certificateFault()).toBeUndefined();
    stop.abort();
    await clock.advance(0);
    await keeping;
  });

  test('that has ended makes the replica unready', async () => {
    const { keeper, clock } = replica(cluster());
    await keeper.reconcile();
    clock.jumpWallClock(100 * DAY);
    expect(keeper.certificateFault()).toMatch(/^ended 2026-03-3/);
  });
});
