/** Calls that take time, as the real client and a real API server handle them. */
import { describe, expect, test } from '@jest/globals';
import { LEASES, PODS } from '../../../kube/resources.js';
import { fakeCluster, type FakeCluster } from './cluster.js';
import { Process } from './process.js';
import { ProcessKube } from './process-kube.js';

const program = {
  name: 'a program',
  detectHotLoop: () => undefined,
  beginMutation: () => undefined,
  freeze: () => undefined,
  kill: () => undefined,
};

interface Setup {
  cluster: FakeCluster;
  process: Process;
  kube: ProcessKube;
}

function clientOf(podSeconds: number): Setup {
  const cluster = fakeCluster({ nodes: [] });
  cluster.api.callSeconds = ({ plural }) => (plural === 'pods' ? podSeconds : 0);
  const process = new Process(program, cluster.clock);
  return { cluster, process, kube: new ProcessKube(cluster.api, process, { delay: () => 0 }) };
}

const createPods = (kube: ProcessKube, count: number): Promise<unknown>[] =>
  Array.from({ length: count }, (_, index) =>
    kube.create(PODS, { metadata: { name: `p${index}`, namespace: 'default' }, spec: {} }, 'default').catch(String),
  );

const podCount = ({ api }: FakeCluster) => api.all(PODS).length;

describe('a call that takes time', () => {
  test('occupies one of 16 connections, and further calls of its pool wait for one', async () => {
    const { cluster, kube } = clientOf(10);
    void createPods(kube, 20);
    await cluster.runFor(11);
    expect(podCount(cluster)).toBe(16);
    await cluster.runFor(10);
    expect(podCount(cluster)).toBe(20);
  });

  test('does not delay the calls of another pool', async () => {
    const { cluster, kube } = clientOf(10);
    void createPods(kube, 20);
    void kube.create(LEASES, { metadata: { name: 'l', namespace: 'default' } }, 'default');
    await cluster.runFor(1);
    expect(cluster.api.all(LEASES)).toHaveLength(1);
  });

  test('fails after 30 s, and is then not performed', async () => {
    const { cluster, kube } = clientOf(31);
    const [result] = createPods(kube, 1);
    await cluster.runFor(60);
    expect([await result, podCount(cluster)]).toEqual(['Error: no response within 30 s', 0]);
  });

  test('fails when its client is stopped, and is then not performed', async () => {
    const { cluster, kube } = clientOf(10);
    const stop = new AbortController();
    const results = createPods(kube.with(stop.signal), 17);
    await cluster.runFor(1);
    stop.abort(new Error('stopped'));
    await cluster.runFor(60);
    expect(new Set(await Promise.all(results))).toEqual(new Set(['Error: stopped']));
    expect(podCount(cluster)).toBe(0);
  });

  test('is performed although its process is frozen meanwhile, and not when it is killed', async () => {
    const frozen = clientOf(10);
    void createPods(frozen.kube, 1);
    await frozen.cluster.runFor(1);
    frozen.process.freeze();
    await frozen.cluster.runFor(60);
    expect(podCount(frozen.cluster)).toBe(1);
    const killed = clientOf(10);
    void createPods(killed.kube, 1);
    await killed.cluster.runFor(1);
    killed.process.kill();
    await killed.cluster.runFor(60);
    expect(podCount(killed.cluster)).toBe(0);
  });
});
