/** What the status says: the published words of an OSArtifact come from here alone. */
import type { ArtifactReason } from '../../api/artifact-reasons.js';
import type { OSArtifactStatus } from '../../api/os-artifact.js';
import type { OSArtifact } from '../../api/objects.js';
import { conditions } from '../conditions.js';

type Phase = NonNullable<OSArtifactStatus['phase']>;

export interface Told {
  phase: Phase;
  reason: ArtifactReason;
  message: string;
}

/** What `conditions` knows of ends. */
const ENDS: Partial<Record<Phase, string>> = { Ready: 'Completed', Error: 'Failed' };

/** `more`: what is known of the build. What an earlier build left in the status is not kept. */
export function told(
  { metadata, status = {} }: OSArtifact,
  { phase, reason, message }: Told,
  now: Date,
  more: Pick<OSArtifactStatus, 'build' | 'pod' | 'steps' | 'outputs'> = {},
): OSArtifactStatus {
  const same = more.build !== undefined && status.build === more.build;
  const startedAt = same ? status.startedAt : undefined;
  const isEnd = ENDS[phase] !== undefined;
  const wasEnd = ENDS[status.phase ?? 'Pending'] !== undefined;
  return {
    phase,
    message,
    observedGeneration: metadata.generation,
    conditions: conditions({ meta: metadata, status }, { phase: ENDS[phase] ?? phase, message, now, reason }),
    ...more,
    ...(same && more.steps === undefined && status.steps ? { steps: status.steps } : {}),
    ...(same && more.outputs === undefined && status.outputs ? { outputs: status.outputs } : {}),
    ...(more.build === undefined ? {} : { startedAt: startedAt ?? now.toISOString() }),
    ...(isEnd ? { completedAt: (wasEnd && same && status.completedAt) || now.toISOString() } : {}),
  };
}

export const hasEnded = ({ status }: Pick<OSArtifact, 'status'>): boolean =>
  ENDS[status?.phase ?? 'Pending'] !== undefined;
