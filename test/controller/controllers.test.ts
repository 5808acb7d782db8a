import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { NODE_AGENT, OS_ARTIFACT } from '../../api/kinds.js';
import { runControllers } from '../../controller/controllers.js';
import { KubeError } from '../../kube/errors.js';
import type { ListOptions, Page, Resource, Stored, WatchEvent } from '../../kube/kube.js';
import { NODES, PODS } from '../../kube/resources.js';
import { silentLog } from '../../program/log.js';
import { fakeClock } from '../fakes/clock.js';
import { FakeKube } from '../fakes/kube.js';
import { TOOLS } from './artifact/samples.js';

/** Lists answer, watches report nothing. The kind OSArtifact is unknown until it is installed. */
class Cluster extends FakeKube {
  installed = false;

  override async list<T extends Stored>(resource: Resource, options?: ListOptions<T>): Promise<Page<T>> {
    if (resource.plural === OS_ARTIFACT.plural && !this.installed)
      throw new KubeError(404, 'the server could not find the requested resource', 'NotFound');
    return await super.list<T>(resource, options);
  }

  override async *watch<T extends Stored>(
    _resource?: Resource,
    _options?: ListOptions,
    signal?: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    if (signal) await once(signal, 'abort');
    yield* [];
  }
}

const settings = (clock: ReturnType<typeof fakeClock>) => ({
  log: silentLog,
  clock,
  identity: 'test',
  defaultImage: 'busybox',
  sentinel: { image: 'busybox', command: ['true'] },
  ownNamespace: 'operator-system',
});

const seededCluster = () => {
  const cluster = new Cluster();
  const meta = { uid: 'u', resourceVersion: '1' };
  cluster.seed(NODES, { metadata: { ...meta, name: 'n1', labels: { 'kubernetes.io/os': 'linux' } } });
  const artifact = { metadata: { ...meta, name: 'os', namespace: 'default' }, spec: { imageName: 'x', iso: true } };
  cluster.seed(OS_ARTIFACT, artifact);
  return cluster;
};

const names = (cluster: Cluster, resource: Resource) => cluster.all(resource).map(({ metadata }) => metadata.name);

describe('the leading controller', () => {
  test('runs without the OSArtifact kind, and builds OSArtifacts once the kind is installed', async () => {
    const [cluster, clock, stop] = [seededCluster(), fakeClock(), new AbortController()];
    const running = runControllers(cluster, { ...settings(clock), tools: TOOLS }, stop.signal);
    await clock.advance(10_000);
    expect([names(cluster, NODE_AGENT), names(cluster, PODS)]).toEqual([['n1'], []]);
    cluster.installed = true;
    await clock.advance(120_000);
    expect(names(cluster, PODS)).toEqual([expect.stringMatching(/^os-/)]);
    stop.abort();
    await running;
  });

  test('builds no OSArtifacts when it has no build tools', async () => {
    const [cluster, clock, stop] = [seededCluster(), fakeClock(), new AbortController()];
    cluster.installed = true;
    const running = runControllers(cluster, settings(clock), stop.signal);
    await clock.advance(60_000);
    expect([names(cluster, NODE_AGENT), names(cluster, PODS)]).toEqual([['n1'], []]);
    stop.abort();
    await running;
  });
});
