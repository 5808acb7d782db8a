/** A NodeOp as the controller works with it: parsed once at the border, with what follows from it. */
import { NODE_OP_UPGRADE } from '../../../api/kinds.js';
import { ANNOTATIONS } from '../../../api/names.js';
import { NodeOpSpec, type NodeOpStatus } from '../../../api/nodeop.js';
import type { NodeOp, ObjectMeta } from '../../../api/objects.js';
import { operationIdOf } from '../../cluster/operation-id.js';
import { isFinal } from '../../cluster/phases.js';

export interface ParsedNodeOp {
  meta: ObjectMeta;
  namespace: string;
  spec: NodeOpSpec;
  status: NodeOpStatus;
  /** `<namespace>/<name>@<uid>`: marks a node that this operation cordoned. */
  cordonMark: string;
  /** Cordons, drains or reboots. */
  isDisruptive: boolean;
  /** Made for a NodeOpUpgrade. */
  isUpgrade: boolean;
  shouldPrePull: boolean;
  isDeleting: boolean;
  /** Being deleted, and nothing shall be waited for. */
  isAbandoned: boolean;
  /** The value by which a retry is asked for; another one than the status has is a new wish. */
  retry?: string;
}

/** The wish, or in words what is wrong with the spec: an old object may break a rule that came later. */
export function parseNodeOp(op: NodeOp): { nodeOp: ParsedNodeOp; fault?: undefined } | { fault: string } {
  const parsed = NodeOpSpec.safeParse(op.spec);
  if (parsed.success) return { nodeOp: parsedNodeOp(op, parsed.data) };
  return { fault: parsed.error.issues.map(issue => `spec.${issue.path.join('.')}: ${issue.message}`).join('; ') };
}

export function parsedNodeOp(op: NodeOp, spec: NodeOpSpec): ParsedNodeOp {
  const namespace = op.metadata.namespace ?? '';
  const deleting = op.metadata.deletionTimestamp !== undefined;
  const annotations = op.metadata.annotations ?? {};
  return {
    meta: op.metadata,
    namespace,
    spec,
    status: op.status ?? {},
    cordonMark: `${namespace}/${op.metadata.name}@${op.metadata.uid}`,
    isDisruptive: spec.cordon || spec.rebootOnSuccess,
    isUpgrade:
      op.metadata.ownerReferences?.some(owner => owner.controller && owner.kind === NODE_OP_UPGRADE.kind) ?? false,
    shouldPrePull: spec.prePull ?? spec.cordon,
    isDeleting: deleting,
    isAbandoned: deleting && (annotations[ANNOTATIONS.abandon] ?? 'false') !== 'false',
    retry: annotations[ANNOTATIONS.retry],
  };
}

export const attemptOn = (nodeOp: ParsedNodeOp, node: string): number =>
  nodeOp.status.nodeStatuses?.[node]?.attempt ?? 1;

/** Neither begun nor ended, as far as the report tells. */
export function isUntouched({ status }: ParsedNodeOp, node: string): boolean {
  const entry = status.nodeStatuses?.[node];
  return entry?.startedAt === undefined && !isFinal(entry);
}

/** Names one run over one node; the agent echoes it. */
export const operationId = (nodeOp: ParsedNodeOp, node: string): string =>
  operationIdOf(nodeOp.meta.uid, attemptOn(nodeOp, node));

/** Does the walk depend on an answer of the node's agent? */
export const needsAgent = (spec: NodeOpSpec): boolean => spec.rebootOnSuccess || spec.preflight?.release !== undefined;
