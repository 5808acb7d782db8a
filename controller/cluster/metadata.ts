/** Metadata as the controller's caches keep it. */
import type { Meta, Stored } from '../../kube/kube.js';

/** Without `managedFields` and without the annotations that the controller never reads: they are the largest part of most objects. */
export function pruneMetadata(meta: Meta, keepAnnotation: (key: string) => boolean): Meta {
  const annotations = Object.entries(meta.annotations ?? {}).filter(([key]) => keepAnnotation(key));
  return {
    name: meta.name,
    namespace: meta.namespace,
    uid: meta.uid,
    resourceVersion: meta.resourceVersion,
    generation: meta.generation,
    creationTimestamp: meta.creationTimestamp,
    deletionTimestamp: meta.deletionTimestamp,
    deletionGracePeriodSeconds: meta.deletionGracePeriodSeconds,
    labels: meta.labels,
    annotations: annotations.length === 0 ? undefined : Object.fromEntries(annotations),
    finalizers: meta.finalizers,
    ownerReferences: meta.ownerReferences,
  };
}

/** For kinds of which only existence and identity matter. */
export const pruneToMetadata = (object: Stored): Stored => ({ metadata: pruneMetadata(object.metadata, () => false) });

/** Being deleted: something still holds it, such as a finalizer, or the grace period of a Pod. */
export const isTerminating = ({ metadata }: Stored): boolean => metadata.deletionTimestamp !== undefined;

/** Labels and annotations of Kairos and of this operator. */
export const isOwnKey = (key: string): boolean => key.includes('kairos.io/');
