/** One pass of the agent: look, decide, do. */
import { NODE_AGENT } from '../api/kinds.js';
import type { Operation, RebootAnswer, System } from '../api/node-agent.js';
import type { NodeAgent } from '../api/objects.js';
import type { Cache } from '../kube/cache.js';
import type { Kube } from '../kube/kube.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { type RebootAction, decideReboot } from './reboot-decision.js';
import { observe } from './observe.js';
import { ReadErrorLog } from './read-errors.js';
import type { Host } from './host.js';
import { type Journal, recalled } from './journal.js';
import { NodeLabels } from './label-node.js';
import { reboot } from './reboot.js';
import { forgotten, removeSentinels, type Sentinel, sentinelsIn, type Unreadable } from './sentinel.js';
import { StatusWriter, type StatusUpdate } from './status-writer.js';

export interface ReconcilerOptions {
  kube: Kube;
  host: Host;
  clock: Clock;
  log: Log;
  nodeName: string;
  agentVersion: string;
  stateDir: string;
  /** The machine itself, as it was when this process started. */
  system?: System;
  journal: Journal;
  cache: Cache<NodeAgent>;
}

/** A machine about to go down waits no longer for the API server than this to hear of it. */
const LAST_WORDS_MS = 150;

/** `keepRelease`: the release in the status stays, although the host tells of none. */
interface Observation extends StatusUpdate {
  sentinels: readonly Sentinel[];
}

/** Remembers between passes only when it called a reboot, and what it said of the Node. */
export class Reconciler {
  readonly #with: ReconcilerOptions;
  readonly #labels: NodeLabels;
  readonly #statusWriter: StatusWriter;
  readonly #startedAt: number;
  readonly #faults = new ReadErrorLog();
  #called: { id: string; at: number } | undefined;

  constructor(options: ReconcilerOptions) {
    this.#with = { ...options, log: options.log.child({ node: options.nodeName }) };
    this.#labels = new NodeLabels(options.kube, this.#with.log, options.clock);
    this.#statusWriter = new StatusWriter(options);
    this.#startedAt = options.clock.monotonic();
  }

  /** Returns when it wants to look again, if it knows. Only after the first list is in. */
  async run(): Promise<number | undefined> {
    const agent = this.#with.cache.get({ name: this.#with.nodeName });
    /* Nothing is done to a node that the controller does not know; its object will ring. */
    return agent && this.#run(agent, false);
  }

  async #run(agent: NodeAgent, confirmed: boolean): Promise<number | undefined> {
    const { host, stateDir, clock, log } = this.#with;
    const [{ facts: seen, faults }, { sentinels, unreadable }] = await Promise.all([
      observe(host),
      sentinelsIn(host, stateDir),
    ]);
    const facts = { ...seen, system: this.#with.system };
    this.#faults.tell([...faults, ...unreadable], log);
    const operation = agent.spec.operation;
    const due = operation ? this.#duties(agent, operation, { facts, sentinels, unreadable, confirmed }) : [];
    if (due.some(duty => duty.do === 'confirm')) return this.#run(await this.#readAgain(), true);

    const keepRelease = facts.unsure === true || this.#labels.haveToGo(agent, facts);
    const look = { agent, facts, sentinels, keepRelease, log: log.child({ operation: operation?.id }) };
    await this.#perform(look, due);
    await this.#labels.tell(agent, facts);
    if (keepRelease && !facts.unsure) await this.#forgetRelease(look, due);
    const old = forgotten(sentinels, clock.now(), operation?.job?.name);
    if (old.length > 0) await removeSentinels(host, stateDir, files(old));
    return due.find(duty => duty.do === 'requeue')?.inMs;
  }

