/** Writes the status of the NodeAgent, only when it changed. */
import { NODE_AGENT } from '../api/kinds.js';
import type { RebootAnswer } from '../api/node-agent.js';
import type { NodeAgent } from '../api/objects.js';
import type { Cache } from '../kube/cache.js';
import type { Kube } from '../kube/kube.js';
import { mergeDiff } from '../kube/merge-patch.js';
import type { Log } from '../program/log.js';
import type { Facts } from './observe.js';
import { statusOf } from './status.js';

export interface StatusWriterOptions {
  kube: Kube;
  cache: Cache<NodeAgent>;
  agentVersion: string;
  stateDir: string;
}

/** What one pass has to say. */
export interface StatusUpdate {
  agent: NodeAgent;
  facts: Facts;
  keepRelease: boolean;
  log: Log;
}

/** Remembers between passes only what the API server does not take. */
export class StatusWriter {
  readonly #with: StatusWriterOptions;
  #dropped: string | undefined;

  constructor(options: StatusWriterOptions) {
    this.#with = options;
  }

  /** Compares with what is in the cluster, so that a status somebody damaged is put right at the next look. */
  async write({ agent, facts, keepRelease, log }: StatusUpdate, reboot: RebootAnswer | undefined): Promise<void> {
    const { kube, cache, agentVersion, stateDir } = this.#with;
    const status = statusOf(agent, { agentVersion, stateDir, facts, reboot, keepRelease });
    const patch = mergeDiff(agent.status ?? {}, status);
    if (!patch || isEcho(patch) || JSON.stringify(patch) === this.#dropped) return;
    const { name } = agent.metadata;
    const body = { status: patch };
    const taken = await kube.patch<NodeAgent>(NODE_AGENT, { name }, body, { type: 'merge', subresource: 'status' });
    cache.put(taken);
    /* A CRD older than this agent drops fields it does not know: saying them again and again would never help. */
    this.#dropped = JSON.stringify(mergeDiff(taken.status ?? {}, status));
    const check = status.operation?.check?.verdict;
    log.info(
      { step: agent.spec.operation?.step, check, reboot: reboot?.state, why: reboot?.message },
      'status written',
    );
  }
}

/** The ledger moves on a dozen times in a walk; saying only that it was seen would double the writes and tell nobody anything. */
const isEcho = (patch: object): boolean => Object.keys(patch).every(key => key === 'observedGeneration');
