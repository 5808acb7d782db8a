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
const twoWebhooks = () => ({
  webhooks: [
    { name: 'a', clientConfig: { service: {} } },
    { name: 'b', clientConfig: { service: {} } },
  ],
});

function cluster(): TinyKube {
  const kube = new TinyKube();
  kube.put(VALIDATING_WEBHOOKS, VALIDATING, twoWebhooks());
  kube.put(MUTATING_WEBHOOKS, MUTATING, twoWebhooks());
  return kube;
}

function replica(kube: TinyKube, clock = fakeClock()) {
  const served: KeyPair[] = [];
  const rotation = createCertificateRotation(kube, config, {
    clock,
    log: silentLog,
    serve: pair => void served.push(pair),
  });
  return { rotation, served, clock };
}

interface Configuration {
  webhooks: { clientConfig: { caBundle?: string } }[];
}
const bundlesOf = (kube: TinyKube) =>
  [kube.stored(VALIDATING_WEBHOOKS, VALIDATING), kube.stored(MUTATING_WEBHOOKS, MUTATING)].flatMap(found =>
    ((found as Configuration | undefined)?.webhooks ?? []).map(({ clientConfig }) =>
      Buffer.from(clientConfig.caBundle ?? '', 'base64').toString(),
    ),
  );
const certificatesIn = (pem = '') => pem.split('BEGIN CERTIFICATE').length - 1;
const dataOf = (kube: TinyKube) => kube.stored(SECRETS, SECRET)?.data as Record<string, string> | undefined;

