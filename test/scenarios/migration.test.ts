/** Operations that the operator written in Go had under way when it was replaced: each node is disturbed as often as was asked, and then free. */
import { describe, expect, test } from '@jest/globals';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import { outcomeOf } from './outcome.js';
import { SETTLED, RELEASED, nodesNamed } from './lifecycle-setup.js';
import { CREATED, itsJobsLast, leaves, type OperationLeft, RUNNING, succeeds, TO_REBOOT } from './migration-setup.js';
import { PODS } from '../../kube/resources.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';

const story = (
  left: OperationLeft,
  then: (cluster: FakeCluster) => Promise<void> | void = () => undefined,
): Scenario => ({
  name: 'taken over',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...itsJobsLast(20) },
  run: async cluster => {
    await succeeds(cluster, () => void leaves(cluster, left));
    await then(cluster);
  },
  expected: {},
});

const N1 = { nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'n1' } } };
const REBOOTS = { ...N1, cordon: true, rebootOnSuccess: true };
const running = (node: OperationLeft['nodes'][string], spec: object = REBOOTS): OperationLeft => ({
  spec,
  phase: 'Running',
  nodes: { n1: node },
});

const ONCE = { ...RELEASED, shutdowns: 'agent' };
const NEVER = { ...RELEASED, shutdowns: '' };

const ended = async (left: OperationLeft) => {
  const { outcome, cluster } = await runScenario(story(left));
  expect(outcome).toMatchObject(SETTLED);
  return {
    node: outcome.nodes.n1,
    told: outcome.operations.op?.nodes.n1,
    phase: outcome.operations.op?.phase,
    cluster,
  };
};

