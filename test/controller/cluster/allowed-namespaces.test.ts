/** Where the operator obeys: a wish elsewhere ends at once and says why, one that is under way goes on. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../../api/kinds.js';
import { namespaceRefusal } from '../../../controller/cluster/allowed-namespaces.js';
import { readConfig } from '../../../controller/config.js';
import { fakeCluster } from '../../fakes/cluster/cluster.js';
import { nodeOp } from '../../fakes/cluster/object-builders.js';
import { UpgradeCluster } from '../upgrade/upgrade-cluster.js';

const WORDS = 'not started: namespace default is not among the allowed namespaces fleet, ops (ALLOWED_NAMESPACES)';
const allowedNamespaces = ['fleet', 'ops'];

test.each([
  ['anywhere when nothing is set', 'default', undefined, undefined],
  ['anywhere when nothing is named', 'default', [], undefined],
  ['where it is named', 'ops', allowedNamespaces, undefined],
  ['nowhere else', 'default', allowedNamespaces, WORDS],
  ['in no namespace whose name only begins alike', 'op', ['ops'], expect.stringContaining('namespace op is not')],
])('wishes are obeyed %s', (_where, namespace, allowed, why) => {
  expect(namespaceRefusal(namespace, allowed)).toEqual(why);
});

test('the setting is a list of names', () => {
  expect(readConfig({}, []).allowedNamespaces).toEqual([]);
  expect(readConfig({ ALLOWED_NAMESPACES: 'fleet, ops' }, []).allowedNamespaces).toEqual(['fleet', 'ops']);
});

describe('a NodeOp', () => {
  const placed = (namespace: string) => {
    const wish = nodeOp('op', {});
    return { ...wish, metadata: { ...wish.metadata, namespace } };
  };
  const asked = async (namespace: string) => {
    const cluster = fakeCluster({ nodes: [{ name: 'n1' }], allowedNamespaces });
    await cluster.start();
    cluster.apply(NODE_OP, placed(namespace));
    await cluster.runFor(120);
    return { cluster, op: cluster.api.get(NODE_OP, { name: 'op', namespace }) };
  };

  test('elsewhere fails without a Pod, and says why', async () => {
    const { cluster, op } = await asked('default');
    expect(op).toMatchObject({ status: { phase: 'Failed', message: WORDS } });
    expect(cluster.containerRuns).toEqual([]);
    expect(cluster.disruptions.filter(({ disruptive }) => disruptive)).toEqual([]);
  });

  test('where it is allowed completes', async () => {
    expect((await asked('ops')).op).toMatchObject({ status: { phase: 'Completed' } });
  });
});

describe('a NodeOpUpgrade', () => {
  test('elsewhere fails before its image is read', async () => {
    const cluster = new UpgradeCluster();
    cluster.deps.allowedNamespaces = allowedNamespaces;
    await cluster.createUpgrade();
    expect(cluster.upgrade()?.status).toMatchObject({ phase: 'Failed', message: WORDS });
    expect(cluster.probes()).toEqual([]);
  });
});
