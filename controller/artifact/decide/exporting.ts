/** Hands the built files to the exporters, with one Job for each. */
import type { Event } from '../../../kube/event-recorder.js';
import type { Facts, Plan } from '../facts.js';
import { type ExportProgress, exportProgress, type ExportStatuses } from '../progress/exporter-progress.js';
import { type BuildDetails, newStatus } from '../status.js';
import { TERMINATING_RECHECK_MS, WAIT_LIMIT_MS } from '../timeouts.js';
import { planWithEvent } from './plan-with-event.js';

/** `builder`: details of the builder Pod, while it exists; `events`: about its last steps. */
export function exporting(facts: Facts, id: string, builder: BuildDetails, events: readonly Event[] = []): Plan {
  const { artifact, now } = facts;
  const { status } = artifact;
  const before: ExportStatuses = status?.build === id ? (status.exports ?? []) : [];
  const progress = exportProgress(facts.exporters, before, now);
  const details = { build: id, pod: status?.pod, ...builder, exports: progress.statuses };
  if (progress.failed !== undefined) {
    const summary = { phase: 'Error', reason: 'ExportFailed', message: progress.failed } as const;
    return planWithEvent(facts, newStatus(artifact, summary, now, details), { reason: 'ExportFailed', events });
  }
  if (progress.statuses.every(({ state }) => state === 'Done')) {
    const files = (details.outputs ?? status?.outputs ?? []).map(({ name }) => name);
    const message = files.length === 0 ? 'built' : `built: ${files.join(', ')}`;
    const summary = { phase: 'Ready', reason: 'Built', message } as const;
    return planWithEvent(facts, newStatus(artifact, summary, now, details), { reason: 'Built', events });
  }
  return stillExporting(facts, id, progress, { ...details, events });
}

/** Indexes of the exporters whose Jobs are created now. With a volume for one Pod at a time, the others would wait for a node for too long. */
function startable({ isExclusive }: Facts, { missing, statuses }: ExportProgress): readonly number[] {
  if (!isExclusive) return missing;
  const unfinished = statuses.filter(({ state }) => state === 'Running').length;
  return unfinished > missing.length ? [] : missing.slice(0, 1);
}

function stillExporting(
  facts: Facts,
  id: string,
  progress: ExportProgress,
  { events, ...details }: BuildDetails & { events: readonly Event[] },
): Plan {
  const { artifact, now } = facts;
  const { blocked, statuses } = progress;
  if (blocked?.since && now.getTime() - blocked.since.getTime() >= WAIT_LIMIT_MS) {
    const summary = { phase: 'Error', reason: 'ExportTimeout', message: blocked.message } as const;
    const actions = [{ do: 'deleteJob' as const, job: blocked.job }];
    return planWithEvent(facts, newStatus(artifact, summary, now, details), {
      reason: 'ExportTimeout',
      actions,
      events,
    });
  }
  const node = details.node ?? artifact.status?.node ?? facts.pod?.spec.nodeName;
  const done = statuses.filter(({ state }) => state === 'Done').length;
  const count = `${done} of ${statuses.length} exporters are done`;
  const message = blocked ? `${count}; ${blocked.message}` : count;
  const actions = [
    ...progress.toReplace.map(job => ({ do: 'deleteJob' as const, job })),
    ...startable(facts, progress).map(index => ({ do: 'export' as const, id, index, node })),
  ];
  const summary = { phase: 'Exporting', reason: 'Exporting', message } as const;
  return planWithEvent(facts, newStatus(artifact, summary, now, details), {
    reason: 'Exporting',
    actions,
    events,
    requeueAfterMs: actions.length > 0 ? TERMINATING_RECHECK_MS : undefined,
  });
}
