/** Types of the operator's objects as the API server returns them. */
import type { NodeAgentSpec, NodeAgentStatus } from './node-agent.js';
import type { NodeOpSpec, NodeOpStatus } from './nodeop.js';
import type { NodeOpUpgradeSpec, NodeOpUpgradeStatus } from './nodeop-upgrade.js';
import type { OSArtifactSpec, OSArtifactStatus } from './os-artifact.js';

/** The metadata fields that the operator uses. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: {
    apiVersion: string;
    kind: string;
    name: string;
    uid: string;
    controller?: boolean;
    blockOwnerDeletion?: boolean;
  }[];
}

interface Stored<Spec, Status> {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: Spec;
  status?: Status;
}

export type NodeOp = Stored<NodeOpSpec, NodeOpStatus>;
export type NodeOpUpgrade = Stored<NodeOpUpgradeSpec, NodeOpUpgradeStatus>;
export type OSArtifact = Stored<OSArtifactSpec, OSArtifactStatus>;
export type NodeAgent = Stored<NodeAgentSpec, NodeAgentStatus>;
