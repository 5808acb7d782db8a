/** The patches by which a node is cordoned and let go: mark and deed always together. */
import { ANNOTATIONS, FINALIZERS } from '../../api/names.js';
import type { NodeAgent } from '../../api/objects.js';
import type { CachedNode } from './node.js';

/** `spec.unschedulable` and the mark in one patch: neither is ever there without the other by our doing. */
export const cordonPatch = (mark: string): object => ({
  metadata: { annotations: { [ANNOTATIONS.cordonedBy]: mark } },
  spec: { unschedulable: true },
});

export const UNCORDON_PATCH: object = {
  metadata: { annotations: { [ANNOTATIONS.cordonedBy]: null } },
  spec: { unschedulable: null },
};

export const cordonMarkOf = (node: CachedNode | undefined): string | undefined =>
  node?.metadata.annotations?.[ANNOTATIONS.cordonedBy];

/** The node is free for the next operation. */
export const releasePatch = ({ metadata }: NodeAgent): object => ({
  metadata: { finalizers: (metadata.finalizers ?? []).filter(each => each !== FINALIZERS.claimed) },
  spec: { operation: null },
});
