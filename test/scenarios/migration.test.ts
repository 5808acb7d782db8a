/** Operations that the legacy operator had started when it was replaced: each node is rebooted as often as requested, and released. */
import { describe, expect, test } from '@jest/globals';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import { outcomeOf } from './outcome.js';
import { SETTLED, RELEASED, nodesNamed } from './lifecycle-setup.js';
import {
  JOB_CREATED,
  legacyJobsLasting,
  createLegacyOperation,
  type LegacyOperation,
  JOB_RUNNING,
  replaceLegacyOperator,
  AWAITING_REBOOT,
} from './migration-setup.js';
import { PODS } from '../../kube/resources.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';

const scenarioOf = (
  left: LegacyOperation,
  then: (cluster: FakeCluster) => Promise<void> | void = () => undefined,
): Scenario => ({
  name: 'migration',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...legacyJobsLasting(20) },
  run: async cluster => {
    await replaceLegacyOperator(cluster, () => void createLegacyOperation(cluster, left));
    await then(cluster);
  },
  expected: {},
});

const N1 = { nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'n1' } } };
const REBOOT_N1 = { ...N1, cordon: true, rebootOnSuccess: true };
const running = (node: LegacyOperation['nodes'][string], spec: object = REBOOT_N1): LegacyOperation => ({
  spec,
  phase: 'Running',
  nodes: { n1: node },
});

const REBOOTED_ONCE = { ...RELEASED, shutdowns: 'agent' };
const NOT_REBOOTED = { ...RELEASED, shutdowns: '' };

const migrate = async (left: LegacyOperation) => {
  const { outcome, cluster } = await runScenario(scenarioOf(left));
  expect(outcome).toMatchObject(SETTLED);
  return {
    node: outcome.nodes.n1,
    result: outcome.operations.op?.nodes.n1,
    phase: outcome.operations.op?.phase,
    cluster,
  };
};

