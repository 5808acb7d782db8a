/** Takeovers where clocks lie, where another operator had been back for a moment, and where a spec is wrong and its traces are few. */
import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import type { NodeAgent, NodeOp } from '../../api/objects.js';
import { ADOPTED_IN_BOOT, ADOPTED_COMPLETE } from '../../controller/cluster/adopted-job.js';
import { JOBS, NODES } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { JobObject, NodeObject } from '../fakes/cluster/object-types.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { SETTLED, OP } from './lifecycle-setup.js';
import { after, leaves, NEVER, ONCE, REBOOTS, RUNNING, succeeds, TO_REBOOT } from './migration-setup.js';

const AHEAD_MS = 3_600_000;
const later = (time: string, ms: number) => new Date(Date.parse(time) + ms).toISOString();

/** The clock of the machine ran ahead when it booted; the agent keeps the time that it read first. */
function bootedAhead(cluster: FakeCluster): void {
  const { host } = cluster.machine('n1');
  const real = host.bootedAt.bind(host);
  host.bootedAt = async () => new Date((await real()).getTime() + AHEAD_MS);
  cluster.api.modify<NodeAgent>(NODE_AGENT, { name: 'n1' }, agent => {
    const { boot } = agent.status ?? {};
    const told = boot && { ...boot, since: later(boot.since, AHEAD_MS) };
    return { ...agent, status: { ...agent.status, boot: told } };
  });
}

describe('a clock of a node that is wrong', () => {
  test('does not make a reboot of a Job that ran in the boot that still runs', async () => {
    const { outcome } = await after(it => {
      bootedAhead(it);
      const n1 = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
      leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1 } });
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: ONCE } });
  });

  test('does not call a reboot again that another boot proves', async () => {
    const { outcome } = await after(it => {
      const n1 = { entry: TO_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'called', sentinel: true } as const;
      leaves(it, { phase: 'Running', spec: REBOOTS, nodes: { n1 } });
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
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: { ...NEVER, shutdowns: 'external' } } });
  });
});

test('an operation of ours whose beginning another operator wiped out is deleted all the same, and lets its nodes go', async () => {
  const { outcome, cluster } = await after(
    () => undefined,
    async it => {
      it.apply(NODE_OP, nodeOp('op', REBOOTS));
      await it.runUntil(() => it.isRunning('n1', 'nodeop'), 300);
      await succeeds(it, () => {
        it.api.modify<NodeOp>(NODE_OP, OP, op => ({ ...op, status: { ...op.status, startedAt: undefined } }));
        it.delete(NODE_OP, OP);
      });
    },
  );
  expect(cluster.nodeOp('op')).toBeUndefined();
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: ONCE, n2: NEVER, n3: NEVER } });
});

test('a spec that is wrong leaves no cordon behind, also where the status has no entry yet', async () => {
  const spec = { ...REBOOTS, drainOptions: { enabled: true, timeoutSeconds: -1 } };
  const { outcome, cluster } = await after(it => {
    const n1 = { cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
    leaves(it, { phase: 'Running', spec, nodes: { n1, n2: { cordon: 'marked' } } });
  });
  expect(cluster.nodeOp('op')?.status?.phase).toBe('Failed');
  expect(outcome.nodes).toMatchObject({ n1: NEVER, n2: NEVER });
});