  #duties(
    agent: NodeAgent,
    operation: Operation,
    seen: Pick<Observation, 'facts' | 'sentinels'> & { unreadable: readonly Unreadable[]; confirmed: boolean },
  ): RebootAction[] {
    const { clock, journal } = this.#with;
    const called = this.#called?.id === operation.id ? this.#called : undefined;
    return decideReboot({
      operation,
      entry: journal.entry(operation.id) ?? recalled(operation, agent.status),
      sentinels: seen.sentinels,
      unreadable: seen.unreadable.map(one => one.jobName),
      boot: seen.facts.boot,
      now: clock.now(),
      sinceCallMs: called && clock.monotonic() - called.at,
      sinceStartMs: clock.monotonic() - this.#startedAt,
      confirmed: seen.confirmed,
    });
  }

  /** The labels are off the Node: nothing needs to remind us of them any more. */
  async #forgetRelease(look: Observation, due: readonly RebootAction[]): Promise<void> {
    const { cache, nodeName } = this.#with;
    const agent = cache.get({ name: nodeName }) ?? look.agent;
    const answer = due.find(duty => duty.do === 'answer')?.reboot;
    await this.#statusWriter.write({ ...look, agent, keepRelease: false }, answer);
  }

  /** From the API server itself; when it is away, this throws and nothing is done. */
  async #readAgain(): Promise<NodeAgent> {
    const { kube, cache, nodeName } = this.#with;
    const agent = await kube.get<NodeAgent>(NODE_AGENT, { name: nodeName });
    cache.put(agent);
    return agent;
  }

  /** In the order given: a crash between any two is a case of `duties`. */
  async #perform(look: Observation, due: readonly RebootAction[]): Promise<void> {
    const goesDown = due.some(duty => duty.do === 'reboot');
    try {
      for (const duty of due) await this.#act(look, duty, goesDown);
    } catch (error) {
      if (goesDown) await this.#sayWhyNot(look, error).catch(() => undefined);
      else await this.#sayAllTheSame(look, due).catch(() => undefined);
      throw error;
    }
    if (!due.some(duty => duty.do === 'answer')) await this.#statusWriter.write(look, undefined);
  }

  async #act(look: Observation, duty: RebootAction, goesDown: boolean): Promise<void> {
    const { host, stateDir, clock, journal } = this.#with;
    switch (duty.do) {
      case 'keep':
        await journal.keep(duty.entry);
        return look.log.info({ step: 'Reboot', state: duty.entry.state }, 'written to the journal');
      case 'removeSentinels':
        await removeSentinels(host, stateDir, duty.files);
        return look.log.info({ step: 'Reboot', files: duty.files }, 'sentinel removed');
      case 'answer':
        return goesDown ? this.#lastWords(look, duty.reboot) : this.#statusWriter.write(look, duty.reboot);
      case 'reboot': {
        const how = await reboot(host);
        this.#called = { id: look.agent.spec.operation?.id ?? '', at: clock.monotonic() };
        return look.log.info({ step: 'Reboot', how }, 'reboot called');
      }
      case 'confirm':
      case 'requeue':
        return undefined;
      default:
        return duty satisfies never;
    }
  }

  /** Best effort: the answer after the reboot is the one that counts. */
  async #lastWords(look: Observation, answer: RebootAnswer): Promise<void> {
    const said = this.#statusWriter
      .write(look, answer)
      .catch((error: unknown) => look.log.warn({ err: error }, 'could not tell of the reboot, going on'));
    const enough = new AbortController();
    await Promise.race([said, this.#with.clock.sleep(LAST_WORDS_MS, enough.signal)]);
    enough.abort();
  }

  /** An ending is true whether or not the disk takes it; once told, the status remembers it in the journal's place. */
  async #sayAllTheSame(look: Observation, due: readonly RebootAction[]): Promise<void> {
    const answer = due.find(duty => duty.do === 'answer');
    if (answer) await this.#statusWriter.write(look, answer.reboot);
  }

  /** Whoever waits for this reboot is told why it does not happen. */
  async #sayWhyNot(look: Observation, error: unknown): Promise<void> {
    const begun = this.#with.journal.entry(look.agent.spec.operation?.id ?? '');
    const message = `not rebooted yet: ${error instanceof Error ? error.message : String(error)}`;
    const bootIdBefore = look.facts.boot.id;
    await this.#statusWriter.write(look, { state: begun ? 'Rebooting' : 'Waiting', bootIdBefore, message });
  }
}

const files = (sentinels: readonly Sentinel[]) => sentinels.map(one => one.file);
