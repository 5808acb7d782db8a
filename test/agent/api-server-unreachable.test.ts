/** The API server is unreachable for a long time, and a running agent meets other certificates, tokens and schemas. */
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
import { HttpsApiServer } from '../fakes/https-api-server.js';
import { fakeClock, type FakeClock } from '../fakes/clock.js';
import { bootIdOf, type FakeHost, fakeHost, KAIROS_RELEASE } from '../fakes/host.js';
import { until } from '../kube/samples.js';
import { rebootRequested, nodeAgent, rebootWithdrawn } from './builders.js';
import { kubeOf, SENTINEL, SingleNodeCluster } from './simulation.js';

const MINUTE = 60_000;
let host: FakeHost;
let clock: FakeClock;
let cluster: SingleNodeCluster;
let listTimes: number[];
let stop: AbortController;
let running: Promise<void>;
let server: HttpsApiServer;
let client: KubeClient | undefined;

/** A watch that reports nothing until it is aborted. */
const silentWatch: Kube['watch'] = (_resource, _query, signal) => ({
  [Symbol.asyncIterator]: () => ({
    next: () =>
      new Promise((_resolve, reject) => {
        if (signal.aborted) reject(new Error('aborted'));
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      }),
  }),
});

beforeEach(async () => {
  server = await HttpsApiServer.start();
  host = fakeHost({ '/etc/kairos-release': KAIROS_RELEASE, [SENTINEL]: `${bootIdOf(1)}\n` });
  clock = fakeClock('2026-01-01T00:10:00.000Z');
  listTimes = [];
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await running;
  client?.close();
  await server.stop();
});

/** Starts an agent and records when it sends list requests, whether or not they arrive. */
function start(agent: NodeAgent): void {
  cluster = new SingleNodeCluster(agent);
  const kube = kubeOf(cluster, silentWatch);
  const list: Kube['list'] = (resource, query) => {
    listTimes.push(clock.monotonic());
    return kube.list(resource, query);
  };
  const deps = { host, clock, log: silentLog, nodeName: 'n1', agentVersion: '1', random: () => 0.5 };
  running = runAgent({ ...deps, kube: { ...kube, list } }, stop.signal);
}
const reboot = () => cluster.agent.status?.operation?.reboot;

describe('an agent that starts while the API server is unreachable', () => {
  const stayUnreachable = async (ms: number) => {
    cluster.isUnreachable = true;
    await clock.advance(ms);
    expect(cluster.requests).toEqual([]);
  };

  test('retries with back-off, at most every 15 s in the long run', async () => {
    start(nodeAgent());
    await stayUnreachable(60 * MINUTE);
    const pauses = listTimes.slice(1).map((at, index) => at - (listTimes[index] ?? 0));
    expect(listTimes.length).toBeLessThanOrEqual(4 * 60 + 6);
    expect(listTimes.length).toBeGreaterThan(100);
    expect(pauses.slice(8).every(pause => pause >= 15_000 && pause <= 30_000)).toBe(true);
    cluster.isUnreachable = false;
    await clock.advance(30_000);
    expect(cluster.agent.status?.release?.version).toBe('v3.5.0');
  });

  test('retries at other times than the other agents of a fleet', async () => {
    start(nodeAgent());
    await stayUnreachable(10 * MINUTE);
    const previous = [...listTimes];
    stop.abort();
    await running;
    listTimes = [];
    stop = new AbortController();
    start(nodeAgent());
    await stayUnreachable(10 * MINUTE);
    const firstTime = listTimes[0] ?? 0;
    expect(listTimes.slice(1).map(at => at - firstTime)).not.toEqual(previous.slice(1));
  });

  test('does not repeat a reboot that happened, and reports it afterwards', async () => {
    start(nodeAgent({ operation: rebootRequested() }));
    await clock.advance(1_000);
    expect(host.rebootCalls).toEqual([bootIdOf(1)]); // the fake host reboots at once
    stop.abort();
    await running;
    stop = new AbortController();
    start(nodeAgent({ operation: rebootRequested() }));
    await stayUnreachable(60 * MINUTE);
    cluster.isUnreachable = false;
    await clock.advance(30_000);
    expect(host.rebootCalls).toEqual([bootIdOf(1)]);
    expect(reboot()).toMatchObject({ state: 'Rebooted', bootIdAfter: bootIdOf(2) });
  });

  test('does not repeat a reboot that had no effect and was withdrawn meanwhile', async () => {
    host.set({ rebootsWhenAsked: false });
    start(nodeAgent({ operation: rebootRequested() }));
    await clock.advance(1_000);
    stop.abort();
    await running;
    stop = new AbortController();
    start(nodeAgent({ operation: rebootWithdrawn() }));
    await stayUnreachable(60 * MINUTE);
    cluster.isUnreachable = false;
    await clock.advance(30_000);
    expect(host.rebootCalls).toHaveLength(1);
    expect(reboot()?.state).toBe('Cancelled');
  });
});

