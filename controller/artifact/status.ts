/** The status of an OSArtifact. All phases and reasons are written through this file. */
import type { ArtifactReason } from '../../api/artifact-reasons.js';
import type { OSArtifact } from '../../api/objects.js';
import type { OSArtifactStatus } from '../../api/os-artifact.js';
import { conditions } from '../cluster/conditions.js';
import { WAIT_LIMIT_MS } from './timeouts.js';

type Phase = NonNullable<OSArtifactStatus['phase']>;

export interface StatusSummary {
  phase: Phase;
  reason: ArtifactReason;
  message: string;
}

/** Final phases, with the phase of an operation that has the same conditions. */
const FINAL_PHASES: Partial<Record<Phase, string>> = { Ready: 'Completed', Error: 'Failed' };

/** Details of a build that stay in the status after its Pod was deleted. */
const KEPT_FIELDS = ['node', 'attempt', 'progress', 'steps', 'outputs', 'exports'] as const;

/** What a pass observed about the build. */
export type BuildDetails = Pick<
  OSArtifactStatus,
  (typeof KEPT_FIELDS)[number] | 'build' | 'builderLoss' | 'lastProgress' | 'pod' | 'rendering' | 'waitingSince'
>;

/** The status to write. Details of an earlier build are dropped. */
export function newStatus(
  { metadata, status = {} }: OSArtifact,
  { phase, reason, message }: StatusSummary,
  now: Date,
  details: BuildDetails = {},
): OSArtifactStatus {
  const { build, builderLoss, lastProgress, pod, waitingSince } = details;
  /* As long as there is no build, its rendering must not be forgotten. */
  const rendering = details.rendering ?? (build === undefined ? status.rendering : undefined);
  const before = build !== undefined && status.build === build ? status : undefined;
  const wasFinal = FINAL_PHASES[status.phase ?? 'Pending'] !== undefined;
  const completedAt = (wasFinal && status.build === build && status.completedAt) || now.toISOString();
  const kept = KEPT_FIELDS.map(field => [field, details[field] ?? before?.[field]] as const);
  return defined({
    uid: metadata.uid,
    phase,
    message,
    observedGeneration: metadata.generation,
    conditions: conditions({ meta: metadata, status }, { phase: FINAL_PHASES[phase] ?? phase, message, now, reason }),
    pod,
    lastProgress,
    waitingSince,
    build,
    builderLoss,
    rendering,
    startedAt: build === undefined ? undefined : (before?.startedAt ?? now.toISOString()),
    ...Object.fromEntries(kept),
    completedAt: FINAL_PHASES[phase] === undefined ? undefined : completedAt,
  });
}

/** Without the fields that are undefined: a comparison with the stored status must not see them. */
const defined = (status: OSArtifactStatus): OSArtifactStatus =>
  Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));

/** The same status for the current generation: a changed spec may mean the same build. Undefined if it is current already. */
export function withObservedGeneration({ metadata, status }: OSArtifact): OSArtifactStatus | undefined {
  const { generation } = metadata;
  if (status === undefined || generation === undefined || status.observedGeneration === generation) return undefined;
  const current = (status.conditions ?? []).map(condition => ({ ...condition, observedGeneration: generation }));
  return { ...status, observedGeneration: generation, conditions: current };
}

/** Since when the current spec has been waiting for something, and whether that is too long. */
export function waitingPeriod(
  { metadata, status }: OSArtifact,
  now: Date,
): { waitingSince: string; isTooLong: boolean } {
  const isCurrent = status?.observedGeneration === metadata.generation;
  const waitingSince = (isCurrent ? status?.waitingSince : undefined) ?? now.toISOString();
  return { waitingSince, isTooLong: now.getTime() - Date.parse(waitingSince) >= WAIT_LIMIT_MS };
}

export const isFinal = ({ status }: Pick<OSArtifact, 'status'>): boolean =>
  FINAL_PHASES[status?.phase ?? 'Pending'] !== undefined;
