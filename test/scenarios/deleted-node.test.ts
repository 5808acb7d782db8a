/** A Node that is deleted while an operation reboots it: its machine registers again, another one does, or none. */
import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import { NODES } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { type ClusterOptions, nodeOp } from '../fakes/cluster/object-builders.js';
import * as scenarios from './deleted-node-scenarios.js';
import {
  abandonNodeOp,
  claimsOf,
  deleteNodeOp,
  nodeMessage,
  nodesNamed,
  ONLY_N1,
  REBOOT,
  RELEASED,
  runUntil,
  SETTLED,
  untilStep,
  uidOf,
  wasEverCordoned,
} from './lifecycle-setup.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';

const DONE = 'Completed Done completed';
const AT = { name: 'n1' };
const SHARED_UUID = '1ad82a4c-2a18-11b2-a85c-82c3099c6263';

/** An operation over n1 and n2, one after the other. */
const scenario = (
  spec: object,
  meanwhile: Scenario['run'],
  nodes: ClusterOptions['nodes'] = nodesNamed('n1', 'n2'),
): Scenario => ({
  name: '',
  cluster: { nodes },
  run: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, rebootTimeoutSeconds: 600, ...spec }));
    await meanwhile(cluster);
  },
  expected: {},
});

const entryOf = (cluster: FakeCluster, node = 'n1') => cluster.nodeOp('op')?.status?.nodeStatuses?.[node];

/** Cuts the power of n1 while it reboots, and deletes its Node. */
async function loseNode(cluster: FakeCluster): Promise<void> {
  await runUntil(cluster, () => !cluster.machine('n1').up);
  cluster.machine('n1').powerOff();
  cluster.delete(NODES, AT);
  await cluster.runFor(5);
}

describe('the same machine', () => {
  test.each(Object.values(scenarios).map(each => [each.name, each] as const))(
    'is rebooted once and completes, with its Node %s',
    async (_sentence, each) => {
      const { outcome, cluster } = await runScenario(each);
      expect(outcome).toMatchObject({ ...SETTLED, ...each.expected });
      expect(wasEverCordoned(cluster, uidOf(cluster, 'n1'))).toBe(true);
      expect(cluster.api.events.filter(({ reason }) => reason === 'RegisteredAnew')).toHaveLength(1);
    },
  );

  test('is waited for with the time in the message, in its slot', async () => {
    const { outcome, cluster } = await runScenario(
      scenario({}, async it => {
        await loseNode(it);
        await it.runFor(60);
        expect(entryOf(it)).toMatchObject({ phase: 'Running', step: 'Reboot', reason: 'Rebooting' });
        expect(nodeMessage(it)).toMatch(
          /^Node n1 was deleted while it was worked on; waiting until \d{4}-.*Z for its machine/,
        );
        expect(it.nodeOp('op')?.status?.nodes).toMatchObject({ active: 1, pending: 1 });
        it.machine('n1').powerOn();
      }),
    );
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Completed', nodes: { n1: DONE, n2: DONE } } },
    });
    expect(claimsOf(cluster, 'n1').length).toBe(2);
  });

  test.each([
    ['its NodeAgent', () => undefined],
    ['no NodeAgent', ({ api }: FakeCluster) => api.forceRemove(NODE_AGENT, AT)],
  ])('completes when it came back while no controller ran, with %s', async (_sentence, lose) => {
    const { outcome, cluster } = await runScenario(
      scenario(ONLY_N1, async it => {
        await untilStep(it, 'n1', 'Reboot');
        await it.runFor(2);
        it.controllers[0]?.stop();
        await loseNode(it);
        lose(it);
        it.machine('n1').powerOn();
        await it.runFor(1200);
        it.controllers[0]?.start();
      }),
    );
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Completed', nodes: { n1: DONE } } },
      nodes: { n1: { ...RELEASED, shutdowns: 'agent' } },
    });
    expect(wasEverCordoned(cluster, uidOf(cluster, 'n1'))).toBe(true);
  });

  test('is uncordoned and released when the operation was deleted meanwhile', async () => {
    const { outcome } = await runScenario(
      scenario(ONLY_N1, async it => {
        await loseNode(it);
        deleteNodeOp(it);
        await it.runFor(30);
        it.machine('n1').powerOn();
      }),
    );
    expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: RELEASED }, jobsLeft: [] });
  });

  test('is not waited for when the operation is abandoned', async () => {
    const { outcome } = await runScenario(
      scenario(ONLY_N1, async it => {
        await loseNode(it);
        abandonNodeOp(it);
        await runUntil(it, () => it.nodeOp('op') === undefined, 30);
        it.machine('n1').powerOn();
        await it.runFor(120);
      }),
    );
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: { ...RELEASED, shutdowns: 'agent' } } });
  });
});

