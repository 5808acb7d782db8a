/** Which Pods are the earlier operator's own to reboot a node with. A label alone is anybody's: people put it on their Pods, so that a drain spares them. */
import { apiVersion, NODE_OP } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import type { CachedPod } from '../cluster/pod.js';

const CONTAINER = 'reboot';

/** Of a long name it keeps this much, and adds a hash. */
const KEPT = 44;

/** Made for a NodeOp and owned by it; or, where nothing owns it, made like one in every respect. */
export function isRebootPod({ metadata, spec }: CachedPod): boolean {
  const { name, labels = {}, ownerReferences = [] } = metadata;
  const nodeOp = labels[LABELS.nodeOp];
  if (labels[LABELS.reboot] !== 'true' || nodeOp === undefined) return false;
  const isOfNodeOp = (owner: { kind: string; apiVersion: string }) =>
    owner.kind === NODE_OP.kind && owner.apiVersion === apiVersion(NODE_OP);
  if (ownerReferences.length > 0) return ownerReferences.every(isOfNodeOp);
  const isNamedSo = name.startsWith(`${nodeOp}-reboot-`.slice(0, KEPT));
  return isNamedSo && spec.hostPID === true && (spec.containers ?? []).some(each => each.name === CONTAINER);
}
