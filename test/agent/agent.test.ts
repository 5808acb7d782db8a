/** The whole agent over a real connection to a small API server. The clock stands still unless a test advances it, so reactions without that come from a watch. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runAgent } from '../../agent/agent.js';
import { KAIROS_STATE_DIR } from '../../api/names.js';
import type { NodeAgentSpec, NodeAgentStatus } from '../../api/node-agent.js';
import { createKube, type KubeClient } from '../../kube/client.js';
import { silentLog } from '../../program/log.js';
import { HttpsApiServer } from '../fakes/https-api-server.js';
import { type FakeClock, fakeClock } from '../fakes/clock.js';
import { bootIdOf, type FakeHost, fakeHost, KAIROS_RELEASE } from '../fakes/host.js';
import { until } from '../kube/samples.js';
import { rebootRequested, JOB, operation } from './builders.js';

const AGENTS = { collection: 'operator.kairos.io/v1alpha1/nodeagents' };
const NODES = { collection: 'v1/nodes' };
const SENTINEL = `${KAIROS_STATE_DIR}/${JOB}-1767225600`;

let server: HttpsApiServer;
let kube: KubeClient;
let host: FakeHost;
let clock: FakeClock;
let stop: AbortController;
let running: Promise<void>;
let reconciliations = 0;

beforeEach(async () => {
  server = await HttpsApiServer.start();
  kube = createKube(server.connection(), { userAgent: 'test' });
  host = fakeHost();
  clock = fakeClock('2026-01-01T00:10:00.000Z');
  stop = new AbortController();
  reconciliations = 0;
});
afterEach(async () => {
  stop.abort();
  await running;
  kube.close();
  await server.stop();
});

const start = async () => {
  const onReconciled = () => void (reconciliations += 1);
  running = runAgent(
    { kube, host, clock, log: silentLog, nodeName: 'n1', agentVersion: '1.2.3', onReconciled },
    stop.signal,
  );
  await until(() => server.openWatches === 1 && reconciliations > 0);
};
const addNode = (labels: Record<string, string> = {}) =>
  server.store.create(NODES, { metadata: { name: 'n1', labels } });
const addAgent = (spec: Partial<NodeAgentSpec> = {}, status?: NodeAgentStatus) =>
  server.store.create(AGENTS, { metadata: { name: 'n1' }, spec: { labels: true, ...spec }, status });
const patchSpec = (spec: object) =>
  server.store.patch({ ...AGENTS, name: 'n1' }, { spec }, 'application/merge-patch+json');
const status = () => server.store.get({ ...AGENTS, name: 'n1' })?.status as NodeAgentStatus | undefined;
const labels = () => server.store.get({ ...NODES, name: 'n1' })?.metadata.labels ?? {};

describe('reporting the host', () => {
  test('writes status and labels as soon as the NodeAgent is created', async () => {
    addNode({ 'kairos.io/own': 'custom', 'kairos.io/fips': 'old' });
    await start();
    expect(server.requestsTo('PATCH')).toEqual([]);
    addAgent();
    await until(() => labels()['kairos.io/managed'] === 'true');
    expect(status()).toMatchObject({
      observedGeneration: 1,
      agentVersion: '1.2.3',
      contract: 1,
      stateDir: KAIROS_STATE_DIR,
      boot: { id: bootIdOf(1), state: 'active' },
      release: { version: 'v3.5.0', arch: 'amd64', trustedBoot: false },
    });
    expect(labels()).toEqual({
      'kairos.io/own': 'custom',
      'kairos.io/managed': 'true',
      'kairos.io/boot-state': 'active',
      'kairos.io/id': 'kairos',
      'kairos.io/flavor': 'debian',
      'kairos.io/arch': 'amd64',
      'kairos.io/software-version-prefix': 'k3s',
      'kairos.io/software-version': 'v1.34.1-k3s1',
    });
  });

  test('does not label a Node that is not to be labeled, until it is', async () => {
    addNode({ 'kairos.io/managed': 'false' });
    addAgent({ labels: false });
    await start();
    expect(status()?.release?.version).toBe('v3.5.0');
    expect(labels()).toEqual({ 'kairos.io/managed': 'false' });
    patchSpec({ labels: true });
    await until(() => labels()['kairos.io/managed'] === 'true');
  });

  test('does not patch a Node that is not Kairos', async () => {
    host.files.clear();
    host.files.set('/etc/os-release', 'ID=debian');
    addNode({ 'kairos.io/flavor': 'mine' });
    addAgent();
    await start();
    expect(status()?.boot?.id).toBe(bootIdOf(1));
    expect(status()?.release).toBeUndefined();
    expect(server.requestsTo('PATCH', '/nodes/')).toEqual([]);
  });

  test('removes only its own labels when the host is no longer Kairos', async () => {
    host.files.clear();
    addNode({ 'kairos.io/flavor': 'debian', 'kairos.io/own': 'custom' });
    addAgent({}, { release: { version: 'v3.5.0' } });
    await start();
    expect(labels()).toEqual({ 'kairos.io/own': 'custom' });
    expect(status()?.release).toBeUndefined();
  });

  test('updates status and labels when the watch reports a changed release file', async () => {
    addNode();
    addAgent();
    await start();
    await host.write(
      '/etc/kairos-release',
      KAIROS_RELEASE.replace('v3.5.0', 'v3.6.0').replace(/KAIROS_FLAVOR.*\n/, ''),
    );
    await clock.advance(200);
    await until(() => status()?.release?.version === 'v3.6.0');
    await until(() => labels()['kairos.io/flavor'] === undefined);
    expect(status()?.release?.flavor).toBeUndefined();
  });

  test('keeps the labels while an editor truncates and rewrites a release file', async () => {
    addNode();
    addAgent();
    await start();
    const before = server.requestsTo('PATCH').length;
    await host.write('/etc/kairos-release', '');
    await host.write('/etc/kairos-release', KAIROS_RELEASE);
    await clock.advance(1_000);
    expect(server.requestsTo('PATCH').length).toBe(before);
  });

  test('notices at the resync a file change that the watch missed', async () => {
    addNode();
    addAgent();
    await start();
    host.files.set('/etc/kairos-release', KAIROS_RELEASE.replace('v3.5.0', 'v3.7.0'));
    await clock.advance(60_000);
    await until(() => status()?.release?.version === 'v3.7.0');
    expect(status()?.release?.softwareVersion).toBe('v1.34.1+k3s1');
  });
});

test('the agent labels a Node that registered again under the same name when its NodeAgent has the new owner', async () => {
  const owner = (uid: string) => [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid }];
  addNode();
  server.store.create(AGENTS, { metadata: { name: 'n1', ownerReferences: owner('first') }, spec: { labels: true } });
  await start();
  await until(() => server.requestsTo('PATCH', '/nodes/').length === 1);
  expect(labels()['kairos.io/managed']).toBe('true');
  const metadata = { ownerReferences: owner('second') };
  server.store.patch({ ...AGENTS, name: 'n1' }, { metadata }, 'application/merge-patch+json');
  await until(() => server.requestsTo('PATCH', '/nodes/').length === 2);
});

test('the agent reboots at the resync on a host that has no inotify watches left', async () => {
  host.set({ watchFault: 'EMFILE: too many open files, watch' });
  addNode();
  addAgent({ operation: rebootRequested() });
  await start();
  expect(status()?.operation?.reboot?.state).toBe('Waiting');
  await host.write(SENTINEL, bootIdOf(1));
  await clock.advance(60_000);
  await until(() => host.rebootCalls.length === 1);
});

test('the agent removes the temporary file of a killed agent when it starts', async () => {
  const staleFile = `${KAIROS_STATE_DIR}/.4711.new`;
  host.files.set(staleFile, '{"version":1,');
  await start();
  expect(host.files.has(staleFile)).toBe(false);
});

test('the agent sends no request while nothing changes', async () => {
  addNode();
  addAgent();
  await start();
  const before = server.requests.length;
  const reconciled = reconciliations;
  await clock.advance(10 * 60_000);
  await until(() => reconciliations >= reconciled + 10);
  expect(server.requests.length).toBe(before);
});

describe('answering an operation', () => {
  const check = { release: { version: 'v3.5.0-k3sv1.34.1+k3s1', skipIfCurrent: true } };

  test('writes the operation id and the verdict in one patch', async () => {
    addNode();
    addAgent();
    await start();
    const before = server.requestsTo('PATCH', '/status').length;
    patchSpec({ operation: operation({ check }) });
    await until(() => status()?.operation !== undefined);
    expect(status()?.operation).toMatchObject({ id: 'op-1', check: { verdict: 'Skip' } });
    expect(server.requestsTo('PATCH', '/status').length).toBe(before + 1);
    expect(status()?.observedGeneration).toBe(2);
  });

  test('writes nothing when the ledger advances and there is no new answer', async () => {
    addNode();
    addAgent({ operation: operation() });
    await start();
    const before = server.requestsTo('PATCH').length;
    const reconciled = reconciliations;
    for (const step of ['Cordon', 'Drain', 'Run']) patchSpec({ operation: { step } });
    await until(() => reconciliations > reconciled);
    await clock.advance(120_000);
    await until(() => reconciliations >= reconciled + 3);
    expect(server.requestsTo('PATCH').length).toBe(before);
  });

  test('keeps the verdict when the host changes afterwards', async () => {
    addNode();
    addAgent({ operation: operation({ check: { release: { ...check.release, version: 'v3.6.0' } } }) });
    await start();
    expect(status()?.operation?.check?.verdict).toBe('Proceed');
    await host.write('/etc/kairos-release', 'KAIROS_VERSION=v3.6.0');
    await clock.advance(200);
    await until(() => status()?.release?.version === 'v3.6.0');
    expect(status()?.operation?.check?.verdict).toBe('Proceed');
  });

  test('calls the reboot upon the watch event, without waiting for a timer', async () => {
    addNode();
    addAgent({ operation: operation() });
    host.files.set(SENTINEL, bootIdOf(1));
    host.set({ rebootsWhenAsked: false });
    await start();
    expect(host.rebootCalls).toEqual([]);
    patchSpec({ operation: rebootRequested() });
    await until(() => host.rebootCalls.length === 1);
    expect(host.files.has(SENTINEL)).toBe(false);
    await until(() => status()?.operation?.reboot?.state === 'Rebooting');
  });

  test('reboots when the sentinel appears after the request', async () => {
    addNode();
    addAgent({ operation: rebootRequested() });
    await start();
    expect(status()?.operation?.reboot?.state).toBe('Waiting');
    await host.write(SENTINEL, bootIdOf(1));
    await until(() => host.rebootCalls.length === 1);
  });

  test('reports after a restart that the machine rebooted and fell back to the old version', async () => {
    const release = { version: 'v3.6.0', skipIfCurrent: true };
    addNode();
    addAgent({ operation: rebootRequested({ check: { release } }) });
    host.files.set(SENTINEL, bootIdOf(1));
    host.restart();
    await start();
    expect(status()?.operation?.reboot).toMatchObject({ state: 'Rebooted', bootIdAfter: bootIdOf(2) });
    expect(status()?.fellBack?.version).toBe('v3.6.0');
  });

  test('removes its answers but keeps the fallback when the operation is removed', async () => {
    addNode();
    addAgent({ operation: operation() }, { fellBack: { version: 'v3.6.0', at: '2026-01-01T00:00:00.000Z' } });
    await start();
    expect(status()?.operation?.id).toBe('op-1');
    patchSpec({ operation: null });
    await until(() => status()?.operation === undefined);
    expect(status()?.fellBack?.version).toBe('v3.6.0');
  });

  test('retries a status write that failed', async () => {
    server.injectFault({ status: 500 }, 2, seen => seen.method === 'PATCH');
    addNode();
    addAgent();
    await start();
    expect(status()).toBeUndefined();
    await clock.advance(5_000);
    await until(() => status()?.boot !== undefined);
    expect(status()?.boot?.id).toBe(bootIdOf(1));
  });
});
