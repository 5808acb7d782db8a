/** What becomes of an OSArtifact that was restored from a backup. Pure. */
import type { OSArtifact } from '../../../api/objects.js';
import { retryOf } from '../../cluster/retry-annotation.js';
import { isMarked, isRestored, needsMark, restoredMessage } from '../../cluster/started-mark.js';
import { warningEvent } from '../events.js';
import type { Plan } from '../facts.js';
import { newStatus, withObservedGeneration } from '../status.js';

/**
 * Nothing is built or exported until a retry is requested, not even when inputs change: their versions change with the restore as well. An
 * artifact that was Ready stays Ready. Undefined if the artifact was not restored, or is to be built all the same.
 */
export function restoredPlan(artifact: OSArtifact, now: Date): Plan | undefined {
  const { metadata, status } = artifact;
  if (isHeld(artifact)) return { status: withObservedGeneration(artifact), events: [], actions: [] };
  if (!isRestored(artifact)) return undefined;
  if (status?.phase === 'Ready') return { status: { ...status, uid: metadata.uid }, events: [], actions: [] };
  const message = restoredMessage(artifact);
  const summary = { phase: 'Error', reason: 'Restored', message } as const;
  return {
    status: { ...newStatus(artifact, summary, now), ...retryField(artifact) },
    events: [warningEvent(artifact, 'Restored', message)],
    actions: [],
  };
}

const retryField = ({ metadata }: OSArtifact) => {
  const retry = retryOf(metadata);
  return retry === undefined ? {} : { retry };
};

/** It was restored, and the retry annotation has the value that it had then. */
const isHeld = (artifact: OSArtifact): boolean => hasRestoredStatus(artifact) && !isRetryRequested(artifact);

const hasRestoredStatus = ({ metadata, status }: OSArtifact): boolean =>
  status?.phase === 'Error' &&
  status.uid === metadata.uid &&
  (status.conditions ?? []).some(({ reason }) => reason === 'Restored');

const isRetryRequested = ({ metadata, status }: OSArtifact): boolean => {
  const requested = retryOf(metadata);
  return requested !== undefined && requested !== status?.retry;
};

/** A retry is the request to build this object, whatever it was restored from. */
export const shouldMark = (artifact: OSArtifact): boolean =>
  needsMark(artifact) || (!isMarked(artifact) && hasRestoredStatus(artifact) && isRetryRequested(artifact));
