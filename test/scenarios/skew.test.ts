/** Controller, webhook and agents of adjacent releases run side by side while the operator itself is updated. */
import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import type { NodeAgent, NodeOp } from '../../api/objects.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import {
  SETTLED,
  RELEASED,
  untilStep,
  commandLasting,
  ledgerOf,
  nodesNamed,
  OP,
  REBOOT,
  untilCommandRuns,
  runUntil,
} from './lifecycle-setup.js';
import { runScenario } from './run-scenario.js';

const ONCE = { ...RELEASED, shutdowns: 'agent' };
const NEVER = { ...RELEASED, shutdowns: '' };

const runDuringUpdate = (run: (cluster: FakeCluster) => Promise<void> | void, count = 3) =>
  runScenario({
    name: 'the operator is updated',
    cluster: { nodes: nodesNamed(...['n1', 'n2', 'n3'].slice(0, count)), ...commandLasting(10) },
    run,
    expected: {},
  });

/** Replaces one agent after the other; each is down for a while. */
async function rollAgents(cluster: FakeCluster): Promise<void> {
  for (const agent of cluster.agents.values()) {
    agent.stop();
    await cluster.runFor(3);
    agent.start(0);
    await cluster.runFor(2);
  }
}

/** Stops the old controller before the new one starts. */
async function rollController(cluster: FakeCluster): Promise<void> {
  cluster.controllers[0]?.stop();
  await cluster.runFor(3);
  cluster.controllers[1]?.start();
}

describe('an update of the operator during an operation on three nodes', () => {
  test.each([
    ['while a command runs', untilCommandRuns],
    ['while a node reboots', (cluster: FakeCluster, node: string) => untilStep(cluster, node, 'Reboot')],
    [
      'while a node comes back',
      (cluster: FakeCluster, node: string) => runUntil(cluster, () => !cluster.machine(node).up),
    ],
    ['as a node is claimed', (cluster: FakeCluster, node: string) => untilStep(cluster, node, 'Claim')],
  ] as const)('reboots each node once when it happens %s', async (_when, reachPoint) => {
    const { outcome } = await runDuringUpdate(async cluster => {
      cluster.apply(NODE_OP, nodeOp('op', REBOOT));
      await reachPoint(cluster, 'n2');
      const rolled = rollAgents(cluster);
      await rollController(cluster);
      await rolled;
    });
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Completed' } },
      nodes: { n1: ONCE, n2: ONCE, n3: ONCE },
    });
  });
});

/** Stops the agent and leaves a NodeAgent status of an agent with another contract version. */
function foreignAgent({ agents, api }: FakeCluster, node: string): void {
  agents.get(node)?.stop();
  api.modify<NodeAgent>(NODE_AGENT, { name: node }, agent => ({
    ...agent,
    status: { ...agent.status, contract: 2, agentVersion: '9.9.0' },
  }));
}

describe('an agent with another contract version', () => {
  const op = (cluster: FakeCluster) => void cluster.apply(NODE_OP, nodeOp('op', REBOOT));

  test('makes the node wait until an agent of this release runs', async () => {
    const { outcome } = await runDuringUpdate(async cluster => {
      foreignAgent(cluster, 'n1');
      op(cluster);
      await untilStep(cluster, 'n1', 'Claim');
      await cluster.runFor(30);
      expect(cluster.nodeOp('op')?.status?.nodeStatuses?.n1?.message).toContain('has contract 2');
      cluster.agents.get('n1')?.start(0);
    }, 1);
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: ONCE } });
  });

  test('fails the node with its version in the message, without starting anything on it', async () => {
    const { outcome, cluster } = await runDuringUpdate(it => {
      foreignAgent(it, 'n1');
      op(it);
    }, 1);
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: NEVER } });
    expect(cluster.nodeOp('op')?.status?.nodeStatuses?.n1).toMatchObject({
      phase: 'Failed',
      reason: 'AgentNotAnswering',
      message: expect.stringContaining('version 9.9.0'),
    });
    expect(cluster.containerRuns.filter(({ container }) => container === 'nodeop')).toEqual([]);
  });
});

describe('a webhook of another release', () => {
  test('may omit newer defaults when it is older', async () => {
    const { outcome } = await runDuringUpdate(({ api }) => {
      api.put(NODE_OP, { ...nodeOp('op'), spec: { command: ['true'], rebootOnSuccess: true, cordon: true } });
    }, 1);
    expect(outcome).toMatchObject({ ...SETTLED, operations: { op: { phase: 'Completed' } }, nodes: { n1: ONCE } });
  });

  test('may admit unknown fields when it is newer', async () => {
    const { outcome } = await runDuringUpdate(cluster => {
      cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, unheardOf: { field: true } }));
    }, 1);
    expect(outcome).toMatchObject({ ...SETTLED, operations: { op: { phase: 'Completed' } }, nodes: { n1: ONCE } });
  });
});

describe('an older controller after a newer one', () => {
  /** Writes the ledger and status that a newer controller left in the middle of a walk. */
  const newer = (step: 'Pull' | 'Run') => (cluster: FakeCluster) => {
    cluster.controllers[0]?.stop();
    cluster.api.modify<NodeAgent>(NODE_AGENT, { name: 'n1' }, agent => {
      const operation = { ...agent.spec.operation, step: 'Snapshot', unheardOf: 1 };
      const stepTimes = { ...agent.spec.operation?.stepTimes, Snapshot: '2026-01-01T00:00:00Z' };
      return { ...agent, spec: { ...agent.spec, operation: { ...operation, stepTimes } } } as object as NodeAgent;
    });
    cluster.api.modify<NodeOp>(NODE_OP, OP, op => {
      const entry = { ...op.status?.nodeStatuses?.n1, step: 'Snapshot', reason: 'Snapshotting' };
      return { ...op, status: { ...op.status, nodeStatuses: { n1: entry } } } as object as NodeOp;
    });
    expect(ledgerOf(cluster, 'n1')?.stepTimes[step]).toBeDefined();
    cluster.controllers[1]?.start();
  };

  test.each(['Pull', 'Run'] as const)('continues from %s, the last step that it knows', async step => {
    const { outcome, cluster } = await runDuringUpdate(async it => {
      it.apply(NODE_OP, nodeOp('op', { ...REBOOT, drainOptions: undefined }));
      await untilStep(it, 'n1', step);
      if (step === 'Run') await untilCommandRuns(it, 'n1');
      newer(step)(it);
    }, 1);
    expect(outcome).toMatchObject({ ...SETTLED, operations: { op: { phase: 'Completed' } }, nodes: { n1: ONCE } });
    expect(cluster.containerRuns.filter(({ container }) => container === 'nodeop')).toHaveLength(1);
  });
});
