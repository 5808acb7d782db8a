/** The plan for one operation over several nodes, for tests of turns and of the status. */
import type { Operation } from '../../../api/node-agent.js';
import type { NodeStatus } from '../../../api/node-status.js';
import type { NodeOp } from '../../../api/objects.js';
import { decide, type Plan } from '../../../controller/nodeop/decide.js';
import type { Facts } from '../../../controller/nodeop/facts/facts.js';
import { rolloutOrder } from '../../../controller/cluster/targets.js';
import { facts, ledger, node, nodeAgent, NOW, op, ran, type NodeTraits, parsed } from '../../builders.js';

/** A node of the operation: its traits, its ledger and its last status entry. */
export interface NodeSetup extends NodeTraits {
  isAbsent?: boolean;
  claimedBy?: string;
  ledger?: Operation;
  before?: Partial<NodeStatus>;
  facts?: Partial<Facts>;
}

export const activeNode = (): NodeSetup => ({ ledger: ledger() });
export const nodeWithResult = (phase: 'Completed' | 'Failed', more: Partial<Operation> = {}): NodeSetup => ({
  ledger: ran('Run', { result: { phase, message: phase, at: NOW.toISOString() }, ...more }),
});
export const finishedNode = (phase: 'Completed' | 'Failed', more: Partial<NodeStatus> = {}): NodeSetup => ({
  before: { phase, startedAt: NOW.toISOString(), ...more },
});

export function planFor(
  spec: object,
  setups: Record<string, NodeSetup>,
  more: { metadata?: object; status?: NodeOp['status'] } = {},
): Plan {
  const nodeStatuses = Object.fromEntries(
    Object.entries(setups).map(([name, { before }]) => [name, { phase: 'Pending' as const, attempt: 1, ...before }]),
  );
  const nodeOp = parsed(op(spec, { ...more, status: { ...more.status, nodeStatuses } }));
  const nodes = new Map(
    Object.entries(setups).flatMap(([name, setup]) => (setup.isAbsent ? [] : [[name, node(name, setup)] as const])),
  );
  const all = rolloutOrder(Object.keys(setups), name => nodes.get(name)).map(name => {
    const setup = setups[name];
    const own = setup?.ledger && { ...setup.ledger, nodeUid: `uid-${name}` };
    const phase = setup?.before?.phase;
    return facts(spec, {
      name,
      nodeOp,
      node: nodes.get(name),
      ledger: own,
      agent: nodeAgent({}, own),
      claimedBy: setup?.claimedBy,
      isReported: phase === 'Completed' || phase === 'Failed',
      ...setup?.facts,
    });
  });
  return decide(nodeOp, all, NOW);
}

/** Names of the nodes that the plan claims. */
export const claimedNodes = ({ actions }: Plan): string[] =>
  actions.filter(({ action }) => action.do === 'claim').map(({ facts: { name } }) => name);

/** Reasons of the nodes that wait, by name. */
export const waitReasons = ({ status }: Plan): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(status.nodeStatuses ?? {})
      .filter(([, entry]) => entry.phase === 'Pending' && entry.startedAt === undefined)
      .map(([name, { reason }]) => [name, reason]),
  );

export const UPGRADE_OWNER = {
  ownerReferences: [
    { apiVersion: 'operator.kairos.io/v1alpha1', kind: 'NodeOpUpgrade', name: 'op', uid: 'up', controller: true },
  ],
};