describe('a node that is to be rebooted', () => {
  test.each([
    ['while its Job runs', { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' }],
    ['after its Job was created and not recorded', { cordon: 'marked', job: 'running', rebootPod: 'waiting' }],
    [
      'after its Job was created a moment ago',
      { entry: JOB_CREATED, cordon: 'marked', job: 'running', rebootPod: 'waiting' },
    ],
    [
      'after its Job completed and before the reboot was triggered',
      { entry: AWAITING_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'waiting', sentinel: true },
    ],
    [
      'after its Job completed and before that was recorded',
      { entry: JOB_RUNNING, cordon: 'marked', job: 'complete', rebootPod: 'waiting', sentinel: true },
    ],
  ] as const)('is rebooted once by its agent if it is migrated %s', async (_words, left) => {
    const { node, result } = await migrate(running(left));
    expect([node, result]).toEqual([REBOOTED_ONCE, 'Completed Done completed']);
  });

  test('is rebooted once if its Job and Pods have labels but no owner references', async () => {
    const left = {
      entry: JOB_RUNNING,
      cordon: 'marked',
      job: 'running',
      rebootPod: 'waiting',
      preflightPod: true,
    } as const;
    const { node, result, cluster } = await migrate({ ...running(left), unowned: true });
    expect([node, result]).toEqual([REBOOTED_ONCE, 'Completed Done completed']);
    expect(cluster.api.all(PODS).map(({ metadata }) => metadata.labels?.['kairos.io/reboot'])).not.toContain('true');
  });

  test('is not rebooted again if the reboot was triggered just before', async () => {
    const left = {
      entry: AWAITING_REBOOT,
      cordon: 'marked',
      job: 'complete',
      rebootPod: 'waiting',
      sentinel: true,
    } as const;
    const alreadyTriggered: Scenario = {
      ...scenarioOf(running(left)),
      run: async cluster => {
        cluster.controllers[0]?.stop();
        await cluster.runFor(5);
        createLegacyOperation(cluster, running(left));
        await cluster.runUntil(() => cluster.machine('n1').shutdowns.length > 0, 60);
        cluster.controllers[1]?.start();
      },
    };
    const { outcome } = await runScenario(alreadyTriggered);
    expect(outcome.nodes.n1).toEqual({ ...RELEASED, shutdowns: 'external' });
    expect(outcome.operations.op?.nodes.n1).toBe('Completed Done completed');
  });

  test('fails as NotRebooted if the triggered reboot never happens', async () => {
    const { node, result } = await migrate(
      running({ entry: AWAITING_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'triggered' }),
    );
    expect([node, result]).toEqual([NOT_REBOOTED, 'Failed NotRebooted cancelled']);
  });

  test('fails as Interrupted and is released if its reboot Pod is missing', async () => {
    const { node, result } = await migrate(running({ entry: AWAITING_REBOOT, cordon: 'marked', job: 'complete' }));
    expect([node, result]).toEqual([NOT_REBOOTED, 'Failed Interrupted cancelled']);
  });

  test('is not rebooted and stays cordoned for inspection if its Job failed', async () => {
    const { node, result } = await migrate(
      running({ entry: JOB_RUNNING, cordon: 'marked', job: 'failed', rebootPod: 'waiting' }),
    );
    expect(result).toBe('Failed JobFailed cancelled');
    expect(node).toEqual({ cordoned: true, cordonMark: 'default/op', claimedBy: undefined, shutdowns: '' });
  });
});

describe('a node that is not to be rebooted', () => {
  const spec = { ...N1, cordon: true };
  test.each([
    ['while its Job runs', { entry: JOB_RUNNING, cordon: 'marked', job: 'running' }],
    ['after its Job completed', { entry: JOB_RUNNING, cordon: 'marked', job: 'complete' }],
    ['after it was only cordoned', { cordon: 'marked' }],
    ['while its preflight runs', { entry: { phase: 'Preflight' }, preflightPod: true }],
  ] as const)('runs its command once and is released if it is migrated %s', async (_words, left) => {
    const { node, result, cluster } = await migrate(running(left, spec));
    expect([node, result]).toEqual([NOT_REBOOTED, 'Completed Done not-requested']);
    expect(cluster.containerRuns.filter(each => each.container === 'nodeop').length).toBeLessThanOrEqual(1);
  });

  test('fails as JobDeleted and is released if its Job was deleted', async () => {
    const { node, result } = await migrate(
      running({ entry: { ...JOB_RUNNING, jobName: 'op-n1-abcde' }, cordon: 'marked' }, spec),
    );
    expect([node, result]).toEqual([NOT_REBOOTED, 'Failed JobDeleted not-requested']);
  });

  test('stays cordoned if it was cordoned manually', async () => {
    const { node, result } = await migrate(running({ entry: JOB_RUNNING, cordon: 'manual', job: 'running' }, spec));
    expect(result).toBe('Completed Done not-requested');
    expect(node).toEqual({ cordoned: true, cordonMark: undefined, claimedBy: undefined, shutdowns: '' });
  });
});

test('reboots each of two nodes once if the migration starts before any agent has reported', async () => {
  const cluster = fakeCluster({ nodes: nodesNamed('n1', 'n2'), ...legacyJobsLasting(20) });
  await cluster.runFor(10);
  const one = {
    entry: AWAITING_REBOOT,
    cordon: 'marked',
    job: 'complete',
    sentinel: true,
    rebootPod: 'waiting',
  } as const;
  const other = { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' } as const;
  createLegacyOperation(cluster, {
    phase: 'Running',
    spec: { cordon: true, rebootOnSuccess: true },
    nodes: { n1: one, n2: other },
  });
  cluster.controllers[0]?.start();
  await cluster.runFor(60);
  for (const agent of cluster.agents.values()) agent.start(2_000);
  const outcome = outcomeOf(cluster, await cluster.runUntilSettled());
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: REBOOTED_ONCE, n2: REBOOTED_ONCE } });
});

test('reboots three control planes one at a time after their Jobs completed', async () => {
  const planes = ['n1', 'n2', 'n3'].map(name => ({ name, controlPlane: true }));
  const one = {
    entry: AWAITING_REBOOT,
    cordon: 'marked',
    job: 'complete',
    sentinel: true,
    rebootPod: 'waiting',
  } as const;
  const left = {
    phase: 'Running',
    spec: { cordon: true, rebootOnSuccess: true },
    nodes: { n1: one, n2: one, n3: one },
  } as const;
  const { outcome, cluster } = await runScenario({ ...scenarioOf(left), cluster: { nodes: planes } });
  expect(outcome.nodes).toEqual({ n1: REBOOTED_ONCE, n2: REBOOTED_ONCE, n3: REBOOTED_ONCE });
  const down = new Set<string>();
  const together = cluster.disruptions.map(({ node, down: isDown }) => {
    if (isDown) down.add(node);
    else down.delete(node);
    return down.size;
  });
  expect(Math.max(...together)).toBe(1);
});
