/** The status of a finished object whose changeable fields are edited: kstatus tools wait until it is of the current generation. */
import type { Condition } from '../../api/meta.js';

interface Observed {
  observedGeneration?: number;
  conditions?: Condition[];
}

/**
 * The same status for the current generation; undefined if it is current already. A status that never had a generation was written by the
 * legacy operator and stays as it is.
 */
export function withObservedGeneration<S extends Observed>({
  metadata: { generation },
  status,
}: {
  metadata: { generation?: number };
  status?: S;
}): S | undefined {
  if (status?.observedGeneration === undefined || generation === undefined || status.observedGeneration === generation)
    return undefined;
  const conditions = status.conditions?.map(condition => ({ ...condition, observedGeneration: generation }));
  return { ...status, observedGeneration: generation, ...(conditions && { conditions }) };
}
