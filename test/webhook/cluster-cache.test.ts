import { afterEach, describe, expect, test } from '@jest/globals';
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { createKube } from '../../kube/client.js';
import { NAMESPACES, NODES, SECRETS } from '../../kube/resources.js';
import { silentLog } from '../../program/log.js';
import { reviewedObject } from '../../webhook/admit.js';
import { ClusterCache } from '../../webhook/cluster-warnings/cluster-cache.js';
import type { AdmissionRequest } from '../../webhook/review.js';
import { fakeClock } from '../fakes/clock.js';
import { HttpsApiServer } from '../fakes/https-api-server.js';
import { until } from '../kube/samples.js';
import { request } from './reviews.js';

const LINUX = { 'kubernetes.io/os': 'linux' };
const NODE_METADATA = [
  { name: 'cp', labels: { ...LINUX, 'node-role.kubernetes.io/control-plane': '' } },
  { name: 'w1', labels: LINUX },
  { name: 'w2', labels: LINUX },
];

/** Warnings about the object of a request; none when there is no object to review. */
async function warningsFor(cluster: ClusterCache, asked: AdmissionRequest): Promise<string[]> {
  const reviewed = reviewedObject(asked);
  return reviewed ? cluster.warningsFor(reviewed) : [];
}

const stored = (name: string, rest: object = {}, namespace?: string) => ({ metadata: { name, namespace, ...rest } });

describe('the cluster cache', () => {
  const stop = new AbortController();
  let server: HttpsApiServer;
  afterEach(async () => {
    stop.abort();
    await server.stop();
  });

  test('gives warnings from the nodes, operations, namespaces and Secrets of a cluster', async () => {
    server = await HttpsApiServer.start();
    const kube = createKube(server.connection(), { userAgent: 'test/0' });
    for (const metadata of NODE_METADATA) await kube.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata });
    await kube.create(NAMESPACES, stored('default', { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } }));
    await kube.create(SECRETS, stored('there', {}, 'default'), 'default');
    const clock = fakeClock();
    const cluster = new ClusterCache({ kube, clock, log: silentLog });
    expect(cluster.syncFault()).toBe('caches not synced: nodes, nodeOps, upgrades, namespaces');
    expect(await warningsFor(cluster, request())).toEqual([]);
    const running = cluster.run(stop.signal);
    await until(() => cluster.syncFault() === undefined);
    const spec = { command: ['true'], cordon: true, imagePullSecrets: [{ name: 'there' }, { name: 'missing' }] };
    expect(await warningsFor(cluster, request({ spec }))).toEqual([
      'spec.nodeSelector: includes cp, the only control-plane node',
      'metadata.namespace: default has the label pod-security.kubernetes.io/enforce=baseline, which rejects the privileged Pods of operations',
      'spec.imagePullSecrets[1].name: Secret "missing" does not exist in namespace "default"; the image pull may fail',
    ]);
    const started = { spec: { command: ['a'] }, status: { phase: 'Running' } };
    expect(await warningsFor(cluster, request({ spec, before: started }))).toEqual([]);
    await kube.create(NODE_OP, { ...stored('other', {}, 'default'), spec: { command: ['a'] } }, 'default');
    await kube.create(NODE_OP_UPGRADE, { ...stored('u', {}, 'default'), spec: { image: 'a' } }, 'default');
    await until(async () => (await warningsFor(cluster, request())).length === 3);
    expect((await warningsFor(cluster, request())).slice(0, 2)).toEqual([
      'spec.nodeSelector: 3 nodes belong to NodeOp default/other (cp, w1, w2); this operation waits until they are released, because it was created later',
      'spec.nodeSelector: 3 nodes belong to NodeOpUpgrade default/u (cp, w1, w2); this operation waits until they are released, because it was created later',
    ]);
    kube.close();
    stop.abort();
    await running;
  });

  test('gives no warning about pull Secrets without permission, or without a response within 500 ms', async () => {
    server = await HttpsApiServer.start();
    const kube = createKube(server.connection(), { userAgent: 'test/0' });
    const cluster = new ClusterCache({ kube, clock: fakeClock(), log: silentLog });
    const asked = request({ spec: { command: ['true'], imagePullSecrets: [{ name: 'a' }] } });
    server.injectFault({ status: 403, reason: 'Forbidden' }, 1);
    expect(await warningsFor(cluster, asked)).toEqual([]);
    server.clearFaults();
    server.injectFault('noResponse', 1);
    const clock = fakeClock();
    const slow = warningsFor(new ClusterCache({ kube, clock, log: silentLog }), asked);
    await until(() => clock.sleeperCount() === 1);
    await clock.advance(500);
    expect(await slow).toEqual([]);
    kube.close();
  });

  test('delays readiness for at most a minute while it cannot sync', async () => {
    server = await HttpsApiServer.start();
    const clock = fakeClock();
    const cluster = new ClusterCache({
      kube: createKube(server.connection(), { userAgent: 'test/0' }),
      clock,
      log: silentLog,
    });
    await clock.advance(59_000);
    expect(cluster.syncFault()).toContain('nodes');
    await clock.advance(1_000);
    expect(cluster.syncFault()).toBeUndefined();
  });
});
