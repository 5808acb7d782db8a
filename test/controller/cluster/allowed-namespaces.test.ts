/** ALLOWED_NAMESPACES: an operation in another namespace fails at once and says why. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../../api/kinds.js';
import { namespaceRefusal } from '../../../controller/cluster/allowed-namespaces.js';
import { readConfig } from '../../../controller/config.js';
import { fakeCluster } from '../../fakes/cluster/cluster.js';
import { nodeOp } from '../../fakes/cluster/object-builders.js';
import { UpgradeCluster } from '../upgrade/upgrade-cluster.js';

const MESSAGE = 'not started: namespace default is not among the allowed namespaces fleet, ops (ALLOWED_NAMESPACES)';
const allowedNamespaces = ['fleet', 'ops'];

test.each([
  ['every namespace when it is not set', 'default', undefined, undefined],
  ['every namespace when it is empty', 'default', [], undefined],
  ['a namespace that it names', 'ops', allowedNamespaces, undefined],
  ['no other namespace', 'default', allowedNamespaces, MESSAGE],
  [
    'no namespace whose name is only the start of an allowed one',
    'op',
    ['ops'],
    expect.stringContaining('namespace op is not'),
  ],
])('ALLOWED_NAMESPACES admits %s', (_namespaces, namespace, allowed, refusal) => {
  expect(namespaceRefusal(namespace, allowed)).toEqual(refusal);
});

test('ALLOWED_NAMESPACES is a list of names', () => {
  expect(readConfig({}, []).allowedNamespaces).toEqual([]);
  expect(readConfig({ ALLOWED_NAMESPACES: 'fleet, ops' }, []).allowedNamespaces).toEqual(['fleet', 'ops']);
});

describe('A NodeOp', () => {
  const nodeOpIn = (namespace: string) => {
    const object = nodeOp('op', {});
    return { ...object, metadata: { ...object.metadata, namespace } };
  };
  const runIn = async (namespace: string) => {
    const cluster = fakeCluster({ nodes: [{ name: 'n1' }], allowedNamespaces });
    await cluster.start();
    cluster.apply(NODE_OP, nodeOpIn(namespace));
    await cluster.runFor(120);
    return { cluster, op: cluster.api.get(NODE_OP, { name: 'op', namespace }) };
  };

  test('in another namespace fails without starting a Pod and says why', async () => {
    const { cluster, op } = await runIn('default');
    expect(op).toMatchObject({ status: { phase: 'Failed', message: MESSAGE } });
    expect(cluster.containerRuns).toEqual([]);
    expect(cluster.disruptions.filter(({ disruptive }) => disruptive)).toEqual([]);
  });

  test('in an allowed namespace completes', async () => {
    expect((await runIn('ops')).op).toMatchObject({ status: { phase: 'Completed' } });
  });
});

describe('A NodeOpUpgrade', () => {
  test('in another namespace fails before its image is read', async () => {
    const cluster = new UpgradeCluster();
    cluster.deps.allowedNamespaces = allowedNamespaces;
    await cluster.createUpgrade();
    expect(cluster.upgrade()?.status).toMatchObject({ phase: 'Failed', message: MESSAGE });
    expect(cluster.probes()).toEqual([]);
  });
});
