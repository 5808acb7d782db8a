/** The NodeOp and the node that a Job was created for. A policy, or a tool that restores objects, may strip the annotations that name them. */
import { NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS, LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import type { Meta, Stored } from '../../kube/kube.js';
import { ownValue } from '../../program/own-value.js';

/** Without annotation, the owner reference has the name; a label may hold a hash of it. */
export const nodeOpNameOf = ({ annotations, ownerReferences }: Meta): string | undefined =>
  annotations?.[ANNOTATIONS.nodeOpName] ?? ownerReferences?.find(({ kind }) => kind === NODE_OP.kind)?.name;

/** The entry of its node in the status; without annotation, the one that names the Job. */
export function nodeStatusOf({ metadata }: Stored, { status }: NodeOp) {
  const entries = status?.nodeStatuses ?? {};
  const node = metadata.annotations?.[ANNOTATIONS.nodeName] ?? metadata.labels?.[LABELS.node] ?? '';
  return ownValue(entries, node) ?? Object.values(entries).find(({ jobName }) => jobName === metadata.name);
}
