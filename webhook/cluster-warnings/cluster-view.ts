/** What the webhook knows of the cluster: as little as its warnings need. A part that is absent is not known, and is not spoken of. */
import type { Stored } from '../../kube/kube.js';
import type { LabelSelector } from '../../kube/selector.js';

export interface NodeView extends Stored {
  spec?: { unschedulable?: boolean };
  status?: { nodeInfo?: { operatingSystem?: string } };
}

/** A NodeOp or NodeOpUpgrade: whether it has ended, and which nodes still belong to it. */
export interface OperationView extends Stored {
  spec?: { nodeSelector?: LabelSelector };
  status?: { phase?: string; nodeOpName?: string; nodeStatuses?: Readonly<Record<string, { phase?: string }>> };
}

/** Operations run on Linux nodes; virtual ones and other systems are told apart once, not for every wish. */
export interface NodeViews {
  linux: readonly NodeView[];
  others: readonly NodeView[];
}

export interface ClusterView {
  nodes?: NodeViews;
  /** Of both kinds, all namespaces. */
  operations?: readonly OperationView[];
  namespace?(name: string): Stored | undefined;
}