test('the agent reboots once and reports it when the API server is unreachable from the request until after the reboot', async () => {
  host.set({ rebootsWhenAsked: false });
  start(nodeAgent({ operation: rebootRequested() }));
  cluster.onWrite = () => void (cluster.isUnreachable = true); // the first write already fails
  await clock.advance(20_000);
  expect(host.rebootCalls).toHaveLength(1);
  await clock.advance(40 * MINUTE);
  expect(host.rebootCalls).toHaveLength(1);
  host.restart();
  cluster.onWrite = () => undefined;
  cluster.isUnreachable = false;
  await clock.advance(MINUTE);
  expect(host.rebootCalls).toHaveLength(1);
  expect(reboot()?.state).toBe('Rebooted');
});

test('the agent waits without requests for its NodeAgent, and serves it once it is created', async () => {
  client = createKube(server.connection(), { userAgent: 'test' });
  const deps = { host, clock, log: silentLog, nodeName: 'n1', agentVersion: '1', kube: client };
  running = runAgent(deps, stop.signal);
  await until(() => server.openWatches === 1);
  await clock.advance(15 * MINUTE);
  expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'GET']);
  server.store.create({ collection: 'v1/nodes' }, { metadata: { name: 'n1' } });
  server.store.create(
    { collection: 'operator.kairos.io/v1alpha1/nodeagents' },
    {
      metadata: { name: 'n1' },
      spec: { labels: true, unknownField: 1, operation: { ...rebootRequested(), unknownField: {} } },
    },
  );
  await until(() => host.rebootCalls.length === 1);
});

test('the agent writes a status field that an older CRD prunes once, not in every reconciliation', async () => {
  start(nodeAgent());
  cluster.onWrite = () => undefined;
  const change = cluster.change.bind(cluster);
  cluster.change = edit =>
    change(agent => {
      const { contract: _dropped, ...status } = { ...edit(agent).status };
      return { ...edit(agent), status };
    });
  await clock.advance(30 * MINUTE);
  expect(cluster.requests.filter(request => request === 'patch nodeagents')).toHaveLength(1);
  await host.write('/etc/kairos-release', KAIROS_RELEASE.replace('v3.5.0', 'v3.6.0'));
  await clock.advance(MINUTE);
  expect(cluster.requests.filter(request => request === 'patch nodeagents')).toHaveLength(2);
  expect(cluster.agent.status?.release?.version).toBe('v3.6.0');
});

describe('credentials that the kubelet renews', () => {
  test('are used within two minutes, the token and the CA certificate', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'account-'));
    writeFileSync(join(dir, 'token'), 'old');
    writeFileSync(join(dir, 'ca.crt'), 'of a CA that was replaced');
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(server.port) };
    const monotonic = () => clock.monotonic();
    client = createKube(inCluster({ env, dir, monotonic }), { userAgent: 'test' });
    running = runAgent({ host, clock, log: silentLog, nodeName: 'n1', agentVersion: '1', kube: client }, stop.signal);
    await clock.advance(5_000);
    expect(server.requests).toEqual([]);
    writeFileSync(join(dir, 'token'), 'new');
    writeFileSync(join(dir, 'ca.crt'), server.ca);
    for (let second = 0; second < 120 && server.openWatches === 0; second += 1) {
      await clock.advance(1_000);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    expect(server.openWatches).toBe(1);
    expect(new Set(server.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer new']));
    rmSync(dir, { recursive: true });
  });
});
