/** What is observed of an upgrade, and the actions that can be taken on it. */
import type { NodeOpUpgradeSpec, NodeOpUpgradeStatus, UpgradeTarget } from '../../api/nodeop-upgrade.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Event } from '../../kube/event-recorder.js';
import type { CachedPod } from '../cluster/pod.js';
import type { ProbePlace } from './probe-pod.js';

/** The NodeOp that has the name of the upgrade. */
export type ObservedNodeOp =
  | { is: 'absent' }
  /** Owned by this upgrade. */
  | { is: 'owned'; nodeOp: NodeOp }
  /** Owned by a deleted upgrade of this name; the garbage collector deletes it. */
  | { is: 'terminating' }
  | { is: 'foreign' };

export interface Target {
  node: string;
  /** CPU architecture as the kubelet reports it. */
  arch: string;
  ready: boolean;
}

export interface Facts {
  now: Date;
  upgrade: NodeOpUpgrade;
  spec: NodeOpUpgradeSpec;
  nodeOp: ObservedNodeOp;
  /** Nodes that the upgrade would select if it started now, by name. */
  targets: readonly Target[];
  /** Pods of this upgrade that read the image. */
  probes: readonly CachedPod[];
  /** The last creation that the API server refused. */
  refusal?: Refusal;
}

export type Action =
  | { do: 'createProbe'; place: ProbePlace }
  | { do: 'deleteProbe'; pod: CachedPod }
  | { do: 'createNodeOp'; target: UpgradeTarget }
  | { do: 'updateNodeOp'; nodeOp: NodeOp; to: NodeOp }
  | { do: 'retryNodeOp'; nodeOp: NodeOp; value: string };

/** Actions that create an object, which a quota, a policy or a webhook may refuse. */
export type Creation = Extract<Action, { do: 'createProbe' | 'createNodeOp' }>;
export const isCreation = (action: Action): action is Creation =>
  action.do === 'createProbe' || action.do === 'createNodeOp';

/** Carried out in this order. The status is saved first, so that a result is not lost when the Pod that reported it is deleted. */
export interface Plan {
  status?: NodeOpUpgradeStatus;
  events: readonly Event[];
  actions: readonly Action[];
  requeueAfterMs?: number;
}

export interface Refusal {
  what: Creation['do'];
  /** Message of the API server. */
  message: string;
  /** When it was refused for the first time and for the last time. */
  since: Date;
  last: Date;
}
