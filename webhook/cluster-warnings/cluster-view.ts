/** The state of the cluster that the warnings use. A part that is undefined is unknown, and gives no warnings. */
import type { Stored } from '../../kube/kube.js';
import type { LabelSelector } from '../../kube/selector.js';

export interface NodeView extends Stored {
  spec?: { unschedulable?: boolean; taints?: readonly { key: string; value?: string }[] };
  status?: { nodeInfo?: { operatingSystem?: string } };
}

/** A NodeOp or NodeOpUpgrade: whether it has ended, and on which nodes it still has to work. */
export interface OperationView extends Stored {
  spec?: { nodeSelector?: LabelSelector; paused?: boolean };
  status?: {
    phase?: string;
    nodeOpName?: string;
    nodeStatuses?: Readonly<Record<string, { phase?: string; startedAt?: string }>>;
  };
}

/** Operations run on real Linux nodes only. The nodes are divided once per change, not once per review. */
export interface NodeViews {
  linux: readonly NodeView[];
  /** Virtual nodes and nodes with another operating system. */
  others: readonly NodeView[];
}

export interface ClusterView {
  nodes?: NodeViews;
  /** NodeOps and NodeOpUpgrades of all namespaces. */
  operations?: readonly OperationView[];
  namespace?(name: string): Stored | undefined;
}
