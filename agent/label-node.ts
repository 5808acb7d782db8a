/** Writes the labels and annotations of the host on the Node: when they changed, and once an hour. */
import type { NodeAgent } from '../api/objects.js';
import type { Kube } from '../kube/kube.js';
import { NODES } from '../kube/resources.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import type { Facts } from './observe.js';
import { nodePatch } from './labels.js';
import { mayBeLabeled } from './status.js';

/** The Node is not watched: a label that something else removed is restored within this time, in milliseconds. */
export const REAPPLY_MS = 60 * 60_000;

/** UID of the Node that owns this NodeAgent. A Node that registers again under the same name has another UID. */
export const nodeUid = (agent: NodeAgent): string | undefined =>
  agent.metadata.ownerReferences?.find(owner => owner.kind === 'Node')?.uid;

/** Equal for two writes that would leave the same labels on the same Node. */
const patchKey = (agent: NodeAgent, facts: Facts) =>
  JSON.stringify([nodeUid(agent), nodePatch(facts.identity, facts.boot.state)]);

/** Remembers what it applied last; the Node itself is never read. */
export class NodeLabeler {
  readonly #kube: Kube;
  readonly #log: Log;
  readonly #clock: Clock;
  #lastApplied: { key: string; at: number } | undefined;
  /** Whether the Node carries labels of this agent, or may carry them. */
  #mayBeLabeled = false;

  constructor(kube: Kube, log: Log, clock: Clock) {
    this.#kube = kube;
    this.#log = log;
    this.#clock = clock;
  }

  /** Sets all labels and annotations of the host, or removes them when the host is not Kairos. */
  async apply(agent: NodeAgent, facts: Facts): Promise<void> {
    const name = agent.metadata.name;
    this.#mayBeLabeled ||= facts.identity !== undefined || mayBeLabeled(agent);
    if (!agent.spec.labels) {
      this.#lastApplied = undefined;
      return;
    }
    if (facts.identityUnknown) return;
    const key = patchKey(agent, facts);
    if (key === this.#lastApplied?.key && !this.#isReapplyDue(this.#lastApplied.at)) return;
    if (this.#mayBeLabeled) {
      await this.#kube.patch(NODES, { name }, nodePatch(facts.identity, facts.boot.state), { type: 'merge' });
      this.#log.info({ step: 'Labels', kairos: facts.identity?.from }, `labeled node ${name}`);
    } else {
      this.#log.info({ step: 'Labels' }, `node ${name} is not a Kairos node, skipping`);
    }
    this.#lastApplied = { key, at: this.#clock.monotonic() };
  }

  /**
   * Whether labels of a host that is no longer Kairos have yet to be removed from its Node. The status records that they may be there, so
   * that record must stay until they are removed.
   */
  mustRemove(agent: NodeAgent, facts: Facts): boolean {
    if (!agent.spec.labels || facts.identity !== undefined || !mayBeLabeled(agent)) return false;
    return patchKey(agent, facts) !== this.#lastApplied?.key;
  }

  #isReapplyDue(at: number): boolean {
    return this.#mayBeLabeled && this.#clock.monotonic() - at >= REAPPLY_MS;
  }
}
