/**
 * In which boot a Job of the legacy operator has ended. The sentinel of such a Job does not hold a boot id, so that only
 * the boot at the time of its adoption, or else a comparison of times, can answer that.
 */
import type { NodeAgent } from '../../api/objects.js';
import { bootIdOf, isReady, type CachedNode } from './node.js';
import { conditionOf, type CachedJob } from './job.js';
import { ADOPTED_AT, ADOPTED_COMPLETE, ADOPTED_IN_BOOT } from './kept-annotations.js';

export { ADOPTED_AT, ADOPTED_COMPLETE, ADOPTED_IN_BOOT };

/** Stands for a boot whose id is unknown: every boot id differs from it. */
export const UNKNOWN_EARLIER_BOOT = 'before the migration';

interface NodeState {
  node?: CachedNode;
  agent?: NodeAgent;
  now: Date;
}

/**
 * When the Job completed, by the clock of the API server; undefined if that cannot be known. Start and end are times of the
 * kube-controller-manager, whose clock may be off, but their difference is right: a Job that was never suspended starts when it is created.
 * If that clock was set while the Job ran, not even that is: a Job ends neither before it was created nor after it was seen to be complete.
 */
export function completedAt(job: CachedJob, now: Date): Date | undefined {
  const { startTime } = job.status ?? {};
  const { creationTimestamp, annotations = {} } = job.metadata;
  const end = conditionOf(job, 'Complete')?.lastTransitionTime;
  if (end === undefined || startTime === undefined || creationTimestamp === undefined) return undefined;
  const created = Date.parse(creationTimestamp);
  const seen = annotations[ADOPTED_COMPLETE] === 'true' ? Date.parse(annotations[ADOPTED_AT] ?? '') : Number.NaN;
  const latest = Number.isNaN(seen) ? now.getTime() : Math.min(seen, now.getTime());
  const measured = created + Date.parse(end) - Date.parse(startTime);
  return new Date(Math.max(created, Math.min(measured, latest)));
}

export const isAdopted = (job: CachedJob | undefined): job is CachedJob =>
  job?.metadata.annotations?.[ADOPTED_IN_BOOT] !== undefined;

/** Agent and kubelet report the same boot. */
export const isBootConfirmed = ({ node, agent }: Omit<NodeState, 'now'>): boolean =>
  isReady(node) && agent?.status?.boot !== undefined && agent.status.boot.id === bootIdOf(node);

/** The current boot started after the Job had ended, both by the clock of the API server. */
export function hasBootedSince(state: NodeState, job: CachedJob): boolean {
  const boot = state.agent?.status?.boot;
  const end = completedAt(job, state.now);
  return boot !== undefined && end !== undefined && isBootConfirmed(state) && Date.parse(boot.since) > end.getTime();
}

/**
 * Whether the node has booted since the Job ended. `adoptedIn` is the boot in which the Job was adopted, or empty where that proves
 * nothing. A Job that was still running then, in the boot that is still current, has ended in that boot. A Job that was complete then,
 * in another boot than the current one, has seen a boot since. In all other cases the times decide.
 */
export function hasRebootedSince(state: NodeState, job: CachedJob, adoptedIn: string | undefined): boolean {
  const current = bootIdOf(state.node);
  const wasComplete = job.metadata.annotations?.[ADOPTED_COMPLETE] === 'true';
  if (adoptedIn && adoptedIn === current && !wasComplete) return false;
  if (adoptedIn && current !== undefined && adoptedIn !== current && wasComplete) return true;
  return hasBootedSince(state, job);
}

/**
 * The boot that the reboot after an adopted Job has to end: the one in which the Job ended. After a power cut during the Job this is not
 * the boot of the adoption. Undefined for a Job of this operator, whose sentinel holds the boot id.
 */
export function bootIdBeforeReboot(
  state: NodeState,
  job: CachedJob | undefined,
  adoptedIn: string | undefined,
): string | undefined {
  if (!isAdopted(job)) return undefined;
  const current = bootIdOf(state.node);
  if (!hasRebootedSince(state, job, adoptedIn)) return current;
  return adoptedIn === current ? UNKNOWN_EARLIER_BOOT : adoptedIn;
}
