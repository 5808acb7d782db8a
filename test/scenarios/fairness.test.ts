/** One namespace with very many operations: counted are its acts between those of another namespace, whatever time they take. */
import { expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { fakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { nodesNamed } from './lifecycle-setup.js';

const MANY = 60;
const on = (name: string) => ({ nodeSelector: { matchLabels: { 'kubernetes.io/hostname': name } } });

test('an operation starts and ends before another namespace has started its 60 operations', async () => {
  const cluster = fakeCluster({ nodes: nodesNamed('n1', 'n2') });
  await cluster.start();
  await cluster.runFor(30);
  const { length: before } = cluster.mutations;
  for (let n = 0; n < MANY; n += 1)
    cluster.api.put(NODE_OP, {
      ...nodeOp(`noisy-${n}`, on('n1')),
      metadata: { name: `noisy-${n}`, namespace: 'noisy' },
    });
  cluster.apply(NODE_OP, nodeOp('quiet', on('n2')));
  expect(await cluster.runUntil(() => cluster.nodeOp('quiet')?.status?.phase === 'Completed', 600)).toBe(true);
  const acts = cluster.mutations.slice(before).map(({ name }) => name);
  const [, , third] = acts.flatMap((name, at) => (name.includes('quiet') ? [at] : []));
  /* Each of the others takes two acts to start. */
  expect(acts.slice(0, third).filter(name => name.includes('noisy')).length).toBeLessThan(MANY);
  const started = acts.filter(name => name.includes('noisy')).length;
  expect(started).toBeGreaterThan(MANY);
});
