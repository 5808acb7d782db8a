/** A NodeOp as the controller works with it: its spec is parsed once, when a pass starts. */
import { NODE_OP_UPGRADE } from '../../../api/kinds.js';
import { ANNOTATIONS } from '../../../api/names.js';
import { NodeOpSpec, type NodeOpStatus } from '../../../api/nodeop.js';
import type { NodeOp, ObjectMeta } from '../../../api/objects.js';
import { formatCordonMark } from '../../cluster/cordon.js';
import { operationIdOf } from '../../cluster/operation-id.js';
import { isFinal } from '../../cluster/phases.js';
import { ownValue } from '../../../program/own-value.js';

export interface ParsedNodeOp {
  meta: ObjectMeta;
  namespace: string;
  spec: NodeOpSpec;
  status: NodeOpStatus;
  /** Annotation value on the nodes that this operation cordoned. */
  cordonMark: string;
  /** Whether it cordons, drains or reboots. */
  isDisruptive: boolean;
  /** Whether a NodeOpUpgrade created it. */
  isUpgrade: boolean;
  shouldPrePull: boolean;
  isDeleting: boolean;
  /** Being deleted, with the annotation that asks not to wait for anything. */
  isAbandoned: boolean;
  /** Value of the retry annotation; one that differs from `status.retry` requests a retry. */
  retry?: string;
}

/** The parsed object, or what is wrong with its spec: an old object may violate a rule that was added later. */
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
    cordonMark: formatCordonMark({ namespace, name: op.metadata.name, uid: op.metadata.uid }),
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
  ownValue(nodeOp.status.nodeStatuses, node)?.attempt ?? 1;

/** Neither started nor finished, according to the status. */
export function isUntouched({ status }: ParsedNodeOp, node: string): boolean {
  const entry = ownValue(status.nodeStatuses, node);
  return entry?.startedAt === undefined && !isFinal(entry);
}

/** Identifies one attempt on one node; the agent echoes it. */
export const operationId = (nodeOp: ParsedNodeOp, node: string): string =>
  operationIdOf(nodeOp.meta.uid, attemptOn(nodeOp, node));

/** Whether the walk depends on an answer of the agent. */
export const needsAgent = (spec: NodeOpSpec): boolean => spec.rebootOnSuccess || spec.preflight?.release !== undefined;
