/** The API server is away, for long; and a program that lives on with other certificates, other tokens, other schemas. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runAgent } from '../../agent/agent.js';
import type { NodeAgent } from '../../api/objects.js';
import { createKube, type KubeClient } from '../../kube/client.js';
import { inCluster } from '../../kube/connection.js';
import type { Kube } from '../../kube/kube.js';
import { silentLog } from '../../program/log.js';
import { ApiServer } from '../fakes/api-server.js';
import { fakeClock, type FakeClock } from '../fakes/clock.js';
import { bootIdOf, type FakeHost, fakeHost, KAIROS_RELEASE } from '../fakes/host.js';
import { until } from '../kube/samples.js';
import { asked, nodeAgent, withdrawn } from './builders.js';
import { kubeOf, SENTINEL, SmallCluster } from './story.js';

const MINUTE = 60_000;
let host: FakeHost;
let clock: FakeClock;
let cluster: SmallCluster;
let asks: number[];
let stop: AbortController;
let running: Promise<void>;
let server: ApiServer;
let client: KubeClient | undefined;

/** A watch that stays quiet until it is told to end. */
const quiet: Kube['watch'] = (_resource, _query, signal) => ({
  [Symbol.asyncIterator]: () => ({
    next: () =>
      new Promise((_resolve, reject) => {
        if (signal.aborted) reject(new Error('aborted'));
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      }),
  }),
});

beforeEach(async () => {
  server = await ApiServer.start();
  host = fakeHost({ '/etc/kairos-release': KAIROS_RELEASE, [SENTINEL]: `${bootIdOf(1)}\n` });
  clock = fakeClock('2026-01-01T00:10:00.000Z');
  asks = [];
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await running;
  client?.close();
  await server.stop();
});

/** Counts what the agent asks for, whether or not it gets there. */
function start(agent: NodeAgent): void {
  cluster = new SmallCluster(agent);
  const kube = kubeOf(cluster, quiet);
  const list: Kube['list'] = (resource, query) => {
    asks.push(clock.monotonic());
    return kube.list(resource, query);
  };
  const around = { host, clock, log: silentLog, nodeName: 'n1', agentVersion: '1', random: () => 0.5 };
  running = runAgent({ ...around, kube: { ...kube, list } }, stop.signal);
}
const reboot = () => cluster.agent.status?.operation?.reboot;

describe('the API server is away for an hour when the agent starts', () => {
  const awayFor = async (ms: number) => {
    cluster.away = true;
    await clock.advance(ms);
    expect(cluster.requests).toEqual([]);
  };

  test('it neither ends nor asks in a circle: slower and slower, at most every 15 s in the long run', async () => {
    start(nodeAgent());
    await awayFor(60 * MINUTE);
    const pauses = asks.slice(1).map((at, index) => at - (asks[index] ?? 0));
    expect(asks.length).toBeLessThanOrEqual(4 * 60 + 6);
    expect(asks.length).toBeGreaterThan(100);
    expect(pauses.slice(8).every(pause => pause >= 15_000 && pause <= 30_000)).toBe(true);
    cluster.away = false;
    await clock.advance(30_000);
    expect(cluster.agent.status?.release?.version).toBe('v3.5.0');
  });

  test('agents of one fleet do not come back together', async () => {
    start(nodeAgent());
    await awayFor(10 * MINUTE);
    const first = [...asks];
    stop.abort();
    await running;
    asks = [];
    stop = new AbortController();
    start(nodeAgent());
    await awayFor(10 * MINUTE);
    const begin = asks[0] ?? 0;
    expect(asks.slice(1).map(at => at - begin)).not.toEqual(first.slice(1));
  });

  test('a reboot that was begun is neither called again nor forgotten', async () => {
    start(nodeAgent({ operation: asked() }));
    await clock.advance(1_000);
    expect(host.calls).toEqual([bootIdOf(1)]); // and the machine is up again
    stop.abort();
    await running;
    stop = new AbortController();
    start(nodeAgent({ operation: asked() }));
    await awayFor(60 * MINUTE);
    cluster.away = false;
    await clock.advance(30_000);
    expect(host.calls).toEqual([bootIdOf(1)]);
    expect(reboot()).toMatchObject({ state: 'Rebooted', bootIdAfter: bootIdOf(2) });
  });

  test('what was begun, not obeyed, and withdrawn meanwhile is not done', async () => {
    host.set({ obeys: false });
    start(nodeAgent({ operation: asked() }));
    await clock.advance(1_000);
    stop.abort();
    await running;
    stop = new AbortController();
    start(nodeAgent({ operation: withdrawn() }));
    await awayFor(60 * MINUTE);
    cluster.away = false;
    await clock.advance(30_000);
    expect(host.calls).toHaveLength(1);
    expect(reboot()?.state).toBe('Cancelled');
  });
});

