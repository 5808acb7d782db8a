/** What an earlier operator left half done, in ways that are easily misread: what is over, what was rebooted, what nobody would go on with. */
import { describe, expect, test } from '@jest/globals';
import { nodeOp } from '../fakes/cluster/objects.js';
import { NODE_OP } from '../../api/kinds.js';
import { CALM } from './life-stage.js';
import { after, CREATED, leaves, type NodeLeft, NEVER, ONCE, RUNNING, TO_REBOOT } from './migration-stage.js';

const ALL = { cordon: true, rebootOnSuccess: true };
const RUNS: NodeLeft = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' };
const DONE: NodeLeft = { entry: TO_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'waits', sentinel: true };
const FAILED: NodeLeft = {
  entry: { phase: 'Failed', message: 'Job failed', rebootStatus: 'cancelled' },
  cordon: 'marked',
  job: 'failed',
};
const INSPECTED = { cordoned: true, mark: 'default/op', heldBy: undefined, downs: '' };

describe('Failed is said of the whole with the first node that failed', () => {
  test('and the others go on: they are taken over', async () => {
    const { ending } = await after(
      it => void leaves(it, { phase: 'Failed', spec: ALL, nodes: { n1: FAILED, n2: RUNS, n3: DONE } }),
    );
    expect(ending).toMatchObject({ ...CALM, nodes: { n1: INSPECTED, n2: ONCE, n3: ONCE } });
    expect(ending.operations.op).toMatchObject({ phase: 'Failed', nodes: { n2: 'Completed Done completed' } });
  });

  test('another operation waits for a node that goes on', async () => {
    const { ending, cluster } = await after(it => {
      leaves(it, { phase: 'Failed', spec: { ...ALL, stopOnFailure: true }, nodes: { n1: FAILED, n2: RUNS } });
      const onN2 = { nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'n2' } }, cordon: true };
      it.apply(NODE_OP, nodeOp('next', onN2));
    });
    expect(ending).toMatchObject({ ...CALM, nodes: { n1: INSPECTED, n2: ONCE, n3: NEVER } });
    const [first, second] = cluster.started.filter(({ node, container }) => node === 'n2' && container === 'nodeop');
    expect(second?.at).toBeGreaterThan(first?.ended ?? Infinity);
    expect(cluster.nodeOp('op')?.status?.nodeStatuses?.n3).toMatchObject({ phase: 'Pending' });
  });
});

test('Completed is said of the whole while a node is under way: that node is taken over', async () => {
  const done = { entry: { phase: 'Completed', rebootStatus: 'completed' } };
  const { ending } = await after(
    it => void leaves(it, { phase: 'Completed', spec: ALL, nodes: { n1: done, n2: { ...RUNS, entry: CREATED } } }),
  );
  expect(ending).toMatchObject({ ...CALM, nodes: { n1: NEVER, n2: ONCE } });
});
