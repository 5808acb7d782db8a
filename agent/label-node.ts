/** Writes the labels and annotations of the contract on the Node, when there is something new to say, and once an hour. */
import type { NodeAgent } from '../api/objects.js';
import type { Kube } from '../kube/kube.js';
import { NODES } from '../kube/resources.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import type { Facts } from './observe.js';
import { nodePatch } from './labels.js';

/** The Node is not watched: what somebody else took off it comes back within this time. */
export const SAY_AGAIN_MS = 60 * 60_000;

/** The Node that this agent's object belongs to; a Node registered anew under the same name has another. */
export const nodeUid = (agent: NodeAgent): string | undefined =>
  agent.metadata.ownerReferences?.find(owner => owner.kind === 'Node')?.uid;

const wordsOf = (agent: NodeAgent, facts: Facts) =>
  JSON.stringify([nodeUid(agent), nodePatch(facts.identity, facts.boot.state)]);

/** Remembers what was said last: the Node itself is never read. */
export class NodeLabels {
  readonly #kube: Kube;
  readonly #log: Log;
  readonly #clock: Clock;
  #said: { words: string; at: number } | undefined;
  /** The Node carries words of ours, or may. */
  #ours = false;

  constructor(kube: Kube, log: Log, clock: Clock) {
    this.#kube = kube;
    this.#log = log;
    this.#clock = clock;
  }

  async tell(agent: NodeAgent, facts: Facts): Promise<void> {
    const name = agent.metadata.name;
    this.#ours ||= facts.identity !== undefined || agent.status?.release !== undefined;
    if (!agent.spec.labels) {
      this.#said = undefined;
      return;
    }
    if (facts.unsure) return;
    const words = wordsOf(agent, facts);
    if (words === this.#said?.words && !this.#isDueAgain(this.#said.at)) return;
    if (this.#ours) {
      await this.#kube.patch(NODES, { name }, nodePatch(facts.identity, facts.boot.state), { type: 'merge' });
      this.#log.info({ step: 'Labels', kairos: facts.identity?.from }, `labeled node ${name}`);
    } else {
      this.#log.info({ step: 'Labels' }, `node ${name} is not a Kairos node, skipping`);
    }
    this.#said = { words, at: this.#clock.monotonic() };
  }

  /** A host that is Kairos no longer, while its Node may still say so: the release in the status reminds us, and must not go before. */
  haveToGo(agent: NodeAgent, facts: Facts): boolean {
    if (!agent.spec.labels || facts.identity !== undefined || agent.status?.release === undefined) return false;
    return wordsOf(agent, facts) !== this.#said?.words;
  }

  #isDueAgain(at: number): boolean {
    return this.#ours && this.#clock.monotonic() - at >= SAY_AGAIN_MS;
  }
}
