/** In which boot a Job of an earlier operator has ended. Its sentinel holds words and no boot id: only times can tell. */
import type { NodeAgent } from '../../api/objects.js';
import { bootIdOf, isReady, type CachedNode } from './node.js';
import type { CachedJob } from './job.js';

/**
 * On a Job that is taken over, by us: the boot in which it was sure that no reboot had been called for it. Empty where that was not sure.
 * The Pod that tells it will be gone; the Job stays.
 */
export const ADOPTED_IN_BOOT = 'operator.kairos.io/taken-over-in-boot';
/** On such a Job: whether it had ended by then. */
export const ADOPTED_COMPLETE = 'operator.kairos.io/taken-over-complete';

/** The boot before is not known, only that there was one: any boot id is another one. */
export const UNKNOWN_EARLIER_BOOT = 'before the takeover';

interface Machine {
  node?: CachedNode;
  agent?: NodeAgent;
}

export const completedAt = (job: CachedJob): Date | undefined => {
  const ended = job.status?.conditions?.find(({ type, status }) => type === 'Complete' && status === 'True');
  return ended?.lastTransitionTime === undefined ? undefined : new Date(ended.lastTransitionTime);
};

export const isAdopted = (job: CachedJob | undefined): job is CachedJob =>
  job?.metadata.annotations?.[ADOPTED_IN_BOOT] !== undefined;

/** Agent and kubelet agree on the boot that runs. */
export const isBootConfirmed = ({ node, agent }: Machine): boolean =>
  isReady(node) && agent?.status?.boot !== undefined && agent.status.boot.id === bootIdOf(node);

/** The boot that runs is later than the end of the Job. */
export function hasBootedSince(machine: Machine, job: CachedJob): boolean {
  const boot = machine.agent?.status?.boot;
  const end = completedAt(job);
  return boot !== undefined && end !== undefined && isBootConfirmed(machine) && Date.parse(boot.since) > end.getTime();
}

/**
 * Has the machine been started since the end of the Job? `before`: the boot in which it was taken over; empty: none that tells. One that ran then,
 * in the boot that still runs, ended in that; one that had ended then, in another boot than runs, has seen one since. Clocks are asked where
 * neither is so.
 */
export function hasRebootedSince(machine: Machine, job: CachedJob, before: string | undefined): boolean {
  const runs = bootIdOf(machine.node);
  const wasComplete = job.metadata.annotations?.[ADOPTED_COMPLETE] === 'true';
  if (before && before === runs && !wasComplete) return false;
  if (before && runs !== undefined && before !== runs && wasComplete) return true;
  return hasBootedSince(machine, job);
}

/**
 * With which boot the reboot after a Job is asked: for one that was taken over, the boot that it ended in. The power may have been cut in its
 * middle, and the boot that was seen at the takeover proves nothing then. Undefined: the Job is our own, and its sentinel tells.
 */
export function bootIdBeforeReboot(
  machine: Machine,
  job: CachedJob | undefined,
  before: string | undefined,
): string | undefined {
  if (!isAdopted(job)) return undefined;
  const runs = bootIdOf(machine.node);
  if (!hasRebootedSince(machine, job, before)) return runs;
  return before === runs ? UNKNOWN_EARLIER_BOOT : before;
}