test('away from right after the ask until long after the reboot: one reboot, and the truth once it is back', async () => {
  host.set({ obeys: false });
  start(nodeAgent({ operation: asked() }));
  cluster.onWrite = () => void (cluster.away = true); // its first write is already lost
  await clock.advance(20_000);
  expect(host.calls).toHaveLength(1);
  await clock.advance(40 * MINUTE);
  expect(host.calls).toHaveLength(1);
  host.restart();
  cluster.onWrite = () => undefined;
  cluster.away = false;
  await clock.advance(MINUTE);
  expect(host.calls).toHaveLength(1);
  expect(reboot()?.state).toBe('Rebooted');
});

test('no NodeAgent yet: nothing is written, nothing is asked again; it is done when one appears', async () => {
  client = createKube(server.connection(), { userAgent: 'test' });
  const around = { host, clock, log: silentLog, nodeName: 'n1', agentVersion: '1', kube: client };
  running = runAgent(around, stop.signal);
  await until(() => server.watching === 1);
  await clock.advance(15 * MINUTE);
  expect(server.seen.map(({ method }) => method)).toEqual(['GET', 'GET']);
  server.store.create({ collection: 'v1/nodes' }, { metadata: { name: 'n1' } });
  server.store.create(
    { collection: 'operator.kairos.io/v1alpha1/nodeagents' },
    { metadata: { name: 'n1' }, spec: { labels: true, unheardOf: 1, operation: { ...asked(), unheardOf: {} } } },
  );
  await until(() => host.calls.length === 1);
});

test('a CRD older than the agent drops what it does not know: said once, not in every look', async () => {
  start(nodeAgent());
  cluster.onWrite = () => undefined;
  const take = cluster.change.bind(cluster);
  cluster.change = by =>
    take(agent => {
      const { contract: _dropped, ...status } = { ...by(agent).status };
      return { ...by(agent), status };
    });
  await clock.advance(30 * MINUTE);
  expect(cluster.requests.filter(one => one === 'patch nodeagents')).toHaveLength(1);
  await host.write('/etc/kairos-release', KAIROS_RELEASE.replace('v3.5.0', 'v3.6.0'));
  await clock.advance(MINUTE);
  expect(cluster.requests.filter(one => one === 'patch nodeagents')).toHaveLength(2);
  expect(cluster.agent.status?.release?.version).toBe('v3.6.0');
});

describe('what the kubelet renews while the agent runs', () => {
  test('token and authority: the new ones are used within a minute', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'account-'));
    writeFileSync(join(dir, 'token'), 'old');
    writeFileSync(join(dir, 'ca.crt'), 'of an authority that is no more');
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(server.port) };
    const monotonic = () => clock.monotonic();
    client = createKube(inCluster({ env, dir, monotonic }), { userAgent: 'test' });
    running = runAgent({ host, clock, log: silentLog, nodeName: 'n1', agentVersion: '1', kube: client }, stop.signal);
    await clock.advance(5_000);
    expect(server.seen).toEqual([]);
    writeFileSync(join(dir, 'token'), 'new');
    writeFileSync(join(dir, 'ca.crt'), server.ca);
    for (let second = 0; second < 120 && server.watching === 0; second += 1) {
      await clock.advance(1_000);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    expect(server.watching).toBe(1);
    expect(new Set(server.seen.map(one => one.headers.authorization))).toEqual(new Set(['Bearer new']));
    rmSync(dir, { recursive: true });
  });
});
