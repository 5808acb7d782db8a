/** Checks that are made before anything is started. */
import { readClusterRecord } from '../test/cluster/cluster-record.js';
import { missingOnHost } from '../test/cluster/preflight.js';
import { isAlive } from '../test/cluster/process-record.js';
import { inspectCache } from './first-run.js';

/** One sentence per requirement that this machine does not meet. */
export const missingRequirements = (): string[] =>
  missingOnHost({ realNodes: true, build: inspectCache().programs.length > 0 });

/** Reports a cluster that belongs to a running process: it must be neither replaced nor removed. A cluster left by `--keep` has no such process. */
export function indexInUse(index: number): string[] {
  const owner = readClusterRecord(index)?.owner;
  if (!isAlive(owner)) return [];
  return [
    `Cluster ${index} belongs to process ${owner.pid}, which is still running. Stop that process or choose another cluster with --index.`,
  ];
}
