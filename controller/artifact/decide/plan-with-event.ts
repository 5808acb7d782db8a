/** A plan with a new status, and the Event that reports it. */
import type { ArtifactReason } from '../../../api/artifact-reasons.js';
import type { OSArtifactStatus } from '../../../api/os-artifact.js';
import type { Event } from '../../../kube/event-recorder.js';
import { normalEvent, warningEvent } from '../events.js';
import type { Action, Facts, Plan } from '../facts.js';

interface PlanOptions {
  reason: ArtifactReason;
  actions?: readonly Action[];
  /** Recorded before that of the status. */
  events?: readonly Event[];
  requeueAfterMs?: number;
}

const WARNING_REASONS: ReadonlySet<ArtifactReason> = new Set(['InputMissing', 'Waiting', 'BuilderLost']);

/** The Event is omitted if the status reports nothing new. */
export function planWithEvent({ artifact }: Facts, status: OSArtifactStatus, options: PlanOptions): Plan {
  const { reason, actions = [], events = [], requeueAfterMs } = options;
  const isNew = artifact.status?.message !== status.message || artifact.status?.phase !== status.phase;
  const isWarning = status.phase === 'Error' || WARNING_REASONS.has(reason);
  const event = (isWarning ? warningEvent : normalEvent)(artifact, reason, status.message ?? '');
  return { status, events: [...events, ...(isNew ? [event] : [])], actions, requeueAfterMs };
}
