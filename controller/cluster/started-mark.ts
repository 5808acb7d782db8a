/**
 * The mark of an object that was started: its own uid in an annotation, written before its first status. Backup tools keep metadata and drop the
 * status, so an object with the uid of another one was restored, or copied from a manifest, and what it asks for was started before.
 */
import { ANNOTATIONS } from '../../api/names.js';
import type { ObjectMeta } from '../../api/objects.js';

interface Markable {
  metadata: ObjectMeta;
  status?: { uid?: string };
}

const markOf = ({ metadata }: Markable): string | undefined => metadata.annotations?.[ANNOTATIONS.started];

export const isMarked = (object: Markable): boolean => markOf(object) === object.metadata.uid;

/** New, started by a release that wrote no mark, or replaced by a manifest without it. An object that is being deleted needs none. */
export const needsMark = (object: Markable): boolean =>
  markOf(object) === undefined && object.metadata.deletionTimestamp === undefined;

export function withMark<T extends Markable>(object: T): T {
  const { metadata } = object;
  const annotations = { ...metadata.annotations, [ANNOTATIONS.started]: metadata.uid };
  return { ...object, metadata: { ...metadata, annotations } };
}

/**
 * Started as another object. The status counts more than the annotation: a tool that applies a copied manifest again sets the annotation
 * back while the object runs. A status that is restored together with the object has the uid of the former one.
 */
export function isRestored(object: Markable): boolean {
  const { metadata, status } = object;
  if (isMarked(object) || status?.uid === metadata.uid) return false;
  return markOf(object) !== undefined || status?.uid !== undefined;
}

/** What a user reads about an object that is not run. */
export function restoredMessage(object: Markable): string {
  const former = markOf(object) ?? object.status?.uid;
  const origin =
    former === undefined
      ? 'a backup, without the NodeOpUpgrade that it belonged to'
      : `a backup, or copied from a manifest of an object that had started (uid ${former})`;
  return (
    `not started: this object was restored from ${origin}. To run it, set the annotation ${ANNOTATIONS.retry} to a new value; ` +
    `to run a copied manifest, remove the annotation ${ANNOTATIONS.started} before it is applied`
  );
}
