/** What the agent has begun and how it ended, kept on the host's disk: it survives a crash, a lost cluster and the reboot itself. */
import type { NodeAgentStatus, Operation } from '../api/node-agent.js';
import { tryRead } from './read-errors.js';
import type { Host } from './host.js';

/** One per operation id. */
export interface Entry {
  id: string;
  jobName: string;
  /** Of the boot in which the reboot was begun. */
  bootId: string;
  notAfter: string;
  state: 'Rebooting' | 'Rebooted' | 'Cancelled' | 'Failed';
  startedAt?: string;
  /** When the reboot was last called, or was about to be. */
  calledAt?: string;
  bootIdAfter?: string;
  bootedAt?: string;
  message?: string;
}

const STATES: readonly string[] = ['Rebooting', 'Rebooted', 'Cancelled', 'Failed'] satisfies Entry['state'][];

/** Old endings that stay, should the controller have to rebuild its ledger; nobody asks for more. */
const KEPT = 8;

/** The one writer is this process; so memory and disk agree, and the disk is read once. */
export class Journal {
  readonly #host: Host;
  readonly #path: string;
  #entries: readonly Entry[];

  private constructor(host: Host, path: string, entries: readonly Entry[]) {
    this.#host = host;
    this.#path = path;
    this.#entries = entries;
  }

  /**
   * What is damaged counts as not written, and is put aside for people to look at, where that is possible. `damaged` says what is wrong.
   * An agent that would not start over this could not even say so.
   */
  static async open(host: Host, stateDir: string): Promise<{ journal: Journal; damaged?: string }> {
    const path = `${stateDir}/journal.json`;
    const { value: text, fault } = await tryRead(path, host.read(path));
    if (text === undefined) return { journal: new Journal(host, path, []), damaged: fault?.why };
    const { entries, damaged } = parseEntries(text);
    const journal = new Journal(host, path, entries);
    if (!damaged) return { journal };
    const aside = await tryRead(path, host.write(`${path}.damaged`, text));
    return {
      journal,
      damaged: aside.fault ? `not put aside: ${aside.fault.why}` : 'put aside as journal.json.damaged',
    };
  }

  entry(id: string): Entry | undefined {
    return this.#entries.find(entry => entry.id === id);
  }

  /** Resolves when it is safe on the disk; old entries go on this occasion. */
  async keep(entry: Entry): Promise<void> {
    const entries = [...this.#entries.filter(one => one.id !== entry.id), entry].slice(-KEPT);
    await this.#host.write(this.#path, `${JSON.stringify({ version: 1, entries }, null, 2)}\n`);
    this.#entries = entries;
  }
}

/** Every entry that has what a decision needs, and whether there was anything else. */
export function parseEntries(text: string): { entries: Entry[]; damaged: boolean } {
  const written = listed(text);
  const entries = written?.filter(isEntry) ?? [];
  return { entries, damaged: entries.length !== written?.length };
}

/** Undefined: not a journal. */
function listed(text: string): unknown[] | undefined {
  try {
    const data: unknown = JSON.parse(text);
    return isRecord(data) && Array.isArray(data.entries) ? data.entries : undefined;
  } catch {
    return undefined;
  }
}

/**
 * For a journal that was lost, or that a full disk did not take: what was told of this operation before. When the reboot was last called
 * was not told.
 */
export function recalled(operation: Operation, status: NodeAgentStatus | undefined): Entry | undefined {
  const told = status?.operation?.id === operation.id ? status.operation.reboot : undefined;
  if (told === undefined || told.state === 'Waiting' || told.bootIdBefore === undefined) return undefined;
  return {
    id: operation.id,
    jobName: operation.reboot?.jobName ?? operation.job?.name ?? '',
    bootId: told.bootIdBefore,
    notAfter: operation.reboot?.notAfter ?? '',
    state: told.state,
    startedAt: told.startedAt,
    bootIdAfter: told.bootIdAfter,
    bootedAt: told.bootedAt,
    message: told.state === 'Rebooting' ? undefined : told.message,
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isEntry = (value: unknown): value is Entry =>
  isRecord(value) &&
  ['id', 'jobName', 'bootId', 'notAfter', 'state'].every(key => typeof value[key] === 'string') &&
  STATES.includes(String(value.state)) &&
  ['startedAt', 'calledAt', 'bootIdAfter', 'bootedAt', 'message'].every(key =>
    ['string', 'undefined'].includes(typeof value[key]),
  );
