/** Which reboots the agent started and how they ended. Stored on the host's disk, it survives a crash, a lost cluster and the reboot itself. */
import type { NodeAgentStatus, Operation, RebootAnswer } from '../api/node-agent.js';
import { tryRead } from './read-errors.js';
import type { Host } from './host.js';

/** One per operation id. All times are ISO 8601. */
export interface JournalEntry {
  id: string;
  jobName: string;
  /** Boot in which the reboot was started. */
  bootId: string;
  notAfter: string;
  state: 'Rebooting' | 'Rebooted' | 'Cancelled' | 'Failed';
  startedAt?: string;
  /** When the reboot was last called; written before the call. */
  calledAt?: string;
  /** How it was called; written after the call. */
  method?: RebootAnswer['method'];
  bootIdAfter?: string;
  bootedAt?: string;
  message?: string;
  /** Concluded from the NodeAgent alone: this disk had no trace of the operation, which may have run on another machine of the same name. */
  isInferred?: boolean;
}

const STATES: readonly string[] = ['Rebooting', 'Rebooted', 'Cancelled', 'Failed'] satisfies JournalEntry['state'][];

const METHODS: readonly unknown[] = [undefined, 'systemctl', 'signal', 'command'] satisfies JournalEntry['method'][];

/** Finished entries stay for the case that the controller has to rebuild its ledger with the same operation id. */
const MAX_ENTRIES = 8;

/** This process is the only writer, so memory and disk agree and the file is read only once. */
export class Journal {
  readonly #host: Host;
  readonly #path: string;
  #entries: readonly JournalEntry[];

  private constructor(host: Host, path: string, entries: readonly JournalEntry[]) {
    this.#host = host;
    this.#path = path;
    this.#entries = entries;
  }

  /**
   * Opens `journal.json` in the state directory. Damaged entries count as not written; the damaged file is copied for inspection where
   * that is possible. `damage` describes what is wrong. A damaged journal is no error: an agent that does not start could not report it.
   */
  static async open(host: Host, stateDir: string): Promise<{ journal: Journal; damage?: string }> {
    const path = `${stateDir}/journal.json`;
    const { value: text, error } = await tryRead(path, host.read(path));
    if (text === undefined) return { journal: new Journal(host, path, []), damage: error?.message };
    const { entries, isDamaged } = parseEntries(text);
    const journal = new Journal(host, path, entries);
    if (!isDamaged) return { journal };
    const copy = await tryRead(path, host.write(`${path}.damaged`, text));
    return {
      journal,
      damage: copy.error ? `cannot be copied: ${copy.error.message}` : 'copied to journal.json.damaged',
    };
  }

  entry(id: string): JournalEntry | undefined {
    return this.#entries.find(entry => entry.id === id);
  }

  /** Replaces the entry of the same operation. Resolves when the file is synced to the disk; entries beyond the limit are dropped. */
  async write(entry: JournalEntry): Promise<void> {
    const entries = [...this.#entries.filter(({ id }) => id !== entry.id), entry].slice(-MAX_ENTRIES);
    await this.#host.write(this.#path, `${JSON.stringify({ version: 1, entries }, null, 2)}\n`);
    this.#entries = entries;
  }
}

/** The valid entries of a journal, and whether the text contained anything else. */
export function parseEntries(text: string): { entries: JournalEntry[]; isDamaged: boolean } {
  const values = parseList(text);
  const entries = values?.filter(isEntry) ?? [];
  return { entries, isDamaged: entries.length !== values?.length };
}

/** Undefined when the text is not a journal. */
function parseList(text: string): unknown[] | undefined {
  try {
    const data: unknown = JSON.parse(text);
    return isRecord(data) && Array.isArray(data.entries) ? data.entries : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Rebuilds the journal entry from the NodeAgent's status when the journal was lost or the disk was full; undefined when no reboot was
 * reported as started for this operation. The status does not contain when the reboot was last called.
 */
export function entryFromStatus(operation: Operation, status: NodeAgentStatus | undefined): JournalEntry | undefined {
  const answer = status?.operation?.id === operation.id ? status.operation.reboot : undefined;
  if (answer === undefined || answer.state === 'Waiting' || answer.bootIdBefore === undefined) return undefined;
  return {
    id: operation.id,
    jobName: operation.reboot?.jobName ?? operation.job?.name ?? '',
    bootId: answer.bootIdBefore,
    notAfter: operation.reboot?.notAfter ?? '',
    state: answer.state,
    startedAt: answer.startedAt,
    method: answer.method,
    bootIdAfter: answer.bootIdAfter,
    bootedAt: answer.bootedAt,
    message: answer.state === 'Rebooting' ? undefined : answer.message,
    isInferred: true,
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isEntry = (value: unknown): value is JournalEntry =>
  isRecord(value) &&
  ['id', 'jobName', 'bootId', 'notAfter', 'state'].every(key => typeof value[key] === 'string') &&
  STATES.includes(String(value.state)) &&
  METHODS.includes(value.method) &&
  ['boolean', 'undefined'].includes(typeof value.isInferred) &&
  ['startedAt', 'calledAt', 'bootIdAfter', 'bootedAt', 'message'].every(key =>
    ['string', 'undefined'].includes(typeof value[key]),
  );
