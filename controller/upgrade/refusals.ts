/** Creations that the API server has refused, remembered until one succeeds. If this memory is lost, the creation is simply tried again. */
import type { NodeOpUpgrade } from '../../api/objects.js';
import { keyOf } from '../../kube/object-key.js';
import type { Name } from '../../kube/kube.js';
import type { Refusal } from './facts.js';

interface RememberedRefusal extends Refusal {
  uid: string;
  generation: number | undefined;
}

export class Refusals {
  readonly #refusals = new Map<string, RememberedRefusal>();

  /** Undefined after a change of the spec, which is tried at once. */
  of({ metadata }: NodeOpUpgrade): Refusal | undefined {
    const refusal = this.#refusals.get(keyOf(metadata));
    return refusal?.uid === metadata.uid && refusal.generation === metadata.generation ? refusal : undefined;
  }

  record(upgrade: NodeOpUpgrade, { what, message }: Pick<Refusal, 'what' | 'message'>, now: Date): void {
    const before = this.of(upgrade);
    const since = before?.what === what ? before.since : now;
    const { uid, generation } = upgrade.metadata;
    this.#refusals.set(keyOf(upgrade.metadata), { what, message, since, last: now, uid, generation });
  }

  forget(at: Name): void {
    this.#refusals.delete(keyOf(at));
  }
}
