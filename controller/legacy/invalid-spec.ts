/**
 * A NodeOp whose spec breaks a rule that the legacy operator did not have. It cannot be continued, so what was started is brought to an
 * end: no reboot follows, running Jobs finish, nodes are uncordoned, and then the operation fails with the rule as its message. Pure.
 */
import { LABELS } from '../../api/names.js';
import { NodeOpSpec, type NodeOpStatus } from '../../api/nodeop.js';
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOp } from '../../api/objects.js';
import { isAdopted } from '../cluster/adopted-job.js';
import { conditions } from '../cluster/conditions.js';
import { cordonMarkOf } from '../cluster/cordon.js';
import { hasEnded } from '../cluster/job.js';
import { isFinal } from '../cluster/phases.js';
import { isAlive } from '../cluster/pod.js';
import { withNewStatus } from './convert.js';
import { adoptWithoutReboot, deletePod } from './deletion.js';
import type { Action, Facts, LegacyNodeOp, NodeFacts, OperationStatus, ParseNodeOp, Plan } from './facts.js';
import { isBeingDeleted, isWaitingToReboot } from './reboot-pod.js';
import { isTerminating } from '../cluster/metadata.js';

/** The valid part of the spec that is needed to undo what was started. */
export function minimalNodeOp(op: NodeOp, parse: ParseNodeOp): LegacyNodeOp {
  const spec = NodeOpSpec.parse({ command: ['true'], rebootOnSuccess: op.spec.rebootOnSuccess });
  const parsed = parse({ ...op, spec });
  if (parsed.fault !== undefined) throw new Error(`a minimal spec is invalid: ${parsed.fault}`);
  return parsed.nodeOp;
}

export function planInvalidSpec(facts: Facts, fault: string, operationStatus: OperationStatus): Plan {
  const { rebootPods, nodes, jobs, readyNodes, nodeOp } = facts;
  const preflightPods = nodes.flatMap(each => each.preflightPods).filter(pod => !isTerminating(pod) && isAlive(pod));
  const pods = [...rebootPods.filter(isWaitingToReboot), ...preflightPods];
  if (pods.length > 0) return { actions: pods.map(deletePod) };
  const running = jobs.filter(job => !hasEnded(job) && readyNodes.has(job.metadata.labels?.[LABELS.node] ?? ''));
  const notAdopted = running.filter(job => !isAdopted(job));
  if (notAdopted.length > 0) return { actions: notAdopted.map(job => adoptWithoutReboot(job, facts.now)) };
  const terminating = rebootPods.find(pod => isBeingDeleted(pod, facts.now) && readyNodes.has(pod.spec.nodeName ?? ''));
  const awaited = running[0]?.metadata.name ?? terminating?.metadata.name;
  if (awaited !== undefined) return { actions: [], waiting: `waiting for ${awaited} to finish; ${fault}` };
  const cordoned = nodes.flatMap(({ node }): Action[] =>
    node && cordonMarkOf(node) === nodeOp.cordonMark ? [{ do: 'uncordon', node }] : [],
  );
  if (cordoned.length > 0) return { actions: cordoned };
  return { actions: [{ do: 'migrateStatus', status: failedStatus(facts, fault, operationStatus) }] };
}

function failedStatus({ nodes, nodeOp, now }: Facts, fault: string, operationStatus: OperationStatus): NodeOpStatus {
  const started = nodes.filter(({ entry, jobs }) => entry !== undefined || jobs.length > 0);
  const entries = started.map(facts => [facts.name, failedEntry(facts, fault)] as const);
  const status = operationStatus(withNewStatus(nodeOp, now), Object.fromEntries(entries), now);
  const failure = { phase: 'Failed' as const, message: fault };
  return { ...status, ...failure, conditions: conditions(nodeOp, { ...failure, now, reason: 'InvalidSpec' }) };
}

function failedEntry({ entry, nodeOp, now }: NodeFacts, fault: string): NodeStatus {
  const reboots = nodeOp.spec.rebootOnSuccess;
  if (entry !== undefined && isFinal(entry) && !(reboots && entry.rebootStatus === 'pending')) return entry;
  const at = now.toISOString();
  const message = `not continued after its Job: ${fault}`;
  const end = { phase: 'Failed', reason: 'InvalidSpec', message, completedAt: at, lastUpdated: at } as const;
  return { ...entry, ...end, attempt: 1, rebootStatus: reboots ? 'cancelled' : 'not-requested' };
}
