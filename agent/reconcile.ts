/** One reconciliation of the agent: observe the host, decide about the reboot, act, and label the Node. */
import { NODE_AGENT } from '../api/kinds.js';
import type { System } from '../api/node-agent.js';
import type { NodeAgent } from '../api/objects.js';
import type { Cache } from '../kube/cache.js';
import type { Kube } from '../kube/kube.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { ActionExecutor } from './act.js';
import { type RebootAction, decideReboot } from './reboot-decision.js';
import type { FenceCheck } from './fence-check.js';
import { type Facts, observe } from './observe.js';
import { ReadErrorLog, reportedErrors } from './read-errors.js';
import type { Host } from './host.js';
import { entryFromStatus, type Journal } from './reboot-journal.js';
import { RebootTimer } from './reboot-timer.js';
import { NodeLabeler } from './label-node.js';
import {
  expiredSentinels,
  fileNames,
  listSentinels,
  removeSentinels,
  type Sentinel,
  type UnreadableSentinel,
} from './sentinel.js';
import { StateDirCheck } from './state-dir.js';
import { StatusWriter, type Reconciliation } from './status-writer.js';

export interface ReconcilerOptions {
  kube: Kube;
  host: Host;
  clock: Clock;
  /** The time of the API server; that of the node when absent. */
  serverNow?: () => Date;
  log: Log;
  nodeName: string;
  agentVersion: string;
  stateDir: string;
  /** The hardware of the machine, as it was when this process started. */
  system?: System;
  journal: Journal;
  cache: Cache<NodeAgent>;
  /** Absent where nothing is to be tried on other Nodes. */
  fenceCheck?: FenceCheck;
}

/** What was read from the host for one reconciliation. */
interface HostState {
  facts: Facts;
  sentinels: readonly Sentinel[];
  unreadable: readonly UnreadableSentinel[];
}

/** Remembers between reconciliations only when it saw and called a reboot, what it wrote to the Node, and which errors of files it found. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #labeler: NodeLabeler;
  readonly #statusWriter: StatusWriter;
  readonly #executor: ActionExecutor;
  readonly #startedAt: number;
  readonly #readErrorLog = new ReadErrorLog();
  readonly #rebootTimer = new RebootTimer();
  readonly #stateDirCheck: StateDirCheck;

  constructor(options: ReconcilerOptions) {
    this.#options = { ...options, log: options.log.child({ node: options.nodeName }) };
    this.#labeler = new NodeLabeler(options.kube, this.#options.log, options.clock);
    this.#statusWriter = new StatusWriter(options);
    this.#executor = new ActionExecutor({ ...options, statusWriter: this.#statusWriter });
    this.#stateDirCheck = new StateDirCheck(options);
    this.#startedAt = options.clock.monotonic();
  }

  /**
   * Returns the milliseconds after which to reconcile again, or undefined when no time is due. The cache must be synced.
   * Throws when a read or an action failed; all actions may be repeated.
   */
  async reconcile(): Promise<number | undefined> {
    const agent = this.#options.cache.get({ name: this.#options.nodeName });
    /* Nothing is done to a node that the controller does not know yet. The watch wakes the agent when the NodeAgent is created. */
    return agent && this.#reconcile(agent, false);
  }

  async #reconcile(agent: NodeAgent, confirmed: boolean): Promise<number | undefined> {
    const { host, stateDir, clock, log } = this.#options;
    const hostState = await this.#observe(agent);
    const { facts, sentinels } = hostState;
    const operation = agent.spec.operation;
    const actions = this.#decide(agent, hostState, confirmed);
    if (actions.some(({ do: name }) => name === 'rereadNodeAgent')) return this.#reconcile(await this.#reread(), true);

    const isReleaseNeeded = this.#labeler.mustRemove(agent, facts);
    const keepRelease = facts.identityUnknown === true || isReleaseNeeded;
    const reconciliation = { agent, facts, keepRelease, log: log.child({ operation: operation?.id }) };
    await this.#executor.execute(reconciliation, actions);
    await this.#labeler.apply(agent, facts);
    const mustRemoveRelease = isReleaseNeeded && !facts.identityUnknown;
    /* The machine is about to go down: what takes a request waits for the next start. */
    const isFenceNew =
      !actions.some(({ do: name }) => name === 'reboot') && (await this.#options.fenceCheck?.run()) === true;
    if (mustRemoveRelease || isFenceNew)
      await this.#writeAgain({ ...reconciliation, keepRelease: keepRelease && !mustRemoveRelease }, actions);
    const expired = expiredSentinels(sentinels, clock.now(), operation?.job?.name);
    if (expired.length > 0) await removeSentinels(host, stateDir, fileNames(expired));
    return actions.find(action => action.do === 'requeue')?.inMs;
  }

  async #observe(agent: NodeAgent): Promise<HostState> {
    const { host, stateDir, system, log, clock, fenceCheck, serverNow = () => clock.now() } = this.#options;
    const [{ facts, readErrors }, { sentinels, unreadable }] = await Promise.all([
      observe(host),
      listSentinels(host, stateDir),
    ]);
    const errors = [...readErrors, ...unreadable];
    this.#readErrorLog.report(errors, log);
    const now = clock.now();
    const uptimeSeconds = Math.round((now.getTime() - Date.parse(facts.boot.since)) / 1000);
    const stateDirError = await this.#stateDirCheck.error(agent.spec.operation?.id);
    /* The controller compares it with what happened elsewhere, and the clock of the node may be off by hours. */
    const boot = { ...facts.boot, since: secondsBefore(serverNow(), uptimeSeconds) };
    const found = { boot, system, now, uptimeSeconds, stateDirError, fileErrors: reportedErrors(errors) };
    return { facts: { ...facts, ...found, fence: fenceCheck?.result }, sentinels, unreadable };
  }

  #decide(agent: NodeAgent, { facts, sentinels, unreadable }: HostState, confirmed: boolean): RebootAction[] {
    const { clock, journal } = this.#options;
    const operation = agent.spec.operation;
    if (!operation) return [];
    return decideReboot({
      operation,
      entry: journal.entry(operation.id) ?? entryFromStatus(operation, agent.status),
      sentinels,
      unreadable: unreadable.map(({ jobName }) => jobName),
      boot: facts.boot,
      now: clock.now(),
      sinceCallMs: this.#executor.msSinceRebootCall(operation.id),
      sinceSeenMs: this.#rebootTimer.msSinceSeen(agent, facts, clock.monotonic()),
      sinceStartMs: clock.monotonic() - this.#startedAt,
      confirmed,
    });
  }

  /** With what changed meanwhile: labels are removed from the Node, so that the status need not remember them, or the fence is known. */
  async #writeAgain(done: Reconciliation, actions: readonly RebootAction[]): Promise<void> {
    const { cache, nodeName, fenceCheck } = this.#options;
    const agent = cache.get({ name: nodeName }) ?? done.agent;
    const answer = actions.find(action => action.do === 'writeStatus')?.reboot;
    const facts = { ...done.facts, fence: fenceCheck?.result };
    await this.#statusWriter.write({ ...done, agent, facts }, answer);
  }

  /** Reads the NodeAgent from the API server. When that is unreachable, this throws and nothing is done. */
  async #reread(): Promise<NodeAgent> {
    const { kube, cache, nodeName } = this.#options;
    const agent = await kube.get<NodeAgent>(NODE_AGENT, { name: nodeName });
    cache.put(agent);
    return agent;
  }
}

const secondsBefore = (time: Date, seconds: number): string =>
  new Date(Math.round(time.getTime() / 1000 - seconds) * 1000).toISOString();
