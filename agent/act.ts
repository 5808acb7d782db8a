/** Carries out what the reboot decision asks for, in its order: a crash between any two actions is a case of `decideReboot`. */
import type { RebootAnswer } from '../api/node-agent.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import type { Host } from './host.js';
import type { Journal } from './reboot-journal.js';
import type { RebootAction } from './reboot-decision.js';
import { reboot, type RebootMethod } from './reboot.js';
import { removeSentinels } from './sentinel.js';
import type { Reconciliation, StatusWriter } from './status-writer.js';

export interface ActionExecutorOptions {
  host: Host;
  clock: Clock;
  stateDir: string;
  journal: Journal;
  statusWriter: StatusWriter;
}

/** Before a reboot, the status gets this long to reach the API server; the reboot does not depend on it. */
const STATUS_BEFORE_REBOOT_MS = 150;

/** Remembers when this process called a reboot. */
export class ActionExecutor {
  readonly #options: ActionExecutorOptions;
  #lastCall: { operationId: string; at: number } | undefined;

  constructor(options: ActionExecutorOptions) {
    this.#options = options;
  }

  /** Milliseconds since this process called the reboot of the operation; undefined when it did not. */
  msSinceRebootCall(operationId: string): number | undefined {
    if (this.#lastCall?.operationId !== operationId) return undefined;
    return this.#options.clock.monotonic() - this.#lastCall.at;
  }

  /** Writes the status in any case, also when no action asks for it. Throws the error of the first action that failed. */
  async execute(reconciliation: Reconciliation, actions: readonly RebootAction[]): Promise<void> {
    const { statusWriter } = this.#options;
    const includesReboot = actions.some(action => action.do === 'reboot');
    try {
      for (const action of actions) await this.#executeOne(reconciliation, action, includesReboot);
    } catch (error) {
      if (includesReboot) await this.#reportFailedReboot(reconciliation, error).catch(() => undefined);
      else await this.#writeAnswerDespiteError(reconciliation, actions).catch(() => undefined);
      throw error;
    }
    if (!actions.some(action => action.do === 'writeStatus')) await statusWriter.write(reconciliation, undefined);
  }

  async #executeOne(reconciliation: Reconciliation, action: RebootAction, includesReboot: boolean): Promise<void> {
    const { host, stateDir, clock, journal, statusWriter } = this.#options;
    const { agent, log } = reconciliation;
    switch (action.do) {
      case 'writeJournal':
        await journal.write(action.entry);
        return log.info({ step: 'Reboot', state: action.entry.state }, 'journal written');
      case 'removeSentinels':
        await removeSentinels(host, stateDir, action.files);
        return log.info({ step: 'Reboot', files: action.files }, 'sentinels removed');
      case 'writeStatus':
        return includesReboot
          ? this.#writeStatusBeforeReboot(reconciliation, action.reboot)
          : statusWriter.write(reconciliation, action.reboot);
      case 'reboot': {
        const operationId = agent.spec.operation?.id ?? '';
        const { method, failures } = await reboot(host);
        this.#lastCall = { operationId, at: clock.monotonic() };
        if (failures.length > 0) log.warn({ step: 'Reboot', failures }, 'the orderly way to reboot failed');
        log.info({ step: 'Reboot', method }, 'reboot called');
        return this.#recordMethod(operationId, method, log);
      }
      case 'rereadNodeAgent':
      case 'requeue':
        return undefined;
      default:
        return action satisfies never;
    }
  }

  /** Best effort: the machine is going down. What is in the journal is reported after the boot. */
  async #recordMethod(operationId: string, method: RebootMethod, log: Log): Promise<void> {
    const { journal } = this.#options;
    const entry = journal.entry(operationId);
    if (!entry) return;
    await journal
      .write({ ...entry, method })
      .catch((error: unknown) => log.warn({ err: error }, 'cannot record how the reboot was called'));
  }

  /** Best effort: the answer that counts is written after the reboot. */
  async #writeStatusBeforeReboot(reconciliation: Reconciliation, answer: RebootAnswer): Promise<void> {
    const written = this.#options.statusWriter
      .write(reconciliation, answer)
      .catch((error: unknown) =>
        reconciliation.log.warn({ err: error }, 'cannot write the status before the reboot, rebooting anyway'),
      );
    const stopWaiting = new AbortController();
    await Promise.race([written, this.#options.clock.sleep(STATUS_BEFORE_REBOOT_MS, stopWaiting.signal)]);
    stopWaiting.abort();
  }

  /** A final answer is true even if the journal could not be written; once in the status, it replaces the journal entry. */
  async #writeAnswerDespiteError(reconciliation: Reconciliation, actions: readonly RebootAction[]): Promise<void> {
    const answer = actions.find(action => action.do === 'writeStatus');
    if (answer) await this.#options.statusWriter.write(reconciliation, answer.reboot);
  }

  /** Reports in the status why the requested reboot has not happened. */
  async #reportFailedReboot(reconciliation: Reconciliation, error: unknown): Promise<void> {
    const { journal, statusWriter } = this.#options;
    const started = journal.entry(reconciliation.agent.spec.operation?.id ?? '');
    const message = `not rebooted yet: ${error instanceof Error ? error.message : String(error)}`;
    const bootIdBefore = reconciliation.facts.boot.id;
    await statusWriter.write(reconciliation, { state: started ? 'Rebooting' : 'Waiting', bootIdBefore, message });
  }
}
