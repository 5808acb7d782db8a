/** In which boot a Job of an earlier operator has ended. Its sentinel holds words and no boot id: only times can tell. */
import type { NodeAgent } from '../../api/objects.js';
import { bootIdOf, isReady, type SeenJob, type SeenNode } from '../seen.js';
import { SURE_OF_BOOT } from './names.js';

/** The boot before is not known, only that there was one: any boot id is another one. */
export const SOME_BOOT_BEFORE = 'before the takeover';

interface Machine {
  node?: SeenNode;
  agent?: NodeAgent;
}

export const endOf = (job: SeenJob): Date | undefined => {
  const ended = job.status?.conditions?.find(({ type, status }) => type === 'Complete' && status === 'True');
  return ended?.lastTransitionTime === undefined ? undefined : new Date(ended.lastTransitionTime);
};

export const isTakenOver = (job: SeenJob | undefined): job is SeenJob =>
  job?.metadata.annotations?.[SURE_OF_BOOT] !== undefined;

/** Agent and kubelet agree on the boot that runs. */
export const hasSpoken = ({ node, agent }: Machine): boolean =>
  isReady(node) && agent?.status?.boot !== undefined && agent.status.boot.id === bootIdOf(node);

/** The boot that runs is later than the end of the Job. */
export function hasBootedSince(machine: Machine, job: SeenJob): boolean {
  const boot = machine.agent?.status?.boot;
  const end = endOf(job);
  return boot !== undefined && end !== undefined && hasSpoken(machine) && Date.parse(boot.since) > end.getTime();
}

/**
 * With which boot the reboot after a Job is asked: for one that was taken over, the boot that it ended in. The power may have been cut in its
 * middle, and the boot that was seen at the takeover proves nothing then. Undefined: the Job is our own, and its sentinel tells.
 */
export function bootToLeave(
  machine: Machine,
  job: SeenJob | undefined,
  before: string | undefined,
): string | undefined {
  if (!isTakenOver(job)) return undefined;
  const runs = bootIdOf(machine.node);
  if (!hasBootedSince(machine, job)) return runs;
  return before === runs ? SOME_BOOT_BEFORE : before;
}
