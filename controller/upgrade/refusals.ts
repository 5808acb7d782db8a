/** What the API server would not let be made, remembered until it does. Nothing is lost when this memory is: it is asked again. */
import type { NodeOpUpgrade } from '../../api/objects.js';
import { keyOf } from '../../kube/key.js';
import type { Name } from '../../kube/kube.js';
import type { Refusal } from './facts.js';

interface Held extends Refusal {
  uid: string;
  generation: number | undefined;
}

export class Refusals {
  readonly #held = new Map<string, Held>();

  /** A changed spec deserves a new try at once. */
  of({ metadata }: NodeOpUpgrade): Refusal | undefined {
    const held = this.#held.get(keyOf(metadata));
    return held?.uid === metadata.uid && held.generation === metadata.generation ? held : undefined;
  }

  note(upgrade: NodeOpUpgrade, { what, message }: Pick<Refusal, 'what' | 'message'>, now: Date): void {
    const before = this.of(upgrade);
    const since = before?.what === what ? before.since : now;
    const { uid, generation } = upgrade.metadata;
    this.#held.set(keyOf(upgrade.metadata), { what, message, since, last: now, uid, generation });
  }

  forget(at: Name): void {
    this.#held.delete(keyOf(at));
  }
}
