import type { Condition } from '../../api/meta.js';

/** The reason that goes with a final phase. */
const REASONS: Readonly<Record<string, string | undefined>> = { Completed: 'AllDone', Failed: 'NodesFailed' };

/** The conditions of an operation in the form that kstatus and `kubectl wait --for=condition=…` expect. */
export function conditions(
  nodeOp: { meta: { generation?: number }; status: { conditions?: readonly Condition[] } },
  { phase, message, now, reason }: { phase: string; message: string; now: Date; reason?: string },
): Condition[] {
  const done = phase === 'Completed';
  const failed = phase === 'Failed';
  const conditionReason = reason ?? REASONS[phase] ?? 'Progressing';
  const set = { Complete: done, Failed: failed, Reconciling: !done && !failed, Stalled: failed };
  return Object.entries(set).map(([type, isTrue]) => {
    const status = isTrue ? 'True' : 'False';
    const before = nodeOp.status.conditions?.find(condition => condition.type === type);
    return {
      type,
      status,
      reason: conditionReason,
      message,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now.toISOString(),
      observedGeneration: nodeOp.meta.generation,
    };
  });
}
