/** What is observed of a NodeOp that the legacy operator may have started, and the actions that can be taken on it. */
import type { Operation } from '../../api/node-agent.js';
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOpSpec, NodeOpStatus } from '../../api/nodeop.js';
import type { NodeAgent, NodeOp, ObjectMeta } from '../../api/objects.js';
import type { CachedJob } from '../cluster/job.js';
import type { CachedNode } from '../cluster/node.js';
import type { CachedPod } from '../cluster/pod.js';

/** A parsed NodeOp, with as much of it as the migration needs. */
export interface LegacyNodeOp {
  meta: ObjectMeta;
  spec: NodeOpSpec;
  status: NodeOpStatus;
  /** Cordon mark of the nodes that this operation cordoned. */
  cordonMark: string;
  isDeleting: boolean;
  /** Being deleted with the request to wait for nothing. */
  isAbandoned: boolean;
}

/** Provided by the NodeOp controller: `fault` tells which rule the spec breaks. */
export type ParseNodeOp = (op: NodeOp) => { nodeOp: LegacyNodeOp; fault?: undefined } | { fault: string };

/** Provided by the NodeOp controller: the status of a whole operation from the entries of its nodes. */
export type OperationStatus = (
  nodeOp: LegacyNodeOp,
  nodeStatuses: Record<string, NodeStatus>,
  now: Date,
) => NodeOpStatus;

export interface NodeFacts {
  name: string;
  now: Date;
  /** When this controller became the leader. Agents need a moment after that to report. */
  leadingSince: Date;
  nodeOp: LegacyNodeOp;
  /** Status entry as the legacy operator left it. */
  entry?: NodeStatus;
  node?: CachedNode;
  agent?: NodeAgent;
  /** All Jobs that the legacy operator created for this node. */
  jobs: readonly CachedJob[];
  /** The newest of them, which decides how the node ends. */
  job?: CachedJob;
  /** Pods that wait for the sentinel of the Job and then reboot the node. */
  rebootPods: readonly CachedPod[];
  preflightPods: readonly CachedPod[];
}

export interface Facts {
  op: NodeOp;
  /** With an invalid spec, only the part of it that is needed to release the nodes. */
  nodeOp: LegacyNodeOp;
  /** The rule that an invalid spec breaks. */
  fault?: string;
  /** The legacy operator started it, and its status is not migrated yet. */
  isLegacyOwned: boolean;
  now: Date;
  /** Its targets, and all other nodes on which it left something. */
  nodes: readonly NodeFacts[];
  /** Jobs of the whole operation. */
  jobs: readonly CachedJob[];
  /** Pods of those Jobs. */
  jobPods: readonly CachedPod[];
  rebootPods: readonly CachedPod[];
  readyNodes: ReadonlySet<string>;
}

export type Action =
  /** Labels the Job as one of this operator. `boot` is the boot id in which no reboot had been triggered yet; empty if that is unknown. `at`: now. */
  | { do: 'adoptJob'; job: CachedJob; node: string; boot: string; at: string }
  /** Deletes the Pod unless it has changed since it was observed. */
  | { do: 'deletePod'; pod: CachedPod }
  | { do: 'uncordon'; node: CachedNode }
  | { do: 'migrateStatus'; status: NodeOpStatus }
  /** Writes into the status what the migration waits for. */
  | { do: 'reportWaiting'; message: string }
  /** `unfinished` names what was still running when the wait timed out. */
  | { do: 'removeFinalizer'; unfinished?: string };

/** What happens to one node. */
export type Verdict =
  | { is: 'notStarted' }
  /** The node is finished; its entry stays as it is. */
  | { is: 'finished'; entry: NodeStatus }
  /** This operator has claimed the node: the ledger is the truth, whatever the status says. */
  | { is: 'claimed'; ledger: Operation }
  /** The node continues at its Job. */
  | { is: 'continue'; job: CachedJob; bootIdBefore: string | undefined }
  | { is: 'act'; action: Action }
  | { is: 'wait'; message: string };

export interface Plan {
  actions: readonly Action[];
  /** What is waited for. */
  waiting?: string;
}
