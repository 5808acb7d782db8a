/** What is built is handed on, by a Job for each exporter. */
import type { Event } from '../../../kube/recorder.js';
import { type Exports, exportsSeen, type ExportsTold } from '../progress/exporter-progress.js';
import type { Facts, Plan } from '../facts.js';
import { planWithEvent } from './plan-with-event.js';
import { type Known, told } from '../status.js';
import { TERMINATING_RECHECK_MS, PATIENCE_MS } from '../timeouts.js';

/** `known`: of the builder Pod, while there is one; `events`: of its last steps. */
export function exporting(facts: Facts, id: string, known: Known, events: readonly Event[] = []): Plan {
  const { artifact, now } = facts;
  const { status } = artifact;
  const before: ExportsTold = status?.build === id ? (status.exports ?? []) : [];
  const seen = exportsSeen(facts.exporters, before, now);
  const more = { build: id, pod: status?.pod, ...known, exports: seen.told };
  if (seen.failed !== undefined) {
    const words = { phase: 'Error', reason: 'ExportFailed', message: seen.failed } as const;
    return planWithEvent(facts, told(artifact, words, now, more), { reason: 'ExportFailed', events });
  }
  if (seen.told.every(({ state }) => state === 'Done')) {
    const files = (more.outputs ?? status?.outputs ?? []).map(({ name }) => name);
    const message = files.length === 0 ? 'built' : `built: ${files.join(', ')}`;
    const words = { phase: 'Ready', reason: 'Built', message } as const;
    return planWithEvent(facts, told(artifact, words, now, more), { reason: 'Built', events });
  }
  return open(facts, id, seen, { ...more, events });
}

/** Not all are done, and none has failed. */
function open(
  facts: Facts,
  id: string,
  seen: Exports,
  { events, ...more }: Known & { events: readonly Event[] },
): Plan {
  const { artifact, now } = facts;
  const { held } = seen;
  if (held?.since && now.getTime() - held.since.getTime() >= PATIENCE_MS) {
    const words = { phase: 'Error', reason: 'ExportTimeout', message: held.message } as const;
    const actions = [{ do: 'deleteJob' as const, job: held.job }];
    return planWithEvent(facts, told(artifact, words, now, more), { reason: 'ExportTimeout', actions, events });
  }
  const done = seen.told.filter(({ state }) => state === 'Done').length;
  const count = `${done} of ${seen.told.length} exporters are done`;
  const message = held ? `${count}; ${held.message}` : count;
  const actions = [
    ...seen.again.map(job => ({ do: 'deleteJob' as const, job })),
    ...seen.missing.map(index => ({ do: 'export' as const, id, index })),
  ];
  return planWithEvent(facts, told(artifact, { phase: 'Exporting', reason: 'Exporting', message }, now, more), {
    reason: 'Exporting',
    actions,
    events,
    requeueAfterMs: actions.length > 0 ? TERMINATING_RECHECK_MS : undefined,
  });
}
