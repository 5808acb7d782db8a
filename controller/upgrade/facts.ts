/** What can be seen of an upgrade, and what can be done about it. */
import type { NodeOpUpgradeSpec, NodeOpUpgradeStatus, UpgradeTarget } from '../../api/nodeop-upgrade.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Event } from '../../kube/recorder.js';
import type { CachedPod } from '../cluster/pod.js';
import type { ProbePlace } from './probe-pod.js';

/** Who holds the upgrade's name among the NodeOps. */
export type NodeOpSeen =
  | { is: 'absent' }
  /** Made for this very upgrade. */
  | { is: 'ours'; nodeOp: NodeOp }
  /** Of an earlier upgrade of this name; it goes by itself. */
  | { is: 'leaving' }
  | { is: 'foreign' };

export interface Target {
  node: string;
  /** CPU architecture in the kubelet's words. */
  arch: string;
  ready: boolean;
}

export interface Facts {
  now: Date;
  upgrade: NodeOpUpgrade;
  spec: NodeOpUpgradeSpec;
  nodeOp: NodeOpSeen;
  /** Nodes that the upgrade would be for if it began now, by name. */
  targets: readonly Target[];
  /** Our Pods that read the image. */
  probes: readonly CachedPod[];
  /** What the API server would not let us make a while ago. */
  refusal?: Refusal;
}

export type Action =
  | { do: 'probe'; place: ProbePlace }
  | { do: 'deleteProbe'; pod: CachedPod }
  | { do: 'createNodeOp'; target: UpgradeTarget }
  | { do: 'updateNodeOp'; nodeOp: NodeOp; to: NodeOp }
  | { do: 'retryNodeOp'; nodeOp: NodeOp; value: string };

/** Actions that bring something into being: a quota, a policy or a webhook may be against it. */
export type Creation = Extract<Action, { do: 'probe' | 'createNodeOp' }>;
export const isCreation = (action: Action): action is Creation => action.do === 'probe' || action.do === 'createNodeOp';

/** Carried out in this order: the status is saved first, for what was found out must not be lost with the Pod that said it. */
export interface Plan {
  status?: NodeOpUpgradeStatus;
  events: readonly Event[];
  actions: readonly Action[];
  requeueAfterMs?: number;
}

export interface Refusal {
  what: Creation['do'];
  /** In the server's words. */
  message: string;
  /** When it was refused first and last. */
  since: Date;
  last: Date;
}
