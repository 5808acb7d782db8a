/** Migrations with wrong clocks, after a short return of the legacy operator, and with an invalid spec and incomplete traces. */
import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import type { NodeAgent, NodeOp } from '../../api/objects.js';
import { ADOPTED_IN_BOOT, ADOPTED_COMPLETE } from '../../controller/cluster/adopted-job.js';
import { JOBS, NODES } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { JobObject, NodeObject } from '../fakes/cluster/object-types.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { SETTLED, OP } from './lifecycle-setup.js';
import {
  runMigration,
  createLegacyOperation,
  NOT_REBOOTED,
  REBOOTED_ONCE,
  REBOOT_N1,
  JOB_RUNNING,
  replaceLegacyOperator,
  AWAITING_REBOOT,
} from './migration-setup.js';

const AHEAD_MS = 3_600_000;
const later = (time: string, ms: number) => new Date(Date.parse(time) + ms).toISOString();

/** The times of a kube-controller-manager that is ahead. */
const withTimesOf = (status: JobObject['status'], seconds: number): JobObject['status'] => {
  const shift = (time = '') => later(time, seconds * 1000);
  const conditions = status?.conditions?.map(each => ({ ...each, lastTransitionTime: shift(each.lastTransitionTime) }));
  return status && { ...status, startTime: shift(status.startTime), ...(conditions ? { conditions } : {}) };
};

/** The clock of the machine was ahead when it booted; the agent keeps the boot time that it read first. */
function bootedAhead(cluster: FakeCluster): void {
  const { host } = cluster.machine('n1');
  const real = host.bootedAt.bind(host);
  host.bootedAt = async () => new Date((await real()).getTime() + AHEAD_MS);
  cluster.api.modify<NodeAgent>(NODE_AGENT, { name: 'n1' }, agent => {
    const { boot } = agent.status ?? {};
    const shifted = boot && { ...boot, since: later(boot.since, AHEAD_MS) };
    return { ...agent, status: { ...agent.status, boot: shifted } };
  });
}

describe('a wrong clock of a node', () => {
  test('does not count as a reboot if the Job ran in the current boot', async () => {
    const { outcome } = await runMigration(it => {
      bootedAhead(it);
      const n1 = { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' } as const;
      createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1 } });
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: REBOOTED_ONCE } });
  });

  test('does not repeat a reboot that a new boot id proves', async () => {
    const { outcome } = await runMigration(it => {
      const n1 = {
        entry: AWAITING_REBOOT,
        cordon: 'marked',
        job: 'complete',
        rebootPod: 'triggered',
        sentinel: true,
      } as const;
      createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1 } });
      const boot = it.api.find<NodeObject>(NODES, { name: 'n1' })?.status?.nodeInfo?.bootID ?? '';
      const lastTransitionTime = later(it.clock.now().toISOString(), 300_000);
      for (const { metadata } of it.api.all(JOBS))
        it.api.modify<JobObject>(JOBS, metadata, job => ({
          ...job,
          metadata: {
            ...job.metadata,
            annotations: { [ADOPTED_IN_BOOT]: boot, [ADOPTED_COMPLETE]: 'true' },
            labels: {
              ...job.metadata.labels,
              'operator.kairos.io/nodeop-uid': job.metadata.ownerReferences?.[0]?.uid ?? '',
            },
          },
          status: { ...job.status, conditions: [{ type: 'Complete', status: 'True', lastTransitionTime }] },
        }));
      it.clock.callAfter(5000, () => it.machine('n1').reboot());
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: { ...NOT_REBOOTED, shutdowns: 'external' } } });
  });
});

describe('a reboot that the legacy operator has triggered', () => {
  const hours = 2 * 3600;

  /** The clock of node n1 is ahead by `node` seconds, that of the kube-controller-manager by `manager`. */
  const rebooting = (node: number, manager: number, happens: (cluster: FakeCluster) => void) =>
    runMigration(
      it => {
        const n1 = { entry: AWAITING_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'triggered' } as const;
        createLegacyOperation(it, { phase: 'Running', spec: REBOOT_N1, nodes: { n1 } });
        for (const { metadata } of it.api.all(JOBS))
          it.api.modify<JobObject>(JOBS, metadata, job => ({ ...job, status: withTimesOf(job.status, manager) }));
        happens(it);
      },
      undefined,
      { nodes: [{ name: 'n1', clockOffsetSeconds: node }, { name: 'n2' }, { name: 'n3' }] },
    );

  test.each([
    ['ahead', hours, -hours],
    ['behind', -hours, hours],
  ])('counts on a node whose clock is hours %s', async (_where, node, manager) => {
    const { outcome } = await rebooting(node, manager, it => it.clock.callAfter(5000, () => it.machine('n1').reboot()));
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: { ...NOT_REBOOTED, shutdowns: 'external' } } });
    expect(outcome.operations.op?.nodes.n1).toBe('Completed Done completed');
  });

  test.each([
    ['ahead', hours, -hours],
    ['behind', -hours, hours],
  ])('fails a node whose clock is hours %s when it does not happen', async (_where, node, manager) => {
    const { outcome } = await rebooting(node, manager, () => undefined);
    expect(outcome.operations.op?.nodes.n1).toBe('Failed NotRebooted cancelled');
  });
});

test('deletes an operation whose startedAt the legacy operator has removed, and releases its nodes', async () => {
  const { outcome, cluster } = await runMigration(
    () => undefined,
    async it => {
      it.apply(NODE_OP, nodeOp('op', REBOOT_N1));
      await it.runUntil(() => it.isRunning('n1', 'nodeop'), 300);
      await replaceLegacyOperator(it, () => {
        it.api.modify<NodeOp>(NODE_OP, OP, op => ({ ...op, status: { ...op.status, startedAt: undefined } }));
        it.delete(NODE_OP, OP);
      });
    },
  );
  expect(cluster.nodeOp('op')).toBeUndefined();
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: REBOOTED_ONCE, n2: NOT_REBOOTED, n3: NOT_REBOOTED } });
});

test('uncordons the nodes of an operation with an invalid spec, even without status entries', async () => {
  const spec = { ...REBOOT_N1, drainOptions: { enabled: true, timeoutSeconds: -1 } };
  const { outcome, cluster } = await runMigration(it => {
    const n1 = { cordon: 'marked', job: 'running', rebootPod: 'waiting' } as const;
    createLegacyOperation(it, { phase: 'Running', spec, nodes: { n1, n2: { cordon: 'marked' } } });
  });
  expect(cluster.nodeOp('op')?.status?.phase).toBe('Failed');
  expect(outcome.nodes).toMatchObject({ n1: NOT_REBOOTED, n2: NOT_REBOOTED });
});
