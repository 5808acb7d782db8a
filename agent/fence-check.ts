/**
 * Whether the API server keeps this agent from writing to other Nodes. The admission policies do that; whether they are installed, and match this
 * agent, shows only when it tries: a server-side dry run stores nothing.
 */
import { NODE_AGENT } from '../api/kinds.js';
import type { Fence } from '../api/fence.js';
import { isForbidden } from '../kube/errors.js';
import type { Kube } from '../kube/kube.js';
import { NODES } from '../kube/resources.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';

/** Just after an installation, the API server may not have loaded the policies yet: what is not fenced is tried again before it is reported. */
export const CONFIRM_MS = 30_000;
/** An agent tries again this often, fenced or not: the policies may be deleted later. */
export const RECHECK_MS = 60 * 60_000;
const MAX_MESSAGE_LENGTH = 500;

/** A change that every agent may make on its own Node. */
const CHANGE = { metadata: { labels: { 'kairos.io/id': 'fence-check' } } };

const FENCED: Fence = { state: 'Fenced', reason: 'Refused', message: 'the API server refuses writes to other Nodes' };

export interface FenceCheckOptions {
  kube: Kube;
  clock: Clock;
  log: Log;
  nodeName: string;
}

/** Sends two small requests when the agent starts, and every hour after that. */
export class FenceCheck {
  readonly #options: FenceCheckOptions;
  #result: Fence | undefined;
  #triedAt: number | undefined;
  /** The last try found an agent that was not known to be unfenced not to be fenced. */
  #isUnconfirmed = false;

  constructor(options: FenceCheckOptions) {
    this.#options = options;
  }

  /** What is known so far; undefined before the first result. */
  get result(): Fence | undefined {
    return this.#result;
  }

  /** Tries when it is time to. Never throws: no operation depends on it. Returns whether there is a new result. */
  async run(): Promise<boolean> {
    const { clock, log } = this.#options;
    if (!this.#isDue(clock.monotonic())) return false;
    const found = await this.#try().catch(unknown);
    this.#triedAt = clock.monotonic();
    const wasFenced = this.#result?.state === 'Fenced';
    const isFenced = found.state === 'Fenced';
    this.#isUnconfirmed = !isFenced && !this.#isUnconfirmed && (wasFenced || this.#result === undefined);
    if (this.#isUnconfirmed || (wasFenced && isFenced)) return false;
    if (found.state === 'NotFenced') log.error({ step: 'Fence', ...found }, 'this agent may write to other Nodes');
    if (found.state === 'Unknown')
      log.warn({ step: 'Fence', ...found }, 'unknown whether the agent may write to other Nodes');
    this.#result = found;
    return true;
  }

  #isDue(now: number): boolean {
    return this.#triedAt === undefined || now - this.#triedAt >= (this.#isUnconfirmed ? CONFIRM_MS : RECHECK_MS);
  }

  async #try(): Promise<Fence> {
    const { kube, nodeName } = this.#options;
    /* Nodes cannot be listed, but every Linux Node has a NodeAgent of its name. */
    const { items } = await kube.list(NODE_AGENT, { limit: 2 });
    const other = items.map(({ metadata }) => metadata.name).find(name => name !== nodeName);
    if (other === undefined)
      return { state: 'Unknown', reason: 'NoOtherNode', message: 'there is no other Node to try it on' };
    try {
      await kube.patch(NODES, { name: other }, CHANGE, { dryRun: true });
    } catch (error) {
      if (isForbidden(error)) return FENCED;
      throw error;
    }
    const message = `the API server would let this agent write to Node ${other}: the ValidatingAdmissionPolicies for agents are missing or do not match its ServiceAccount`;
    return { state: 'NotFenced', reason: 'MayWriteOtherNodes', message };
  }
}

function unknown(error: unknown): Fence {
  const text = error instanceof Error ? error.message : String(error);
  return {
    state: 'Unknown',
    reason: 'CheckFailed',
    message: `the dry run failed: ${text}`.slice(0, MAX_MESSAGE_LENGTH),
  };
}
