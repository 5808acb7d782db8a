/** A status, and the Event that goes with it. */
import type { ArtifactReason } from '../../../api/artifact-reasons.js';
import type { OSArtifactStatus } from '../../../api/os-artifact.js';
import type { Event } from '../../../kube/recorder.js';
import { tell, warn } from '../events.js';
import type { Action, Facts, Plan } from '../facts.js';

interface More {
  reason: ArtifactReason;
  actions?: readonly Action[];
  /** Told before that of the status. */
  events?: readonly Event[];
  requeueAfterMs?: number;
}

const BAD: ReadonlySet<ArtifactReason> = new Set(['InputMissing', 'Waiting', 'BuilderLost']);

/** An Event goes with the status only where that says something new. */
export function planWithEvent({ artifact }: Facts, status: OSArtifactStatus, more: More): Plan {
  const { reason, actions = [], events = [], requeueAfterMs } = more;
  const isNew = artifact.status?.message !== status.message || artifact.status?.phase !== status.phase;
  const event = (status.phase === 'Error' || BAD.has(reason) ? warn : tell)(artifact, reason, status.message ?? '');
  return { status, events: [...events, ...(isNew ? [event] : [])], actions, requeueAfterMs };
}
