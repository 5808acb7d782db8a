/** Writes the labels and annotations of the contract on the Node, when there is something new to say. */
import type { NodeAgent } from '../api/objects.js';
import type { Kube } from '../kube/kube.js';
import { NODES } from '../kube/resources.js';
import type { Log } from '../program/log.js';
import type { Facts } from './facts.js';
import { nodePatch } from './labels.js';

/** Remembers what was said last: the Node itself is never read. */
export class NodeLabels {
  readonly #kube: Kube;
  readonly #log: Log;
  #said: string | undefined;
  /** The Node carries words of ours, or may. */
  #ours = false;

  constructor(kube: Kube, log: Log) {
    this.#kube = kube;
    this.#log = log;
  }

  async tell(agent: NodeAgent, facts: Facts): Promise<void> {
    const name = agent.metadata.name;
    this.#ours ||= facts.identity !== undefined || agent.status?.release !== undefined;
    if (!agent.spec.labels) {
      this.#said = undefined;
      return;
    }
    const patch = nodePatch(facts.identity, facts.boot.state);
    const words = JSON.stringify(patch);
    if (words === this.#said) return;
    if (this.#ours) {
      await this.#kube.patch(NODES, { name }, patch, { type: 'merge' });
      this.#log.info({ step: 'Labels', kairos: facts.identity?.from }, `labeled node ${name}`);
    } else {
      this.#log.info({ step: 'Labels' }, `node ${name} is not a Kairos node, skipping`);
    }
    this.#said = words;
  }
}
