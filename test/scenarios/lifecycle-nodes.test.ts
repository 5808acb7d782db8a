/** Nodes that are added, removed, replaced or relabelled while an operation runs. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import type { StepName } from '../../api/node-status.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import {
  SETTLED,
  DRAIN,
  RELEASED,
  wasEverCordoned,
  claimsOf,
  untilStep,
  installOtherMachine,
  registerNode,
  setLabels,
  commandLasting,
  removeNode,
  nodesNamed,
  untilFinished,
  REBOOT,
  untilCommandRuns,
  uidOf,
  WEB,
} from './lifecycle-setup.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';

const DONE = 'Completed Done not-requested';
const ONE_BY_ONE = { cordon: true, concurrency: 1 };

const scenario = (cluster: Scenario['cluster'], run: Scenario['run']): Scenario => ({
  name: '',
  cluster,
  run,
  expected: {},
});
const createNodeOp = (cluster: FakeCluster, spec: object) => void cluster.apply(NODE_OP, nodeOp('op', spec));

describe('a node that joins during the run', () => {
  test('is never touched', async () => {
    const { outcome, cluster } = await runScenario(
      scenario({ nodes: nodesNamed('n1', 'n2', 'n3'), ...commandLasting(60) }, async it => {
        removeNode(it, 'n3');
        await it.runFor(10);
        createNodeOp(it, ONE_BY_ONE);
        await untilCommandRuns(it, 'n1');
        registerNode(it, { name: 'n3' });
      }),
    );
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Completed', nodes: { n1: DONE, n2: DONE } } },
    });
    expect(Object.keys(outcome.commands)).toEqual(['n1 op', 'n2 op']);
    expect(claimsOf(cluster, 'n3')).toEqual([]);
    expect(wasEverCordoned(cluster, uidOf(cluster, 'n3'))).toBe(false);
  });
});

describe('a node that is removed before its turn', () => {
  test('runs when it is added again', async () => {
    const { outcome } = await runScenario(
      scenario({ nodes: nodesNamed('n1', 'n2'), ...commandLasting(60) }, async it => {
        createNodeOp(it, ONE_BY_ONE);
        await untilCommandRuns(it, 'n1');
        removeNode(it, 'n2');
        await it.runFor(20);
        registerNode(it, { name: 'n2' });
      }),
    );
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Completed', nodes: { n1: DONE, n2: DONE } } },
      commands: { 'n1 op': 1, 'n2 op': 1 },
      nodes: { n1: RELEASED, n2: RELEASED },
    });
  });

  test('is counted as completed when it is never added again, because nothing was done there', async () => {
    const { outcome, cluster } = await runScenario(
      scenario({ nodes: nodesNamed('n1', 'n2'), ...commandLasting(60) }, async it => {
        createNodeOp(it, ONE_BY_ONE);
        await untilCommandRuns(it, 'n1');
        removeNode(it, 'n2');
      }),
    );
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Completed', nodes: { n1: DONE, n2: 'Completed NodeRemoved not-requested' } } },
      commands: { 'n1 op': 1 },
    });
    expect(cluster.nodeOp('op')?.status?.nodes).toMatchObject({ total: 2, completed: 2, skipped: 1, failed: 0 });
  });

  test('is not touched until a retry when it is added again after the operation has finished', async () => {
    const { outcome, cluster } = await runScenario(
      scenario({ nodes: nodesNamed('n1', 'n2') }, async it => {
        createNodeOp(it, ONE_BY_ONE);
        await untilCommandRuns(it, 'n1');
        removeNode(it, 'n2');
        await untilFinished(it);
        registerNode(it, { name: 'n2' });
        await it.runFor(120);
      }),
    );
    expect(outcome).toMatchObject({ ...SETTLED, commands: { 'n1 op': 1 } });
    expect(claimsOf(cluster, 'n2')).toEqual([]);
  });
});

describe('a node that is replaced in the middle of its walk', () => {
  const registerAgain = (cluster: FakeCluster) => {
    removeNode(cluster, 'n1');
    registerNode(cluster, { name: 'n1' });
  };
  const otherMachine = (cluster: FakeCluster) => installOtherMachine(cluster, 'n1');
  const STEPS: [StepName, string, object, (cluster: FakeCluster) => void][] = [
    ['Drain', 'without a reboot', DRAIN, registerAgain],
    ['Run', 'without a reboot', DRAIN, registerAgain],
    ['Run', 'before a reboot', REBOOT, registerAgain],
    ['Reboot', 'by another machine, with the reboot requested', REBOOT, otherMachine],
    ['Verify', 'by another machine, after the reboot', { ...REBOOT, settleSeconds: 30 }, otherMachine],
  ];
  test.each(STEPS)(
    'fails at %s %s, and the new node is neither cordoned nor claimed',
    async (step, _words, spec, replace) => {
      let claimsBefore: string[] = [];
      const { outcome, cluster } = await runScenario(
        scenario({ nodes: nodesNamed('n1', 'n2'), ...WEB, ...commandLasting(60) }, async it => {
          await it.runFor(20);
          createNodeOp(it, { ...spec, concurrency: 1 });
          await untilStep(it, 'n1', step);
          claimsBefore = claimsOf(it, 'n1');
          replace(it);
        }),
      );
      expect(outcome).toMatchObject({
        ...SETTLED,
        operations: { op: { phase: 'Failed', nodes: { n1: expect.stringMatching(/^Failed NodeReplaced/) } } },
        nodes: { n1: RELEASED, n2: RELEASED },
      });
      expect(claimsOf(cluster, 'n1')).toEqual(claimsBefore);
      expect(wasEverCordoned(cluster, uidOf(cluster, 'n1'))).toBe(false);
      const reboots = cluster.machine('n1').shutdowns.filter(why => why === 'agent');
      expect(reboots.length).toBeLessThanOrEqual(step === 'Reboot' || step === 'Verify' ? 1 : 0);
      expect(cluster.isRunning('n1', 'nodeop')).toBe(false);
    },
  );
});

describe('labels that change during the run', () => {
  test('neither add a node to the targets nor remove one', async () => {
    const [a, b] = [{ pool: 'a' }, { pool: 'b' }];
    const { outcome, cluster } = await runScenario(
      scenario(
        {
          nodes: [
            { name: 'n1', labels: a },
            { name: 'n2', labels: a },
            { name: 'n3', labels: b },
          ],
          ...commandLasting(30),
        },
        async it => {
          createNodeOp(it, { ...ONE_BY_ONE, nodeSelector: { matchLabels: a } });
          await untilCommandRuns(it, 'n1');
          setLabels(it, 'n1', { pool: null });
          setLabels(it, 'n2', b);
          setLabels(it, 'n3', a);
        },
      ),
    );
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Completed', nodes: { n1: DONE, n2: DONE } } },
      nodes: { n1: RELEASED, n2: RELEASED, n3: RELEASED },
    });
    expect(Object.keys(outcome.commands)).toEqual(['n1 op', 'n2 op']);
    expect(claimsOf(cluster, 'n3')).toEqual([]);
  });
});
