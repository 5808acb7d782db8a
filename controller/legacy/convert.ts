/** Rewrites the status of the legacy operator as this operator would have written it. The walks then continue from it, as after a lost ledger. */
import type { Operation } from '../../api/node-agent.js';
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOpStatus } from '../../api/nodeop.js';
import { cordonMarkOf } from '../cluster/cordon.js';
import { attemptIn } from '../cluster/operation-id.js';
import type { LegacyNodeOp, NodeFacts, OperationStatus, Verdict } from './facts.js';

export interface DecidedNode {
  facts: NodeFacts;
  verdict: Exclude<Verdict, { is: 'act' | 'wait' }>;
}

export const migratedStatus = (
  nodeOp: LegacyNodeOp,
  decided: readonly DecidedNode[],
  { operationStatus, now }: { operationStatus: OperationStatus; now: Date },
): NodeOpStatus =>
  operationStatus(
    withNewStatus(nodeOp, now),
    Object.fromEntries(decided.map(({ facts, verdict }) => [facts.name, nodeStatus(facts, verdict)])),
    now,
  );

/** The legacy operator recorded no start of the operation; the creation of the object comes closest. */
export const withNewStatus = (nodeOp: LegacyNodeOp, now: Date): LegacyNodeOp => ({
  ...nodeOp,
  status: { startedAt: nodeOp.meta.creationTimestamp ?? now.toISOString() },
});

function nodeStatus(facts: NodeFacts, verdict: DecidedNode['verdict']): NodeStatus {
  switch (verdict.is) {
    case 'notStarted':
      return { phase: 'Pending', attempt: 1, rebootStatus: rebootStatus(facts), lastUpdated: facts.now.toISOString() };
    case 'finished':
      return verdict.entry;
    case 'claimed':
      return statusFromLedger(facts, verdict.ledger);
    default:
      return statusFromJob(facts, verdict);
  }
}

const rebootStatus = ({ nodeOp }: NodeFacts) => (nodeOp.spec.rebootOnSuccess ? 'pending' : 'not-requested');

/** The walk continues from the ledger and derives the rest of the entry from it. */
const statusFromLedger = (
  facts: NodeFacts,
  { id, nodeUid, step, stepTimes, job, bootIdBefore, result }: Operation,
): NodeStatus => ({
  phase: 'Running',
  step,
  message: 'continues from the claim of the node',
  jobName: job?.name,
  jobUid: job?.uid,
  nodeUid,
  attempt: attemptIn(id),
  startedAt: stepTimes.Claim,
  bootIdBefore,
  stepTimes,
  ending: result?.phase,
  reason: result?.reason,
  rebootStatus: rebootStatus(facts),
  lastUpdated: facts.now.toISOString(),
});

/** At the step of its Job, whatever the state of that Job: the walk observes it by itself. */
function statusFromJob(facts: NodeFacts, { job, bootIdBefore }: Extract<Verdict, { is: 'continue' }>): NodeStatus {
  const { node, nodeOp, now } = facts;
  const startedAt = job.metadata.creationTimestamp ?? now.toISOString();
  const isCordonedByOperation = cordonMarkOf(node) === nodeOp.cordonMark;
  return {
    phase: 'Running',
    step: 'Run',
    message: 'migrated from the Go operator',
    jobName: job.metadata.name,
    jobUid: job.metadata.uid,
    nodeUid: node?.metadata.uid,
    attempt: 1,
    startedAt,
    ...(bootIdBefore === undefined ? {} : { bootIdBefore }),
    stepTimes: { Claim: startedAt, ...(isCordonedByOperation ? { Cordon: startedAt } : {}), Run: startedAt },
    rebootStatus: rebootStatus(facts),
    lastUpdated: now.toISOString(),
  };
}
