import { describe, expect, test } from '@jest/globals';
import { apiVersion, NODE_OP, NODE_OP_UPGRADE } from '../../../../api/kinds.js';
import type { NodeOp, NodeOpUpgrade } from '../../../../api/objects.js';
import { olderOperations } from '../../../../controller/nodeop/facts/operation-order.js';
import { controllerReference } from '../../../../kube/owner.js';
import { node } from '../../../builders.js';
import { emptyCaches } from '../../../fakes/caches.js';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const meta = (name: string, second: number, more: object = {}) => ({
  name,
  namespace: 'ops',
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: at(second),
  ...more,
});

const op = (name: string, second: number, { metadata = {}, spec = {}, status = {} }: Record<string, object> = {}) =>
  ({
    apiVersion: apiVersion(NODE_OP),
    kind: 'NodeOp',
    metadata: meta(name, second, metadata),
    spec: { command: ['true'], ...spec },
    status,
  }) as NodeOp;
const upgrade = (
  name: string,
  second: number,
  { metadata = {}, spec = {}, status = {} }: Record<string, object> = {},
) =>
  ({
    apiVersion: apiVersion(NODE_OP_UPGRADE),
    kind: 'NodeOpUpgrade',
    metadata: meta(name, second, metadata),
    spec: { image: 'kairos', ...spec },
    status,
  }) as NodeOpUpgrade;

const entries = (n1: object) => ({ nodeStatuses: { n1, n2: { phase: 'Completed' } } });
const pending = entries({ phase: 'Pending' });
const draft = { nodeStatuses: { n1: { phase: 'Pending' }, n2: { phase: 'Pending' } } };

/** What the operation `mine`, created at second 10, waits for on its nodes n1 and n2. */
function waits(nodeOps: NodeOp[], upgrades: NodeOpUpgrade[] = [], mine = op('mine', 10)) {
  const caches = emptyCaches();
  for (const name of ['n1', 'n2']) caches.nodes.put(node(name));
  for (const each of [...nodeOps, mine]) caches.nodeOps.put(each);
  for (const each of upgrades) caches.upgrades.put(each);
  return Object.fromEntries(olderOperations(mine.metadata, ['n1', 'n2'], { caches, allowedNamespaces: ['ops'] }));
}

const EARLIER = 'ops/a, which was created earlier';

describe('An operation', () => {
  test.each<[string, NodeOp, Record<string, string>]>([
    ['waits for an older one on its unfinished nodes', op('a', 5, { status: pending }), { n1: EARLIER }],
    ['waits for an older one that has no status yet', op('a', 5), { n1: EARLIER, n2: EARLIER }],
    ['waits for one of the same second with a lower uid', op('a', 10, { status: pending }), { n1: EARLIER }],
    ['does not wait for one of the same second with a higher uid', op('z', 10, { status: pending }), {}],
    ['does not wait for a younger one', op('a', 15, { status: pending }), {}],
    ['does not wait for a finished one', op('a', 5, { status: { ...pending, phase: 'Failed' } }), {}],
    [
      'does not wait for one that is being deleted',
      op('a', 5, { metadata: { deletionTimestamp: at(6) }, status: pending }),
      {},
    ],
    [
      'does not wait for a node that a failure has stopped',
      op('a', 5, { status: entries({ phase: 'Pending', reason: 'Stopped' }) }),
      {},
    ],
    [
      'waits for a node that was started before the failure',
      op('a', 5, { status: entries({ phase: 'Running', reason: 'Stopped', startedAt: at(6) }) }),
      { n1: EARLIER },
    ],
    ['does not wait for a paused one that has not begun', op('a', 5, { spec: { paused: true }, status: draft }), {}],
    [
      'waits for one that was paused in the middle',
      op('a', 5, { spec: { paused: true }, status: entries({ phase: 'Running', startedAt: at(6) }) }),
      { n1: `${EARLIER} and is paused: resume or delete it` },
    ],
    [
      'waits for one that was paused in the middle and is so large that its finished nodes have no times',
      op('a', 5, { spec: { paused: true }, status: pending }),
      { n1: `${EARLIER} and is paused: resume or delete it` },
    ],
    ['does not wait for an invalid one', op('a', 5, { spec: { concurrency: -1 }, status: pending }), {}],
    [
      'does not wait for one in a namespace that is not allowed',
      op('a', 5, { metadata: { namespace: 'other' }, status: draft }),
      {},
    ],
  ])('%s', (_title, other, expected) => expect(waits([other])).toEqual(expected));

  const both = { n1: EARLIER, n2: EARLIER };
  test.each<[string, NodeOpUpgrade, Record<string, string>]>([
    ['waits for an older upgrade that has no NodeOp yet', upgrade('a', 5), both],
    ['does not wait for a younger upgrade', upgrade('a', 15), {}],
    ['does not wait for a finished upgrade', upgrade('a', 5, { status: { phase: 'Failed' } }), {}],
    ['does not wait for a paused upgrade without a NodeOp', upgrade('a', 5, { spec: { paused: true } }), {}],
    ['does not wait for an upgrade whose NodeOp was deleted', upgrade('a', 5, { status: { nodeOpName: 'a' } }), {}],
    ['does not wait for an invalid upgrade', upgrade('a', 5, { spec: { concurrency: -1 } }), {}],
  ])('%s', (_title, other, expected) => expect(waits([], [other])).toEqual(expected));

  const ownedBy = (owner: NodeOpUpgrade, second: number) =>
    op(owner.metadata.name, second, {
      metadata: {
        ownerReferences: [controllerReference(NODE_OP_UPGRADE, owner)],
        uid: `nodeop-${owner.metadata.name}`,
      },
      status: pending,
    });

  test('waits for the NodeOp of an older upgrade, although that NodeOp is younger', () => {
    const older = upgrade('a', 5, { status: { nodeOpName: 'a' } });
    expect(waits([ownedBy(older, 20)], [older])).toEqual({ n1: EARLIER });
  });

  test('has the place of its upgrade', () => {
    const owner = upgrade('mine', 3);
    expect(waits([op('a', 5, { status: pending })], [owner], ownedBy(owner, 20))).toEqual({});
  });

  test('names the oldest of several', () => {
    expect(waits([op('b', 6), op('a', 5), op('c', 4, { status: pending })])).toEqual({
      n1: 'ops/c, which was created earlier',
      n2: EARLIER,
    });
  });
});