describe('another machine of the same name', () => {
  test.each<[string, object, string | undefined]>([
    ['at once by its system UUID', {}, undefined],
    ['by its journal when all machines have the same system UUID', { systemUUID: SHARED_UUID }, SHARED_UUID],
    ['by its journal when there are no system UUIDs', { systemUUID: null }, undefined],
  ])('fails the node, recognized %s', async (_sentence, traits, systemUUID) => {
    const nodes = nodesNamed('n1', 'n2').map(node => ({ ...node, ...traits }));
    const { outcome, cluster } = await runScenario(
      scenario(
        {},
        async it => {
          await loseNode(it);
          it.machine('n1').exchange(systemUUID);
          it.machine('n1').powerOn();
          await runUntil(it, () => entryOf(it)?.phase === 'Failed', 60);
        },
        nodes,
      ),
    );
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Failed', nodes: { n1: expect.stringMatching(/^Failed NodeReplaced/), n2: DONE } } },
      nodes: { n1: { ...RELEASED, shutdowns: 'agent' }, n2: RELEASED },
    });
    expect(wasEverCordoned(cluster, uidOf(cluster, 'n1'))).toBe(false);
  });
});

describe('a machine that never comes back', () => {
  /** Runs until shortly before and shortly after the deadline. */
  const overDeadline = (lose: Scenario['run']) => async (cluster: FakeCluster) => {
    await lose(cluster);
    await cluster.runFor(560);
    expect(entryOf(cluster)).toMatchObject({ phase: 'Running', reason: 'Rebooting' });
    expect(entryOf(cluster, 'n2')).toMatchObject({ phase: 'Pending', reason: 'WaitingForTurn' });
    await cluster.runFor(60);
    expect(entryOf(cluster)).toMatchObject({ phase: 'Failed', reason: 'NodeRemoved' });
  };

  test.each<[string, boolean, string, Scenario['run']]>([
    ['lets the next one start', false, DONE, loseNode],
    ['stops the others with stopOnFailure', true, 'Pending Stopped pending', loseNode],
    [
      'lets the next one start when its NodeAgent is gone as well',
      false,
      DONE,
      async cluster => {
        await loseNode(cluster);
        cluster.api.forceRemove(NODE_AGENT, AT);
      },
    ],
  ])('fails as NodeRemoved at rebootTimeoutSeconds, and %s', async (_sentence, stopOnFailure, n2, lose) => {
    const { outcome } = await runScenario(scenario({ stopOnFailure }, overDeadline(lose)));
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Failed', nodes: { n1: expect.stringMatching(/^Failed NodeRemoved/), n2 } } },
      nodes: { n2: RELEASED },
    });
  });

  test('is left alone when it comes back after the deadline', async () => {
    const { outcome } = await runScenario(
      scenario({}, async it => {
        await loseNode(it);
        await it.runFor(700);
        it.machine('n1').powerOn();
        await it.runFor(300);
      }),
    );
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { nodes: { n1: expect.stringMatching(/^Failed NodeRemoved/), n2: DONE } } },
      nodes: { n1: { ...RELEASED, shutdowns: 'agent' } },
    });
  });
});
