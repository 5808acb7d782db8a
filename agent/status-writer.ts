/** Writes the status of the NodeAgent, and only when it changed. */
import { NODE_AGENT } from '../api/kinds.js';
import type { RebootAnswer } from '../api/node-agent.js';
import type { NodeAgent } from '../api/objects.js';
import type { Cache } from '../kube/cache.js';
import type { Kube } from '../kube/kube.js';
import { withCutMessages } from '../kube/status-texts.js';
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

/** The inputs of one reconciliation: the NodeAgent it started from, the observed host, and its log. */
export interface Reconciliation {
  agent: NodeAgent;
  facts: Facts;
  /** Whether what the status says about a release stays although none was found on the host. */
  keepRelease: boolean;
  log: Log;
}

/** Remembers between writes only which part of the status the API server does not store. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  #droppedPatch: string | undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** Compares with the stored status, so that a status which something else changed is corrected at the next reconciliation. */
  async write({ agent, facts, keepRelease, log }: Reconciliation, reboot: RebootAnswer | undefined): Promise<void> {
    const { kube, cache, agentVersion, stateDir } = this.#options;
    const status = withCutMessages(statusOf(agent, { agentVersion, stateDir, facts, reboot, keepRelease }));
    const patch = mergeDiff(agent.status ?? {}, status);
    if (!patch || isOnlyGeneration(patch) || JSON.stringify(patch) === this.#droppedPatch) return;
    const { name } = agent.metadata;
    const body = { status: patch };
    const stored = await kube.patch<NodeAgent>(NODE_AGENT, { name }, body, { type: 'merge', subresource: 'status' });
    cache.put(stored);
    /* A CRD older than this agent prunes fields that it does not know; writing them again would never help. */
    this.#droppedPatch = JSON.stringify(mergeDiff(stored.status ?? {}, status));
    const check = status.operation?.check?.verdict;
    const step = agent.spec.operation?.step;
    log.info({ step, check, reboot: reboot?.state, message: reboot?.message }, 'status written');
  }
}

/** The ledger changes about a dozen times per walk; acknowledging each change would double the writes without informing anyone. */
const isOnlyGeneration = (patch: object): boolean => Object.keys(patch).every(key => key === 'observedGeneration');
