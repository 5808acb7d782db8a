/** What stands in the way, found before anything is begun. */
import { readNote } from '../test/cluster/cluster-file.js';
import { machineFaults } from '../test/cluster/preflight.js';
import { isAlive } from '../test/cluster/process-record.js';
import { lookAtCache } from './cost.js';

/** What the machine lacks, in words; nothing when it will do. */
export const lacks = (): string[] => machineFaults({ realNodes: true, build: lookAtCache().programs.length > 0 });

/** A cluster that belongs to a living process must be neither replaced nor ended. One that `--keep` left has no such process. */
export function inUse(index: number): string[] {
  const owner = readNote(index)?.owner;
  if (!isAlive(owner)) return [];
  return [
    `Cluster ${index} belongs to process ${owner.pid}, which is still running. Stop it, or give --index another number.`,
  ];
}
