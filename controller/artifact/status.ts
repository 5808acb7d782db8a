/** What the status says: the published words of an OSArtifact come from here alone. */
import type { ArtifactReason } from '../../api/artifact-reasons.js';
import type { OSArtifactStatus } from '../../api/os-artifact.js';
import type { OSArtifact } from '../../api/objects.js';
import { conditions } from '../cluster/conditions.js';
import { PATIENCE_MS } from './timeouts.js';

type Phase = NonNullable<OSArtifactStatus['phase']>;

export interface Told {
  phase: Phase;
  reason: ArtifactReason;
  message: string;
}

/** What `conditions` knows of ends. */
const ENDS: Partial<Record<Phase, string>> = { Ready: 'Completed', Error: 'Failed' };

/** What was told of a build stays true of it, though its Pod is gone. */
const KEPT = ['attempt', 'progress', 'steps', 'outputs', 'exports'] as const;

/** What is known of the build. */
export type Known = Pick<OSArtifactStatus, (typeof KEPT)[number] | 'build' | 'pod' | 'waitingSince'>;

/** What an earlier build left in the status is not kept. */
export function told(
  { metadata, status = {} }: OSArtifact,
  { phase, reason, message }: Told,
  now: Date,
  known: Known = {},
): OSArtifactStatus {
  const { build, pod, waitingSince } = known;
  const before = build !== undefined && status.build === build ? status : undefined;
  const isEnd = ENDS[phase] !== undefined;
  const wasEnd = ENDS[status.phase ?? 'Pending'] !== undefined;
  const kept = KEPT.map(field => [field, known[field] ?? before?.[field]] as const);
  return {
    phase,
    message,
    observedGeneration: metadata.generation,
    conditions: conditions({ meta: metadata, status }, { phase: ENDS[phase] ?? phase, message, now, reason }),
    ...(pod === undefined ? {} : { pod }),
    ...(waitingSince === undefined ? {} : { waitingSince }),
    ...(build === undefined ? {} : { build, startedAt: before?.startedAt ?? now.toISOString() }),
    ...Object.fromEntries(kept.filter(([, value]) => value !== undefined)),
    ...(isEnd ? { completedAt: (wasEnd && status.build === build && status.completedAt) || now.toISOString() } : {}),
  };
}

/** The same, said of the object as it is now: another spec may mean the same build. Undefined if that is said already. */
export function stillTold({ metadata, status }: OSArtifact): OSArtifactStatus | undefined {
  const { generation } = metadata;
  if (status === undefined || generation === undefined || status.observedGeneration === generation) return undefined;
  const conditionsNow = (status.conditions ?? []).map(each => ({ ...each, observedGeneration: generation }));
  return { ...status, observedGeneration: generation, conditions: conditionsNow };
}

/** Since when something is lacking, for the spec as it is, and whether that is too long. */
export function lackingFor({ metadata, status }: OSArtifact, now: Date): { waitingSince: string; isLate: boolean } {
  const isOfThis = status?.observedGeneration === metadata.generation;
  const waitingSince = (isOfThis ? status?.waitingSince : undefined) ?? now.toISOString();
  return { waitingSince, isLate: now.getTime() - Date.parse(waitingSince) >= PATIENCE_MS };
}

export const hasEnded = ({ status }: Pick<OSArtifact, 'status'>): boolean =>
  ENDS[status?.phase ?? 'Pending'] !== undefined;
