/** Metadata as the controller's caches keep it. */
import type { Meta, Stored } from '../../kube/kube.js';
import { boundedLabels, boundedText, MAX_ANNOTATION_LENGTH } from './bounds.js';

/** Of no object are more read, and the author of an object decides how many it has. */
const MAX_OWNERS = 20;
const MAX_FINALIZERS = 100;

/**
 * Without `managedFields` and without the annotations that the controller never reads: they are the largest part of most objects. Annotations
 * are kept by their exact names, because anyone may write others with the prefix of this operator.
 */
export function pruneMetadata(meta: Meta, annotationNames: ReadonlySet<string> = NO_NAMES): Meta {
  const annotations = Object.entries(meta.annotations ?? {})
    .filter(([key]) => annotationNames.has(key))
    .map(([key, value]) => [key, boundedText(value, MAX_ANNOTATION_LENGTH)]);
  return {
    name: meta.name,
    namespace: meta.namespace,
    uid: meta.uid,
    resourceVersion: meta.resourceVersion,
    generation: meta.generation,
    creationTimestamp: meta.creationTimestamp,
    deletionTimestamp: meta.deletionTimestamp,
    deletionGracePeriodSeconds: meta.deletionGracePeriodSeconds,
    labels: boundedLabels(meta.labels, isOwnKey),
    annotations: annotations.length === 0 ? undefined : Object.fromEntries(annotations),
    finalizers: meta.finalizers?.slice(0, MAX_FINALIZERS),
    ownerReferences: boundedOwners(meta.ownerReferences),
  };
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** The controller of the object is kept in any case. */
const boundedOwners = (owners: Meta['ownerReferences']): Meta['ownerReferences'] =>
  owners === undefined || owners.length <= MAX_OWNERS
    ? owners
    : owners.toSorted((a, b) => Number(b.controller ?? false) - Number(a.controller ?? false)).slice(0, MAX_OWNERS);

/** For kinds of which only existence and identity matter. */
export const pruneToMetadata = (object: Stored): Stored => ({ metadata: pruneMetadata(object.metadata) });

/** Being deleted: something still holds it, such as a finalizer, or the grace period of a Pod. */
export const isTerminating = ({ metadata }: Stored): boolean => metadata.deletionTimestamp !== undefined;

/** Labels and annotations of Kairos and of this operator. */
export const isOwnKey = (key: string): boolean => key.includes('kairos.io/');
