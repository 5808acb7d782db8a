import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../../api/kinds.js';
import type { NodeOp } from '../../../api/objects.js';
import { fakeCluster } from './cluster.js';
import { nodeOp } from './object-builders.js';

const AT = { name: 'op', namespace: 'default' };

/** A cluster in which an object with an annotation, a finalizer, an owner and a status was saved and deleted a minute ago. */
async function afterLoss(labels: Record<string, string> = {}) {
  const cluster = fakeCluster({ nodes: [] });
  const metadata = {
    ...AT,
    labels,
    annotations: { kept: 'yes' },
    finalizers: ['test/kept'],
    ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'owner' }],
  };
  const former = cluster.api.put<NodeOp>(NODE_OP, { ...nodeOp('op'), metadata, status: { phase: 'Completed' } });
  const backup = cluster.backUp();
  cluster.api.forceRemove(NODE_OP, AT);
  await cluster.runFor(60);
  return { cluster, backup, former, find: () => cluster.api.find<NodeOp>(NODE_OP, AT) };
}

describe('A restored object', () => {
  test('is a new one with its labels, annotations and finalizers, without status and owner', async () => {
    const { cluster, backup, former, find } = await afterLoss();
    cluster.restore(backup);
    const { metadata, status, spec } = find() ?? {};
    expect([spec, status, metadata?.ownerReferences]).toEqual([former.spec, undefined, undefined]);
    expect(metadata).toMatchObject({ annotations: { kept: 'yes' }, finalizers: ['test/kept'], generation: 1 });
    expect(metadata?.uid).not.toBe(former.metadata.uid);
    expect(Date.parse(metadata?.creationTimestamp ?? '')).toBe(
      Date.parse(former.metadata.creationTimestamp ?? '') + 60_000,
    );
  });

  test('has its status and its owner with a tool that keeps them', async () => {
    const { cluster, backup, former, find } = await afterLoss();
    cluster.restore(backup, { keepStatus: true, keepOwners: true });
    expect(find()?.status).toEqual({ phase: 'Completed' });
    expect(find()?.metadata.ownerReferences).toEqual(former.metadata.ownerReferences);
  });

  test('that exists is left as it is', async () => {
    const { cluster, backup, find } = await afterLoss();
    cluster.apply(NODE_OP, nodeOp('op', { command: ['other'] }));
    cluster.restore(backup);
    expect(find()?.spec.command).toEqual(['other']);
  });

  test('is not saved with the label that leaves it out, unless the tool does not know it', async () => {
    const { backup } = await afterLoss({ 'velero.io/exclude-from-backup': 'true' });
    expect(backup).toEqual([]);
    const cluster = fakeCluster({ nodes: [] });
    const metadata = { ...AT, labels: { 'velero.io/exclude-from-backup': 'true' } };
    cluster.api.put(NODE_OP, { ...nodeOp('op'), metadata });
    expect(cluster.backUp({ knowsLabel: false })).toHaveLength(1);
  });
});
