/** The cordon of a node: `spec.unschedulable` together with the mark that names the operation that set it. */
import { ANNOTATIONS, FINALIZERS } from '../../api/names.js';
import type { NodeAgent } from '../../api/objects.js';
import { isCordoned, type CachedNode } from './node.js';

/** The operation that a cordon mark names. */
export interface CordonOwner {
  namespace: string;
  name: string;
  uid: string;
}

export const formatCordonMark = ({ namespace, name, uid }: CordonOwner): string => `${namespace}/${name}@${uid}`;

/** Undefined where there is no mark, or a text that is none. */
export function parseCordonMark(mark: string | undefined): CordonOwner | undefined {
  const [, namespace, name, uid] = /^([^/]*)\/([^@]*)@(.*)$/.exec(mark ?? '') ?? [];
  return namespace === undefined || name === undefined || uid === undefined ? undefined : { namespace, name, uid };
}

export const cordonMarkOf = (node: CachedNode | undefined): string | undefined =>
  node?.metadata.annotations?.[ANNOTATIONS.cordonedBy];

/** The operation that cordoned the node, according to its mark. */
export const cordonOwnerOf = (node: CachedNode | undefined): CordonOwner | undefined =>
  parseCordonMark(cordonMarkOf(node));

/** One patch for both, so that this operator never leaves a cordon without a mark or a mark without a cordon. */
export const cordonPatch = (mark: string): object => ({
  metadata: { annotations: { [ANNOTATIONS.cordonedBy]: mark } },
  spec: { unschedulable: true },
});

export const UNCORDON_PATCH: object = {
  metadata: { annotations: { [ANNOTATIONS.cordonedBy]: null } },
  spec: { unschedulable: null },
};

/** The operation set both with one patch: on a node that is schedulable, something else has removed the cordon, and only the mark is left. */
export const hasStaleMark = (node: CachedNode): boolean => cordonMarkOf(node) !== undefined && !isCordoned(node);

export const UNMARK_PATCH: object = { metadata: { annotations: { [ANNOTATIONS.cordonedBy]: null } } };

/** Removes the claim, so that another operation can claim the node. */
export const releasePatch = ({ metadata }: NodeAgent): object => ({
  metadata: { finalizers: (metadata.finalizers ?? []).filter(each => each !== FINALIZERS.claimed) },
  spec: { operation: null },
});