describe('a node that was to be rebooted', () => {
  test.each([
    ['its Job runs', { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' }],
    ['its Job was made, and not written down', { cordon: 'marked', job: 'running', rebootPod: 'waits' }],
    ['its Job was made a moment ago', { entry: CREATED, cordon: 'marked', job: 'running', rebootPod: 'waits' }],
    [
      'its Job is complete, and the reboot not called yet',
      { entry: TO_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'waits', sentinel: true },
    ],
    [
      'its Job is complete, which nobody has written down yet',
      { entry: RUNNING, cordon: 'marked', job: 'complete', rebootPod: 'waits', sentinel: true },
    ],
  ] as const)('%s: the agent reboots it, once', async (_words, left) => {
    const { node, told } = await ended(running(left));
    expect([node, told]).toEqual([ONCE, 'Completed Done completed']);
  });

  test('what was made for it says by its labels alone whose it is: the same', async () => {
    const left = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits', preflightPod: true } as const;
    const { node, told, cluster } = await ended({ ...running(left), unowned: true });
    expect([node, told]).toEqual([ONCE, 'Completed Done completed']);
    expect(cluster.api.all(PODS).map(({ metadata }) => metadata.labels?.['kairos.io/reboot'])).not.toContain('true');
  });

  test('its reboot was called just before: it is not called again', async () => {
    const left = { entry: TO_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'waits', sentinel: true } as const;
    const calledAlready: Scenario = {
      ...story(running(left)),
      run: async cluster => {
        cluster.controllers[0]?.stop();
        await cluster.runFor(5);
        leaves(cluster, running(left));
        await cluster.runUntil(() => cluster.machine('n1').shutdowns.length > 0, 60);
        cluster.controllers[1]?.start();
      },
    };
    const { outcome } = await runScenario(calledAlready);
    expect(outcome.nodes.n1).toEqual({ ...RELEASED, shutdowns: 'external' });
    expect(outcome.operations.op?.nodes.n1).toBe('Completed Done completed');
  });

  test('it said that it calls the reboot, and never did: nobody calls it again, and it is told', async () => {
    const { node, told } = await ended(
      running({ entry: TO_REBOOT, cordon: 'marked', job: 'complete', rebootPod: 'called' }),
    );
    expect([node, told]).toEqual([NEVER, 'Failed NotRebooted cancelled']);
  });

  test('nobody is left who would reboot it, or has: it is told, and the node let go', async () => {
    const { node, told } = await ended(running({ entry: TO_REBOOT, cordon: 'marked', job: 'complete' }));
    expect([node, told]).toEqual([NEVER, 'Failed Interrupted cancelled']);
  });

  test('its Job failed: it is not rebooted, and left for inspection as was asked', async () => {
    const { node, told } = await ended(
      running({ entry: RUNNING, cordon: 'marked', job: 'failed', rebootPod: 'waits' }),
    );
    expect(told).toBe('Failed JobFailed cancelled');
    expect(node).toEqual({ cordoned: true, cordonMark: 'default/op', claimedBy: undefined, shutdowns: '' });
  });
});

describe('a node that was not to be rebooted', () => {
  const spec = { ...N1, cordon: true };
  test.each([
    ['its Job runs', { entry: RUNNING, cordon: 'marked', job: 'running' }],
    ['its Job is complete', { entry: RUNNING, cordon: 'marked', job: 'complete' }],
    ['it was cordoned, and nothing else done', { cordon: 'marked' }],
    ['its preflight runs', { entry: { phase: 'Preflight' }, preflightPod: true }],
  ] as const)('%s: its command runs once, and it is let go', async (_words, left) => {
    const { node, told, cluster } = await ended(running(left, spec));
    expect([node, told]).toEqual([NEVER, 'Completed Done not-requested']);
    expect(cluster.containerRuns.filter(each => each.container === 'nodeop').length).toBeLessThanOrEqual(1);
  });

  test('its Job is gone: that is told, and the node let go', async () => {
    const { node, told } = await ended(
      running({ entry: { ...RUNNING, jobName: 'op-n1-abcde' }, cordon: 'marked' }, spec),
    );
    expect([node, told]).toEqual([NEVER, 'Failed JobDeleted not-requested']);
  });

  test('somebody had cordoned it by hand: it stays so', async () => {
    const { node, told } = await ended(running({ entry: RUNNING, cordon: 'by hand', job: 'running' }, spec));
    expect(told).toBe('Completed Done not-requested');
    expect(node).toEqual({ cordoned: true, cordonMark: undefined, claimedBy: undefined, shutdowns: '' });
  });
});

test('on the first day, before any agent has spoken, two nodes at once: each is rebooted once', async () => {
  const cluster = fakeCluster({ nodes: nodesNamed('n1', 'n2'), ...itsJobsLast(20) });
  await cluster.runFor(10);
  const one = { entry: TO_REBOOT, cordon: 'marked', job: 'complete', sentinel: true, rebootPod: 'waits' } as const;
  const other = { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' } as const;
  leaves(cluster, { phase: 'Running', spec: { cordon: true, rebootOnSuccess: true }, nodes: { n1: one, n2: other } });
  cluster.controllers[0]?.start();
  await cluster.runFor(60);
  for (const agent of cluster.agents.values()) agent.start(2_000);
  const outcome = outcomeOf(cluster, await cluster.runUntilSettled());
  expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: ONCE, n2: ONCE } });
});

test('three control planes at the end of their Jobs: one after the other is rebooted', async () => {
  const planes = ['n1', 'n2', 'n3'].map(name => ({ name, controlPlane: true }));
  const one = { entry: TO_REBOOT, cordon: 'marked', job: 'complete', sentinel: true, rebootPod: 'waits' } as const;
  const left = {
    phase: 'Running',
    spec: { cordon: true, rebootOnSuccess: true },
    nodes: { n1: one, n2: one, n3: one },
  } as const;
  const { outcome, cluster } = await runScenario({ ...story(left), cluster: { nodes: planes } });
  expect(outcome.nodes).toEqual({ n1: ONCE, n2: ONCE, n3: ONCE });
  const down = new Set<string>();
  const together = cluster.disruptions.map(({ node, down: isDown }) => {
    if (isDown) down.add(node);
    else down.delete(node);
    return down.size;
  });
  expect(Math.max(...together)).toBe(1);
});
