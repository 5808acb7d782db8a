/** What can be seen of one node, and what can be done to it. */
import type { Operation } from '../../../api/node-agent.js';
import type { NodeAgent } from '../../../api/objects.js';
import type { Reason } from '../../../api/reasons.js';
import { after } from '../../../program/clock.js';
import type { CachedBudget } from '../../cluster/budget.js';
import type { CachedJob } from '../../cluster/job.js';
import type { CachedNode } from '../../cluster/node.js';
import type { CachedPod } from '../../cluster/pod.js';
import type { ParsedNodeOp } from './parsed-nodeop.js';

/** An eviction that the API server refused, and when. */
export interface EvictionRefusal {
  at: Date;
  /** Not to be asked again before. */
  notBefore: Date;
  message: string;
}

/** What a dry run of the Pod of the Job found: the API server refused it, or gave no answer about it. */
export interface PodRefusal {
  is: 'refused' | 'unanswered';
  message: string;
}

/** A control plane that is worked on, and by which operation; `turn`: one that has its turn or reboots. */
export interface ActiveControlPlane {
  node: string;
  operation: string;
}

export interface Facts {
  name: string;
  now: Date;
  nodeOp: ParsedNodeOp;
  /** Absent: the node is not part of the cluster. */
  node?: CachedNode;
  agent?: NodeAgent;
  /** `agent.spec.operation`, when it is this operation's. */
  ledger?: Operation;
  /** Namespace and name of another operation that holds the node. */
  claimedBy?: string;
  /** It is this node's turn. */
  hasTurn: boolean;
  job?: CachedJob;
  /** Pods of the Job. */
  jobPods: readonly CachedPod[];
  preflightPod?: CachedPod;
  pullPod?: CachedPod;
  /** Every pod on the node. */
  pods: readonly CachedPod[];
  /** Refused evictions by uid of the pod. */
  evictionRefusals: ReadonlyMap<string, EvictionRefusal>;
  /** Uids of pods that came to the node for one that was evicted from it. */
  replacements: ReadonlySet<string>;
  budgets: readonly CachedBudget[];
  /** Uids of all DaemonSets. */
  daemonSets: ReadonlySet<string>;
  /** Why this control plane may not be disturbed now; empty on workers. */
  otherControlPlanes: { notReady?: string; active?: ActiveControlPlane; turnHolder?: ActiveControlPlane };
  /** Another Ready, schedulable node exists. */
  hasOtherSchedulableNode: boolean;
  /** Does the mark on a node belong to an operation that is not finished? */
  isMarkOwnerActive: boolean;
  /** The NodeOp's status already tells how this node ended. */
  isReported: boolean;
  /** Why the Pod of the Job may not be admitted; absent when a dry run was accepted or not needed. */
  podRefusal?: PodRefusal;
  /** Why the API server refused the last act on this node, in its words. */
  refusedWrite?: string;
  /** Lowest Kubernetes minor among the control planes, such as 1.34. */
  kubernetesCeiling?: string;
  /** Image of the command, the default filled in. */
  image: string;
  /** Namespace of the operator itself; its pods are never evicted. */
  ownNamespace: string;
}

/** Changes to the ledger; null takes a field away. */
export type LedgerChange = { [Field in keyof Operation]?: Operation[Field] | null };

export type Action =
  | { do: 'claim'; ledger: Operation }
  | { do: 'record'; change: LedgerChange }
  | { do: 'createPod'; pod: 'preflight' | 'pull' }
  | { do: 'deletePods'; pods: readonly CachedPod[] }
  /** One walk at a time, of all operations, disturbs a control plane. */
  | { do: 'takeControlPlane'; change: LedgerChange }
  | { do: 'cordon' }
  | { do: 'evict'; pods: readonly CachedPod[]; bypassing: 'budgets' | 'nothing' }
  | { do: 'createJob' }
  | { do: 'resumeJob'; job: CachedJob }
  | { do: 'deleteJob'; job: CachedJob }
  /** No Pod of it starts any more; those that run end with their grace. */
  | { do: 'suspendJob'; job: CachedJob }
  /** From now on the Job's end is written down elsewhere: it may be tidied away. */
  | { do: 'expireJob'; job: CachedJob; ttlSeconds: number }
  | { do: 'uncordon' }
  | { do: 'release' };

/** What one row of the table says of a node. */
export type StepResult =
  | { is: 'done' }
  /** `until`: when it is worth a look even if nothing is heard. */
  | { is: 'wait'; reason: Reason; message: string; until?: Date }
  | { is: 'act'; action: Action; reason?: Reason; message?: string; until?: Date }
  | { is: 'end'; phase: 'Completed' | 'Failed'; reason: Reason; message: string; log?: string; exitCode?: number };

export const DONE: StepResult = { is: 'done' };
export const wait = (reason: Reason, message: string, until?: Date): StepResult => ({
  is: 'wait',
  reason,
  message,
  until,
});
export const act = (action: Action, why: { reason?: Reason; message?: string; until?: Date } = {}): StepResult => ({
  is: 'act',
  action,
  ...why,
});
export const fail = (reason: Reason, message: string, last: { log?: string; exitCode?: number } = {}): StepResult => ({
  is: 'end',
  phase: 'Failed',
  reason,
  message,
  ...last,
});

/** The API server keeps refusing what the step needs: its words, once startDeadlineSeconds have passed since the step was begun. */
export function refusalTimeout(facts: Facts, step: string): StepResult | undefined {
  if (facts.refusedWrite === undefined || facts.ledger?.step !== step) return undefined;
  const seconds = facts.nodeOp.spec.startDeadlineSeconds;
  return facts.now >= after(stepStartedAt(facts, step), seconds)
    ? fail('PodRefused', `refused for ${seconds} s: ${facts.refusedWrite}`)
    : undefined;
}

/** When the step that the node is at was begun. */
export const stepStartedAt = (facts: Facts, step: string): Date => new Date(facts.ledger?.stepTimes[step] ?? facts.now);
