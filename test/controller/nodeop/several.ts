/** One operation over several nodes, as the tests of its turns and its status see it. */
import type { Operation } from '../../../api/node-agent.js';
import type { NodeStatus } from '../../../api/node-status.js';
import type { NodeOp } from '../../../api/objects.js';
import { decide, type Plan } from '../../../controller/nodeop/decide.js';
import type { Facts } from '../../../controller/nodeop/facts/facts.js';
import { rolloutOrder } from '../../../controller/cluster/targets.js';
import { facts, ledger, node, nodeAgent, NOW, op, ran, type NodeTraits, parsed } from '../../builders.js';

/** A node of the operation: what it is, how far it has got, what its status said last. */
export interface Member extends NodeTraits {
  gone?: boolean;
  heldBy?: string;
  ledger?: Operation;
  before?: Partial<NodeStatus>;
  seen?: Partial<Facts>;
}

export const underWay = (): Member => ({ ledger: ledger() });
export const endedInLedger = (phase: 'Completed' | 'Failed', more: Partial<Operation> = {}): Member => ({
  ledger: ran('Run', { result: { phase, message: phase, at: NOW.toISOString() }, ...more }),
});
export const ended = (phase: 'Completed' | 'Failed', more: Partial<NodeStatus> = {}): Member => ({
  before: { phase, startedAt: NOW.toISOString(), ...more },
});

export function severally(
  spec: object,
  members: Record<string, Member>,
  more: { metadata?: object; status?: NodeOp['status'] } = {},
): Plan {
  const nodeStatuses = Object.fromEntries(
    Object.entries(members).map(([name, { before }]) => [name, { phase: 'Pending' as const, attempt: 1, ...before }]),
  );
  const nodeOp = parsed(op(spec, { ...more, status: { ...more.status, nodeStatuses } }));
  const nodes = new Map(
    Object.entries(members).flatMap(([name, member]) => (member.gone ? [] : [[name, node(name, member)] as const])),
  );
  const all = rolloutOrder(Object.keys(members), name => nodes.get(name)).map(name => {
    const member = members[name];
    const own = member?.ledger && { ...member.ledger, nodeUid: `uid-${name}` };
    const phase = member?.before?.phase;
    return facts(spec, {
      name,
      nodeOp,
      node: nodes.get(name),
      ledger: own,
      agent: nodeAgent({}, own),
      claimedBy: member?.heldBy,
      isReported: phase === 'Completed' || phase === 'Failed',
      ...member?.seen,
    });
  });
  return decide(nodeOp, all, NOW);
}

/** Names of the nodes that are claimed now. */
export const claimed = ({ actions }: Plan): string[] =>
  actions.filter(({ action }) => action.do === 'claim').map(({ facts: { name } }) => name);

/** Why each of the nodes that wait does so. */
export const why = ({ status }: Plan): Record<string, string | undefined> =>
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
