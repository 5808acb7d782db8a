/** A cluster whose operator is replaced: concurrent changes, objects that belong to no operation, and the rollback. */
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
import {
  runMigration,
  createLegacyOperation,
  NOT_REBOOTED,
  REBOOTED_ONCE,
  REBOOT_N1,
  JOB_RUNNING,
  AWAITING_REBOOT,
} from './migration-setup.js';

describe('a Job that changes during its adoption', () => {
  const node = { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' } as const;
  /** Lets the change happen just before the first patch of a Job. */
  const meanwhile = (happens: (it: FakeCluster) => void) =>
    runMigration(it => {
      createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: node } });
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

  test('is read again and adopted if someone else has changed it', async () => {
    const { outcome } = await meanwhile(({ api }) => {
      for (const { metadata } of api.all(JOBS))
        api.patch(JOBS, metadata, { metadata: { labels: { changed: 'true' } } });
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: REBOOTED_ONCE } });
  });

  test('fails its node as JobDeleted if it was deleted', async () => {
    const { outcome } = await meanwhile(({ api }) => {
      for (const { metadata } of api.all(JOBS)) api.forceRemove(JOBS, metadata);
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NOT_REBOOTED } });
    expect(outcome.operations.op?.nodes.n1).toBe('Failed JobDeleted cancelled');
  });
});

test('fails an operation with an invalid spec without rebooting its node', async () => {
  const node = { entry: AWAITING_REBOOT, job: 'complete', rebootPod: 'waiting' } as const;
  const { outcome, cluster } = await runMigration(
    it =>
      void createLegacyOperation(it, {
        phase: 'Running',
        spec: { ...REBOOT_N1, hostMountPath: 'host' },
        nodes: { n1: node },
      }),
  );
  expect(cluster.nodeOp('op')?.status?.phase).toBe('Failed');
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NOT_REBOOTED } });
});

describe('the installation of the legacy operator', () => {
  const cluster = () =>
    runMigration(it => {
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

  test('has its labeler, roles and bindings deleted, and nothing else', async () => {
    const { api } = (await cluster()).cluster;
    const names = [DAEMONSETS, JOBS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS].flatMap(kind => api.all(kind));
    expect(names.map(({ metadata }) => metadata.name)).toEqual(['admin', 'mine']);
  });
});

test('deletes a binding that two operations of one name share after the reboot Pods of both', async () => {
  const { cluster } = await runMigration(it => {
    it.api.put(CLUSTER_ROLE_BINDINGS, { metadata: { name: 'nodeop-reboot-op' }, roleRef: { name: 'nodeop-reboot' } });
    const node = { entry: AWAITING_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'waiting' } as const;
    createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: node } });
    const { spec, metadata } = nodeOp('op', REBOOT_N1);
    const other = { ...metadata, namespace: 'another', finalizers: [LEGACY_FINALIZER] };
    it.api.put(NODE_OP, { spec, metadata: other, status: { phase: 'Completed', nodeStatuses: {} } });
  });
  const acts = cluster.mutations.map(({ name }) => name);
  const first = (what: string) => acts.findIndex(name => name.startsWith(what));
  expect(first('delete pods op-reboot')).toBeGreaterThan(-1);
  expect(first('delete clusterrolebindings')).toBeGreaterThan(first('delete pods op-reboot'));
  expect(cluster.api.all(CLUSTER_ROLE_BINDINGS)).toEqual([]);
});

test('deletes a waiting reboot Pod whose operation was deleted', async () => {
  const node = { job: 'complete', rebootPod: 'waiting', sentinel: true } as const;
  const { cluster, outcome } = await runMigration(it => {
    createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1: node }, unowned: true });
    it.api.forceRemove(NODE_OP, OP);
  });
  expect(cluster.api.all(PODS)).toEqual([]);
  expect(outcome.nodes.n1).toEqual(NOT_REBOOTED);
});

test('ignores a foreign Pod that only carries the label of reboot Pods', async () => {
  const { cluster, outcome } = await runMigration(it => {
    const metadata = { name: 'db-0', namespace: 'shop', labels: { app: 'db', [LABELS.reboot]: 'true' } };
    const spec = { nodeName: 'n1', restartPolicy: 'Always', containers: [{ name: 'db', image: 'db' }] };
    it.api.put(PODS, { metadata, spec, status: { phase: 'Running' } });
    it.apply(NODE_OP, nodeOp('op', ONLY_N1));
  });
  expect(cluster.api.find(PODS, { namespace: 'shop', name: 'db-0' })?.metadata.deletionTimestamp).toBeUndefined();
  expect(outcome.operations.op?.phase).toBe('Completed');
});

test('does nothing while a Pod of the legacy operator runs, and migrates once it has ended', async () => {
  const pod = { name: 'operator-kairos-operator-5d4f-abcde', namespace: 'operator-system' };
  const { outcome } = await runMigration(
    it => {
      const spec = { nodeName: 'n2', restartPolicy: 'Always', containers: [{ name: 'manager', image: 'legacy' }] };
      it.api.put(PODS, { metadata: pod, spec, status: { phase: 'Running' } });
      createLegacyOperation(it, {
        phase: 'Running',
        spec: REBOOT_N1,
        nodes: { n1: { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' } },
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

test('scales a returning legacy operator down within seconds, starts nothing beside it, and continues afterwards', async () => {
  const at = { name: 'operator-kairos-operator', namespace: 'operator-system' };
  const pod = { ...at, name: `${at.name}-5d4f-abcde` };
  const { outcome } = await runMigration(
    () => undefined,
    async it => {
      await it.runFor(60);
      it.api.put(DEPLOYMENTS, { metadata: at, spec: { replicas: 1 } });
      const spec = { nodeName: 'n2', restartPolicy: 'Always', containers: [{ name: 'manager', image: 'legacy' }] };
      it.api.put(PODS, { metadata: pod, spec, status: { phase: 'Running' } });
      await it.runFor(10);
      const deployment = it.api.find<Stored & { spec?: object }>(DEPLOYMENTS, at);
      expect(deployment?.spec).toEqual({ replicas: 0 });
      it.apply(NODE_OP, nodeOp('op', REBOOT_N1));
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
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: REBOOTED_ONCE } });
});

test('changes nothing in a cluster that never had the legacy operator', async () => {
  const { cluster } = await runMigration(it => setUnschedulable(it, 'n1', true));
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

describe('a rollback', () => {
  test('finds no finalizer of this operator after an operation has finished', async () => {
    const { cluster } = await runMigration(it => void it.apply(NODE_OP, nodeOp('op', REBOOT_N1)));
    const objects = [...cluster.api.all(NODE_OP), ...cluster.api.all(NODE_AGENT), ...cluster.api.all(NODES)];
    expect(objects.flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
    expect(cluster.nodeOp('op')?.status?.phase).toBe('Completed');
  });

  test('finds the deletion of an active operation waiting until a controller runs again', async () => {
    const { outcome } = await runMigration(
      it => void it.apply(NODE_OP, nodeOp('op', REBOOT_N1)),
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
