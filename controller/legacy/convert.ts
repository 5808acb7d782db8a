/** The status of an operation as an earlier operator left it → as we would have written it. The walks go on from there, as after a lost ledger. */
import type { Operation } from '../../api/node-agent.js';
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOpStatus } from '../../api/nodeop.js';
import { cordonMarkOf } from '../cluster/cordon.js';
import { operationStatus } from '../nodeop/status/operation-status.js';
import { attemptIn } from '../cluster/operation-id.js';
import type { NodeFacts, Verdict } from './facts.js';

export interface Judged {
  facts: NodeFacts;
  verdict: Exclude<Verdict, { is: 'act' | 'wait' }>;
}

export function converted(judged: readonly Judged[], { nodeOp, now }: Pick<NodeFacts, 'nodeOp' | 'now'>): NodeOpStatus {
  const entries = judged.map(({ facts, verdict }) => [facts.name, entryOf(facts, verdict)] as const);
  const startedAt = nodeOp.meta.creationTimestamp ?? now.toISOString();
  const begun = { ...nodeOp, status: { startedAt } };
  return operationStatus(begun, Object.fromEntries(entries), now);
}

function entryOf(facts: NodeFacts, verdict: Judged['verdict']): NodeStatus {
  switch (verdict.is) {
    case 'fresh':
      return { phase: 'Pending', attempt: 1, rebootStatus: rebootStatus(facts), lastUpdated: facts.now.toISOString() };
    case 'ended':
      return verdict.entry;
    case 'ours':
      return asClaimed(facts, verdict.ledger);
    default:
      return underWay(facts, verdict);
  }
}

const rebootStatus = ({ nodeOp }: NodeFacts) => (nodeOp.spec.rebootOnSuccess ? 'pending' : 'not-requested');

/** The walk goes on from its ledger; the rest of the entry follows from that. */
const asClaimed = (
  facts: NodeFacts,
  { id, nodeUid, step, stepTimes, job, bootIdBefore, result }: Operation,
): NodeStatus => ({
  phase: 'Running',
  step,
  message: 'its claim is there: going on',
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

/** At its Job, whatever became of that: the walk looks for itself. */
function underWay(facts: NodeFacts, { job, bootIdBefore }: Extract<Verdict, { is: 'takeUp' }>): NodeStatus {
  const { node, nodeOp, now } = facts;
  const begunAt = job.status?.startTime ?? job.metadata.creationTimestamp ?? now.toISOString();
  const isOurs = cordonMarkOf(node) === nodeOp.cordonMark;
  return {
    phase: 'Running',
    step: 'Run',
    message: 'taken over from an earlier operator',
    jobName: job.metadata.name,
    jobUid: job.metadata.uid,
    nodeUid: node?.metadata.uid,
    attempt: 1,
    startedAt: begunAt,
    ...(bootIdBefore === undefined ? {} : { bootIdBefore }),
    stepTimes: { Claim: begunAt, ...(isOurs ? { Cordon: begunAt } : {}), Run: begunAt },
    rebootStatus: rebootStatus(facts),
    lastUpdated: now.toISOString(),
  };
}
