/** What can be seen of an operation that an earlier operator may have begun, and what can be done about it. */
import type { Operation } from '../../api/node-agent.js';
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOpStatus } from '../../api/nodeop.js';
import type { NodeAgent, NodeOp } from '../../api/objects.js';
import type { ParsedNodeOp } from '../nodeop/facts/parsed-nodeop.js';
import type { CachedJob } from '../cluster/job.js';
import type { CachedNode } from '../cluster/node.js';
import type { CachedPod } from '../cluster/pod.js';

export interface NodeFacts {
  name: string;
  now: Date;
  /** Since when this controller leads: agents need a moment to speak. */
  since: Date;
  nodeOp: ParsedNodeOp;
  /** As the earlier operator left it. */
  entry?: NodeStatus;
  node?: CachedNode;
  agent?: NodeAgent;
  /** All that it has made for this node. */
  jobs: readonly CachedJob[];
  /** The one whose end is the node's. */
  job?: CachedJob;
  /** Pods that wait for the Job's sentinel and then reboot the node. */
  rebootPods: readonly CachedPod[];
  preflightPods: readonly CachedPod[];
}

export interface Facts {
  op: NodeOp;
  /** Where the spec breaks a rule: as much of it as is needed to undo what was done. */
  nodeOp: ParsedNodeOp;
  /** In words, which rule that is. */
  fault?: string;
  /** It was begun, and we have not taken it over yet. */
  held: boolean;
  now: Date;
  /** Of its targets, and of every node where something of it is. */
  nodes: readonly NodeFacts[];
  /** Of the whole operation. */
  jobs: readonly CachedJob[];
  /** Of those Jobs. */
  jobPods: readonly CachedPod[];
  rebootPods: readonly CachedPod[];
  readyNodes: ReadonlySet<string>;
}

export type Action =
  /** Marks the Job as ours, with the boot in which surely no reboot had been called. */
  | { do: 'adoptJob'; job: CachedJob; node: string; boot: string }
  /** Only if the Pod is what was seen. */
  | { do: 'deletePod'; pod: CachedPod }
  | { do: 'uncordon'; node: CachedNode }
  | { do: 'convert'; status: NodeOpStatus }
  /** In the status, what is waited for. */
  | { do: 'tell'; message: string }
  | { do: 'dropFinalizer'; leftBehind?: string };

/** How one node goes on. */
export type Verdict =
  /** Nothing was begun there. */
  | { is: 'fresh' }
  /** Over, as it is told. */
  | { is: 'ended'; entry: NodeStatus }
  /** We claim it: the ledger tells, whatever became of the status. */
  | { is: 'ours'; ledger: Operation }
  | { is: 'takeUp'; job: CachedJob; bootIdBefore: string | undefined }
  | { is: 'act'; action: Action }
  | { is: 'wait'; message: string };

export interface Plan {
  actions: readonly Action[];
  /** In words, while something is waited for. */
  waiting?: string;
}
