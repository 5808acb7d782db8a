/** A cluster on the day on which its operator is replaced: what changes meanwhile, what belongs to no operation, and the way back. */
import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import { FINALIZERS, LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { LEGACY_FINALIZER, LABELER } from '../../controller/legacy/names.js';
import type { Stored } from '../../kube/kube.js';
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  DAEMONSETS,
  DEPLOYMENTS,
  JOBS,
  LEASES,
  NODES,
  PODS,
} from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { daemonSetObject, nodeOp } from '../fakes/cluster/object-builders.js';
import { setUnschedulable, SETTLED, RELEASED, ONLY_N1, OP, untilCommandRuns } from './lifecycle-setup.js';
import { after, leaves, NEVER, ONCE, REBOOTS, RUNNING, TO_REBOOT } from './migration-setup.js';

describe('what changes while it is taken over', () => {
  const node = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
  /** The first write to a Job meets this. */
  const meanwhile = (happens: (it: FakeCluster) => void) =>
    after(it => {
      leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: node } });
      const program = it.controllers[0];
      let isFirst = true;
      it.api.onChange(plural => {
        if (plural !== LEASES.plural || !isFirst || program === undefined) return;
        isFirst = false;
        let isNext = true;
        program.faultAt = (_number, name) => {
          if (!isNext || !/^patch job/.test(name)) return undefined;
          isNext = false;
          return { kind: 'runBefore', call: () => happens(it) };
        };
      });
    });

  test('its Job is told of by others: that is read, and it goes on', async () => {
    const { outcome } = await meanwhile(({ api }) => {
      for (const { metadata } of api.all(JOBS)) api.patch(JOBS, metadata, { metadata: { labels: { news: 'true' } } });
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: ONCE } });
  });

  test('its Job is deleted: that is told', async () => {
    const { outcome } = await meanwhile(({ api }) => {
      for (const { metadata } of api.all(JOBS)) api.forceRemove(JOBS, metadata);
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NEVER } });
    expect(outcome.operations.op?.nodes.n1).toBe('Failed JobDeleted cancelled');
  });
});

test('a spec that breaks a rule of today is told, and nothing of it reboots a node', async () => {
  const node = { entry: TO_REBOOT, job: 'complete', rebootPod: 'waits' } as const;
  const { outcome, cluster } = await after(
    it => void leaves(it, { phase: 'Running', spec: { ...REBOOTS, hostMountPath: 'host' }, nodes: { n1: node } }),
  );
  expect(cluster.nodeOp('op')?.status?.phase).toBe('Failed');
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NEVER } });
});

describe('what belongs to no operation', () => {
  const cluster = () =>
    after(it => {
      it.api.put(DAEMONSETS, {
        ...daemonSetObject(LABELER),
        metadata: { name: LABELER, namespace: 'operator-system' },
      });
      const labeling = { name: `${LABELER}-n1`, namespace: 'operator-system', labels: { app: LABELER } };
      it.api.put(JOBS, { metadata: labeling, spec: { suspend: true, template: { spec: { containers: [] } } } });
      it.api.put(CLUSTER_ROLES, { metadata: { name: 'nodeop-reboot' } });
      it.api.put(CLUSTER_ROLES, { metadata: { name: 'admin' } });
      for (const [name, role] of [
        ['nodeop-reboot-op', 'nodeop-reboot'],
        ['nodeop-reboot-vanished', 'nodeop-reboot'],
        ['mine', 'admin'],
      ])
        it.api.put(CLUSTER_ROLE_BINDINGS, { metadata: { name }, roleRef: { name: role } });
    });

  test('goes: labeler, roles, bindings; and nothing else does', async () => {
    const { api } = (await cluster()).cluster;
    const names = [DAEMONSETS, JOBS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS].flatMap(kind => api.all(kind));
    expect(names.map(({ metadata }) => metadata.name)).toEqual(['admin', 'mine']);
  });
});

test('a binding that two operations of one name share goes after the reboot Pods of both', async () => {
  const { cluster } = await after(it => {
    it.api.put(CLUSTER_ROLE_BINDINGS, { metadata: { name: 'nodeop-reboot-op' }, roleRef: { name: 'nodeop-reboot' } });
    const node = { entry: TO_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'waits' } as const;
    leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: node } });
    const { spec, metadata } = nodeOp('op', REBOOTS);
    const elsewhere = { ...metadata, namespace: 'another', finalizers: [LEGACY_FINALIZER] };
    it.api.put(NODE_OP, { spec, metadata: elsewhere, status: { phase: 'Completed', nodeStatuses: {} } });
  });
  const acts = cluster.mutations.map(({ name }) => name);
  const first = (what: string) => acts.findIndex(name => name.startsWith(what));
  expect(first('delete pods op-reboot')).toBeGreaterThan(-1);
  expect(first('delete clusterrolebindings')).toBeGreaterThan(first('delete pods op-reboot'));
  expect(cluster.api.all(CLUSTER_ROLE_BINDINGS)).toEqual([]);
});

