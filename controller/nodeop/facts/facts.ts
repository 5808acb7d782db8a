/** What is observed of one node, what a step decides, and what is done to the node. */
import type { Operation } from '../../../api/node-agent.js';
import type { NodeAgent } from '../../../api/objects.js';
import type { Reason } from '../../../api/reasons.js';
import { after } from '../../../program/clock.js';
import type { CachedBudget } from '../../cluster/budget.js';
import type { CachedJob } from '../../cluster/job.js';
import type { CachedNode } from '../../cluster/node.js';
import type { CachedPod } from '../../cluster/pod.js';
import type { ParsedNodeOp } from './parsed-nodeop.js';

export interface EvictionRefusal {
  at: Date;
  /** The eviction is not repeated before. */
  notBefore: Date;
  message: string;
}

/** What a dry run of the Pod of the Job found: the API server refused it, or gave no answer about it. */
export interface PodRefusal {
  is: 'refused' | 'unanswered';
  message: string;
  /** When the API server is asked again, where that needs a pass of its own. */
  retryAt?: Date;
}

/** A control plane and the operation that is active on it, as namespace and name. */
export interface ActiveControlPlane {
  node: string;
  operation: string;
}

export interface Facts {
  name: string;
  now: Date;
  nodeOp: ParsedNodeOp;
  /** Absent when the node is not part of the cluster. */
  node?: CachedNode;
  agent?: NodeAgent;
  /** `agent.spec.operation`, if it belongs to this attempt of this operation. */
  ledger?: Operation;
  /** Namespace and name of another operation that has claimed the node. */
  claimedBy?: string;
  /** An older unfinished operation that comes first on this node, with what the user can do about it. */
  olderOperation?: string;
  /** Whether the node may be claimed now: a slot is free and nothing keeps it from starting. */
  hasTurn: boolean;
  job?: CachedJob;
  /** Pods of the Job. */
  jobPods: readonly CachedPod[];
  preflightPod?: CachedPod;
  pullPod?: CachedPod;
  /** When this process created the helper Pods of this attempt; it then knows of them, so that one that is absent has vanished. */
  createdPods?: { readonly preflight?: Date; readonly pull?: Date };
  /** Every pod on the node. */
  pods: readonly CachedPod[];
  /** By uid of the pod. */
  evictionRefusals: ReadonlyMap<string, EvictionRefusal>;
  /** Uids of pods that a controller created on this node in place of evicted ones. */
  replacements: ReadonlySet<string>;
  budgets: readonly CachedBudget[];
  /** Uids of those DaemonSets in the ledger that want a pod on the node as it is now. */
  daemonSets: ReadonlySet<string>;
  /** Empty for workers. */
  otherControlPlanes: {
    notReady?: string;
    /** A static pod of a Ready one that is not Ready. */
    unreadyStaticPod?: { node: string; pod: string };
    /** Has failed, and its agent has not confirmed that it will not reboot. */
    unconfirmed?: string;
    /** Has its turn, reboots or is cordoned. */
    active?: ActiveControlPlane;
    /** Has its turn or reboots. */
    turnHolder?: ActiveControlPlane;
  };
  /** Whether other Nodes have the same system UUID, so that it identifies no machine. */
  isSystemUUIDShared: boolean;
  /** Whether evicted pods have another Ready, schedulable node to go to. */
  hasOtherSchedulableNode: boolean;
  /** Whether the cordon mark on the node names an operation that is not finished. */
  isMarkOwnerActive: boolean;
  /** Whether the status of the NodeOp already has the final phase of the node. */
  isReported: boolean;
  /** Why the Pod of the Job may not be admitted; absent when a dry run was accepted or not needed. */
  podRefusal?: PodRefusal;
  /** The API server's message about the last write for this node that it refused. */
  writeRefusal?: string;
  /** Lowest Kubernetes minor version among the control planes, such as 1.34; absent for control planes. */
  kubernetesCeiling?: string;
  /** Image of the command, or the default image. */
  image: string;
  /** Image of the container that writes the sentinel. */
  sentinelImage?: string;
  /** Namespace of the operator itself; its pods are never evicted. */
  ownNamespace: string;
}

/** A merge patch of the ledger: null removes a field. */
export type LedgerChange = { [Field in keyof Operation]?: Operation[Field] | null };

export type Action =
  | { do: 'claim'; ledger: Operation }
  | { do: 'record'; change: LedgerChange }
  | { do: 'createPod'; pod: 'preflight' | 'pull' }
  | { do: 'deletePods'; pods: readonly CachedPod[] }
  /** Takes the Lease that admits one control plane at a time over all operations. */
  | { do: 'takeControlPlane'; change: LedgerChange }
  | { do: 'cordon' }
  | { do: 'evict'; pods: readonly CachedPod[]; bypassing: 'budgets' | 'nothing' }
  | { do: 'createJob' }
  | { do: 'resumeJob'; job: CachedJob }
  | { do: 'deleteJob'; job: CachedJob }
  /** The Job controller starts no more Pods and terminates the running ones. */
  | { do: 'suspendJob'; job: CachedJob }
  /** Sets the time to live of the Job, once its result is recorded and the Job may be garbage-collected. */
  | { do: 'expireJob'; job: CachedJob; ttlSeconds: number }
  | { do: 'uncordon' }
  | { do: 'release' };

/** An action with the facts that it was decided on. */
export interface PlannedAction {
  facts: Facts;
  action: Action;
}

/** What a step decides for a node. */
export type StepResult =
  | { is: 'done' }
  /** `until`: when to reconcile again even if nothing changes. */
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

/** Fails a step for which the API server has refused a write for startDeadlineSeconds; undefined before that. */
export function refusalTimeout(facts: Facts, step: string, reason: Reason = 'PodRefused'): StepResult | undefined {
  if (facts.writeRefusal === undefined || facts.ledger?.step !== step) return undefined;
  const seconds = facts.nodeOp.spec.startDeadlineSeconds;
  return facts.now >= after(stepStartedAt(facts, step), seconds)
    ? fail(reason, `refused for ${seconds} s: ${facts.writeRefusal}`)
    : undefined;
}

/** When the current step was recorded in the ledger; now, if it is not recorded yet. */
export const stepStartedAt = (facts: Facts, step: string): Date => new Date(facts.ledger?.stepTimes[step] ?? facts.now);
