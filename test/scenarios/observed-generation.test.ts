import { expect, test } from '@jest/globals';
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Resource } from '../../kube/kube.js';
import { fakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { nodesNamed, runUntil } from './lifecycle-setup.js';

const IMAGES = { 'registry.example/kairos:1': { release: KAIROS_RELEASE } };
const NOWHERE = { nodeSelector: { matchLabels: { nowhere: 'true' } } };
const upgrade = nodeOpUpgrade('op', { image: 'registry.example/kairos:1' });

test.each<[string, Resource, object]>([
  ['a completed NodeOp', NODE_OP, nodeOp('op')],
  ['a failed NodeOp', NODE_OP, nodeOp('op', NOWHERE)],
  ['an invalid NodeOp', NODE_OP, nodeOp('op', { concurrency: -1 })],
  ['a completed upgrade', NODE_OP_UPGRADE, upgrade],
  ['a failed upgrade', NODE_OP_UPGRADE, { ...upgrade, spec: { ...upgrade.spec, ...NOWHERE } }],
  ['an invalid upgrade', NODE_OP_UPGRADE, { ...upgrade, spec: { ...upgrade.spec, concurrency: -1 } }],
])('the status of %s follows the generation when a field is changed', async (_title, kind, object) => {
  const cluster = fakeCluster({ nodes: nodesNamed('n1'), images: IMAGES });
  await cluster.start();
  const at = { name: 'op', namespace: 'default' };
  const now = () => cluster.api.find<NodeOp | NodeOpUpgrade>(kind, at);
  cluster.apply(kind, object as NodeOp);
  await runUntil(cluster, () => ['Completed', 'Failed'].includes(now()?.status?.phase ?? ''));
  const { phase } = now()?.status ?? {};
  cluster.api.patch(kind, at, { spec: { ttlSecondsAfterFinished: 60 } });
  await cluster.runFor(5);
  const { metadata, status } = now() ?? {};
  expect(metadata?.generation).toBe(2);
  expect(status).toMatchObject({ phase, observedGeneration: 2 });
  expect(status?.conditions?.map(condition => condition.observedGeneration)).toEqual([2, 2, 2, 2]);
});
