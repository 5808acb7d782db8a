/**
 * An operation whose spec breaks a rule that the earlier operator did not have. It cannot be gone on with; what was begun comes to an end:
 * no reboot follows, Jobs are let finish, nodes are let go, and then it is told. Pure.
 */
import { LABELS } from '../../api/names.js';
import { NodeOpSpec } from '../../api/nodeop.js';
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOp } from '../../api/objects.js';
import { conditions } from '../cluster/conditions.js';
import { cordonMarkOf } from '../cluster/cordon.js';
import { operationStatus } from '../nodeop/status/operation-status.js';
import { isFinal } from '../cluster/phases.js';
import { parsedNodeOp, type ParsedNodeOp } from '../nodeop/facts/parsed-nodeop.js';
import { hasEnded } from '../cluster/job.js';
import { isAlive } from '../cluster/pod.js';
import type { Action, Facts, NodeFacts, Plan } from './facts.js';
import { isAdopted } from '../cluster/adopted-job.js';
import { isWaiting } from './decide-node.js';
import { adoption, deletion } from './deletion.js';

/** As much of it as is needed to undo what was done. */
export const wishToEnd = (op: NodeOp): ParsedNodeOp =>
  parsedNodeOp(op, NodeOpSpec.parse({ command: ['true'], rebootOnSuccess: op.spec.rebootOnSuccess }));

export function ending(facts: Facts, nodeOp: ParsedNodeOp, fault: string): Plan {
  const { rebootPods, nodes, jobs, readyNodes, now } = facts;
  const helpers = nodes.flatMap(({ preflightPods }) => preflightPods).filter(pod => isHere(pod) && isAlive(pod));
  const pods = [...rebootPods.filter(isWaiting), ...helpers];
  if (pods.length > 0) return { actions: pods.map(deletion) };
  const open = jobs.filter(job => !hasEnded(job) && readyNodes.has(job.metadata.labels?.[LABELS.node] ?? ''));
  const strange = open.filter(job => !isAdopted(job));
  if (strange.length > 0) return { actions: strange.map(adoption) };
  const alive = rebootPods.find(pod => isAlive(pod) && !isHere(pod) && readyNodes.has(pod.spec.nodeName ?? ''));
  const awaited = open[0]?.metadata.name ?? alive?.metadata.name;
  if (awaited !== undefined) return { actions: [], waiting: `waiting for ${awaited} to end; ${fault}` };
  const cordoned = nodes.flatMap(({ node }): Action[] =>
    node && cordonMarkOf(node) === nodeOp.cordonMark ? [{ do: 'uncordon', node }] : [],
  );
  if (cordoned.length > 0) return { actions: cordoned };
  return { actions: [{ do: 'convert', status: told(nodes, nodeOp, { fault, now }) }] };
}

const isHere = ({ metadata }: Facts['rebootPods'][number]): boolean => metadata.deletionTimestamp === undefined;

function told(nodes: readonly NodeFacts[], nodeOp: ParsedNodeOp, { fault, now }: { fault: string; now: Date }) {
  const begun = nodes.filter(({ entry, jobs }) => entry !== undefined || jobs.length > 0);
  const entries = begun.map(facts => [facts.name, entryOf(facts, fault)] as const);
  const startedAt = nodeOp.meta.creationTimestamp ?? now.toISOString();
  const phase = 'Failed' as const;
  const status = operationStatus({ ...nodeOp, status: { startedAt } }, Object.fromEntries(entries), now);
  const words = { phase, message: fault, now, reason: 'InvalidSpec' };
  return { ...status, phase, message: fault, conditions: conditions(nodeOp, words) };
}

function entryOf({ entry, nodeOp, now }: NodeFacts, fault: string): NodeStatus {
  const reboots = nodeOp.spec.rebootOnSuccess;
  if (entry !== undefined && isFinal(entry) && !(reboots && entry.rebootStatus === 'pending')) return entry;
  const at = now.toISOString();
  const message = `not gone on with after its Job: ${fault}`;
  const end = { phase: 'Failed', reason: 'InvalidSpec', message, completedAt: at, lastUpdated: at } as const;
  return { ...entry, ...end, attempt: 1, rebootStatus: reboots ? 'cancelled' : 'not-requested' };
}