test('a reboot Pod whose operation is gone reboots nothing', async () => {
  const node = { job: 'complete', rebootPod: 'waits', sentinel: true } as const;
  const { cluster, outcome } = await after(it => {
    leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1: node }, unowned: true });
    it.api.forceRemove(NODE_OP, OP);
  });
  expect(cluster.api.all(PODS)).toEqual([]);
  expect(outcome.nodes.n1).toEqual(NEVER);
});

test('a Pod of somebody that only carries a label of reboot Pods is left alone, and holds no node', async () => {
  const { cluster, outcome } = await after(it => {
    const metadata = { name: 'db-0', namespace: 'shop', labels: { app: 'db', [LABELS.reboot]: 'true' } };
    const spec = { nodeName: 'n1', restartPolicy: 'Always', containers: [{ name: 'db', image: 'db' }] };
    it.api.put(PODS, { metadata, spec, status: { phase: 'Running' } });
    it.apply(NODE_OP, nodeOp('op', ONLY_N1));
  });
  expect(cluster.api.find(PODS, { namespace: 'shop', name: 'db-0' })?.metadata.deletionTimestamp).toBeUndefined();
  expect(outcome.operations.op?.phase).toBe('Completed');
});

test('nothing is done while a Pod of the other operator lives, and as soon as it has ended all is done', async () => {
  const pod = { name: 'operator-kairos-operator-5d4f-abcde', namespace: 'operator-system' };
  const { outcome } = await after(
    it => {
      const spec = { nodeName: 'n2', restartPolicy: 'Always', containers: [{ name: 'manager', image: 'former' }] };
      it.api.put(PODS, { metadata: pod, spec, status: { phase: 'Running' } });
      leaves(it, {
        phase: 'Running',
        spec: REBOOTS,
        nodes: { n1: { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } },
      });
    },
    async it => {
      await it.runFor(15);
      expect(
        it.mutations.filter(({ program, name }) => program.startsWith('controller') && !name.includes('leases')),
      ).toEqual([]);
      it.api.forceRemove(PODS, pod);
    },
  );
  expect(outcome.operations.op?.nodes.n1).toBe('Completed Done completed');
});

test('somebody brings it back: it is scaled down within seconds, nothing begins beside it, and all goes on afterwards', async () => {
  const at = { name: 'operator-kairos-operator', namespace: 'operator-system' };
  const pod = { ...at, name: `${at.name}-5d4f-abcde` };
  const { outcome } = await after(
    () => undefined,
    async it => {
      await it.runFor(60);
      it.api.put(DEPLOYMENTS, { metadata: at, spec: { replicas: 1 } });
      const spec = { nodeName: 'n2', restartPolicy: 'Always', containers: [{ name: 'manager', image: 'former' }] };
      it.api.put(PODS, { metadata: pod, spec, status: { phase: 'Running' } });
      await it.runFor(10);
      const deployment = it.api.find<Stored & { spec?: object }>(DEPLOYMENTS, at);
      expect(deployment?.spec).toEqual({ replicas: 0 });
      it.apply(NODE_OP, nodeOp('op', REBOOTS));
      await it.runFor(60);
      expect(it.nodeOp('op')?.status).toBeUndefined();
      it.api.forceRemove(PODS, pod);
      const { generation } = deployment?.metadata ?? {};
      it.api.patch(
        DEPLOYMENTS,
        at,
        { status: { observedGeneration: generation, replicas: 0 } },
        { subresource: 'status' },
      );
    },
  );
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: ONCE } });
});

test('a cluster that never had another operator is asked for little, and nothing is changed there', async () => {
  const { cluster } = await after(it => setUnschedulable(it, 'n1', true));
  const changed = cluster.mutations.filter(
    ({ program, name }) => program === 'controller-a' && !/leases|delete cluster/.test(name),
  );
  expect(changed).toEqual([]);
  expect(
    cluster.api.find(DEPLOYMENTS, { namespace: 'operator-system', name: 'operator-kairos-operator' }),
  ).toBeUndefined();
  expect(cluster.api.find<NodeOp>(NODES, { name: 'n1' })?.spec).toMatchObject({ unschedulable: true });
  expect(cluster.api.all(NODE_OP).flatMap(({ metadata }) => metadata.finalizers ?? [])).not.toContain(LEGACY_FINALIZER);
});

describe('the way back', () => {
  test('after an operation nothing of ours holds any object', async () => {
    const { cluster } = await after(it => void it.apply(NODE_OP, nodeOp('op', REBOOTS)));
    const held = [...cluster.api.all(NODE_OP), ...cluster.api.all(NODE_AGENT), ...cluster.api.all(NODES)];
    expect(held.flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
    expect(cluster.nodeOp('op')?.status?.phase).toBe('Completed');
  });

  test('no controller in the middle of one: its deletion waits, and ends well when there is one again', async () => {
    const { outcome } = await after(
      it => void it.apply(NODE_OP, nodeOp('op', REBOOTS)),
      async it => {
        await untilCommandRuns(it, 'n1');
        it.controllers[0]?.stop();
        it.delete(NODE_OP, OP);
        await it.runFor(3600);
        expect(it.nodeOp('op')?.metadata.finalizers).toEqual([FINALIZERS.claimed]);
        it.controllers[1]?.start();
        expect(await it.runUntil(() => it.nodeOp('op') === undefined, 300)).toBe(true);
      },
    );
    expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: RELEASED } });
  });
});