describe('the certificate of the webhook', () => {
  test('is issued, stored in a Secret, and its CA bundle published to every webhook of both configurations', async () => {
    const kube = cluster();
    const { rotation, served } = replica(kube);
    expect(rotation.certificateFault()).toBe('no certificate yet');
    await rotation.reconcile();
    expect(rotation.certificateFault()).toBeUndefined();
    expect(served).toHaveLength(1);
    expect(Object.keys(dataOf(kube) ?? {}).toSorted()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    expect(new Set(bundlesOf(kube)).size).toBe(1);
    expect(bundlesOf(kube)).toHaveLength(4);
    expect(certificatesIn(bundlesOf(kube)[0])).toBe(1);
  });

  test('is the same for replicas that start at the same time', async () => {
    const kube = cluster();
    const clock = fakeClock();
    const replicas = [1, 2, 3].map(() => replica(kube, clock));
    await Promise.allSettled(replicas.map(({ rotation }) => rotation.reconcile()));
    await Promise.all(replicas.map(({ rotation }) => rotation.reconcile()));
    expect(new Set(replicas.flatMap(({ served }) => served.map(pair => pair.certificate))).size).toBe(1);
    expect(kube.writes.filter(write => write === 'create Secret')).toHaveLength(1);
  });

  test('causes no writes while nothing is due', async () => {
    const kube = cluster();
    const { rotation, clock } = replica(kube);
    await rotation.reconcile();
    const before = kube.writes.length;
    for (let hour = 0; hour < 24; hour += 1) {
      clock.jumpWallClock(DAY / 24);
      await rotation.reconcile();
    }
    expect(kube.writes).toHaveLength(before);
  });

  test('has its overwritten CA bundle restored by the next reconcile', async () => {
    const kube = cluster();
    const { rotation } = replica(kube);
    await rotation.reconcile();
    const [published] = bundlesOf(kube);
    kube.put(VALIDATING_WEBHOOKS, VALIDATING, twoWebhooks());
    await rotation.reconcile();
    expect(bundlesOf(kube)).toEqual([published, published, published, published]);
  });

  test('is renewed by the same authority after 60 days, and the other replica serves the new one after its next reconcile', async () => {
    const kube = cluster();
    const clock = fakeClock();
    const [one, other] = [replica(kube, clock), replica(kube, clock)];
    await one.rotation.reconcile();
    await other.rotation.reconcile();
    const [published] = bundlesOf(kube);
    clock.jumpWallClock(61 * DAY);
    await one.rotation.reconcile();
    await other.rotation.reconcile();
    expect(one.served).toHaveLength(2);
    expect(other.served).toEqual(one.served);
    expect(bundlesOf(kube)[0]).toBe(published);
  });

  test('of a new authority is served only after the API servers had time to observe both authorities', async () => {
    const kube = cluster();
    const { rotation, served, clock } = replica(kube);
    await rotation.reconcile();
    clock.jumpWallClock(7 * 365 * DAY);
    const reconciling = rotation.reconcile();
    await clock.advance(4_000);
    expect(certificatesIn(bundlesOf(kube)[0])).toBe(2);
    expect(served).toHaveLength(1);
    await clock.advance(2_000);
    await reconciling;
    expect(served).toHaveLength(2);
    clock.jumpWallClock(2 * DAY);
    await rotation.reconcile();
    expect(certificatesIn(bundlesOf(kube)[0])).toBe(1);
    expect(served).toHaveLength(2);
  });

  test('replaces damaged data in the Secret and keeps metadata of other clients', async () => {
    const kube = cluster();
    kube.put(SECRETS, SECRET, { metadata: { labels: { team: 'a' } }, data: { 'tls.crt': 'AAAA' } });
    await replica(kube).rotation.reconcile();
    expect(kube.stored(SECRETS, SECRET)?.metadata).toBeDefined();
    expect(certificatesIn(Buffer.from(dataOf(kube)?.['tls.crt'] ?? '', 'base64').toString())).toBe(1);
  });

  test('is served before the webhook configurations exist', async () => {
    const { rotation, served } = replica(new TinyKube());
    expect(await rotation.reconcile()).toBe(false);
    expect(served).toHaveLength(1);
  });

  test('makes the replica ready only when every configuration has the CA bundle', async () => {
    const kube = new TinyKube();
    kube.put(VALIDATING_WEBHOOKS, VALIDATING, twoWebhooks());
    const { rotation, clock } = replica(kube);
    const stop = new AbortController();
    await rotation.waitForCertificate(stop.signal);
    const running = rotation.run(stop.signal);
    await clock.advance(60_000);
    expect(rotation.certificateFault()).toBeUndefined();
    expect(rotation.publicationFault()).toBe('not yet in every webhook configuration');
    kube.put(MUTATING_WEBHOOKS, MUTATING, twoWebhooks());
    await clock.advance(6_000);
    expect(rotation.publicationFault()).toBeUndefined();
    stop.abort();
    await running;
  });

  test('reports a fault until the CA bundle was published, but none when the API server is unavailable later', async () => {
    let isAvailable = false;
    const bundle = issueAll(['webhook'], fakeClock().now());
    const rotation = new CertificateRotation({
      store: { load: async () => ({ bundle, version: '1' }), save: async () => true },
      publish: async () => {
        if (!isAvailable) throw new KubeError(503, 'unavailable');
        return { both: 'unchanged' };
      },
      serve: () => undefined,
      dnsNames: ['webhook'],
      clock: fakeClock(),
      log: silentLog,
    });
    await rotation.waitForCertificate(new AbortController().signal);
    expect([rotation.certificateFault(), rotation.publicationFault()]).toEqual([
      undefined,
      'not yet in every webhook configuration',
    ]);
    isAvailable = true;
    expect(await rotation.reconcile()).toBe(true);
    isAvailable = false;
    await expect(rotation.reconcile()).rejects.toThrow('unavailable');
    expect(rotation.publicationFault()).toBeUndefined();
  });

  test('of each replica stays trusted after the Secret is deleted', async () => {
    const kube = cluster();
    const clock = fakeClock();
    const replicas = [replica(kube, clock), replica(kube, clock)];
    for (const { rotation } of replicas) await rotation.reconcile();
    kube.objects.delete(`secrets/${SECRET.namespace}/${SECRET.name}`);
    const stop = new AbortController();
    const running: Promise<void>[] = [];
    const untrusted: number[] = [];
    for (let second = 0; second < 150; second += 1) {
      /* The replicas reconcile at different times: the second starts half a minute later. */
      const next = second % 30 === 0 ? replicas[second / 30] : undefined;
      if (next) running.push(next.rotation.run(stop.signal));
      await clock.advance(1_000);
      const authorities = bundlesOf(kube).map(text => text.split(/(?<=-----END CERTIFICATE-----\n)/));
      const current = replicas.map(({ served }) => served.at(-1)?.certificate ?? '');
      const trusted = current.every(certificate =>
        authorities.every(bundle => bundle.some(authority => isSignedBy(certificate, authority))),
      );
      if (!trusted) untrusted.push(second);
    }
    expect(untrusted).toEqual([]);
    expect(replicas.map(({ served }) => served.length)).toEqual([2, 2]);
    expect(replicas[0]?.served[1]).toEqual(replicas[1]?.served[1]);
    stop.abort();
    await Promise.all(running);
  });

  test('from another client in the Secret is served immediately when the bundle no longer trusts the previous authority', async () => {
    const kube = cluster();
    const { rotation, served } = replica(kube);
    await rotation.reconcile();
    const other = new TinyKube();
    await replica(other).rotation.reconcile();
    kube.put(SECRETS, SECRET, { data: dataOf(other) });
    await rotation.reconcile();
    expect(served).toHaveLength(2);
    expect(certificatesIn(bundlesOf(kube)[0])).toBe(1);
  });

  test('is waited for while the API server is unavailable, and kept during a later outage', async () => {
    const kube = cluster();
    const { rotation, served, clock } = replica(kube);
    const stop = new AbortController();
    kube.fault = new KubeError(503, 'unavailable');
    const first = rotation.waitForCertificate(stop.signal);
    await clock.advance(20_000);
    expect(served).toHaveLength(0);
    kube.fault = undefined;
    await clock.advance(6_000);
    await first;
    expect(served).toHaveLength(1);
    kube.fault = new KubeError(503, 'unavailable');
    const running = rotation.run(stop.signal);
    await clock.advance(120_000);
    expect(rotation.certificateFault()).toBeUndefined();
    stop.abort();
    await clock.advance(0);
    await running;
  });

  test('makes the replica unready when it has expired', async () => {
    const { rotation, clock } = replica(cluster());
    await rotation.reconcile();
    clock.jumpWallClock(100 * DAY);
    expect(rotation.certificateFault()).toMatch(/^expired at 2026-03-3/);
  });
});
