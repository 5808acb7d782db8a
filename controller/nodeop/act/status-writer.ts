/** Writes the status of NodeOps, and collects changes so that a large operation is not written with every pass. */
import { NODE_OP } from '../../../api/kinds.js';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import type { NodeOp } from '../../../api/objects.js';
import { keyOf } from '../../../kube/object-key.js';
import type { Kube } from '../../../kube/kube.js';
import { isSameJson } from '../../../kube/merge-patch.js';
import { mergeStatus } from '../../../kube/patch.js';
import type { Clock } from '../../../program/clock.js';
import type { Caches } from '../../cluster/informers.js';

/** A change waits this long for others to be written with it, unless the phase of the operation changes. */
const BATCH_MS = 1_000;

/** `delayed`: the change is written by a pass after `afterMs`. */
export type StatusWrite = { is: 'unchanged' } | { is: 'written' } | { is: 'delayed'; afterMs: number };

interface StatusWriterDeps {
  kube: Pick<Kube, 'patch'>;
  caches: Pick<Caches, 'nodeOps'>;
  clock: Clock;
}

export class StatusWriter {
  readonly #deps: StatusWriterDeps;
  /** When the oldest unwritten change was found, by key of the operation. */
  readonly #changedAt = new Map<string, number>();

  constructor(deps: StatusWriterDeps) {
    this.#deps = deps;
  }

  /** Fails with a conflict when the object has changed since it was read. */
  async write(op: NodeOp, status: NodeOpStatus): Promise<void> {
    const { kube, caches } = this.#deps;
    caches.nodeOps.put(await mergeStatus(kube, NODE_OP, op, { status }));
  }

  async writeSoon(op: NodeOp, status: NodeOpStatus): Promise<StatusWrite> {
    const key = keyOf(op.metadata);
    if (isSameJson(status, op.status)) {
      this.#changedAt.delete(key);
      return { is: 'unchanged' };
    }
    const now = this.#deps.clock.monotonic();
    const changedAt = this.#changedAt.get(key) ?? now;
    this.#changedAt.set(key, changedAt);
    const afterMs = changedAt + BATCH_MS - now;
    if (afterMs > 0 && status.phase === op.status?.phase) return { is: 'delayed', afterMs };
    await this.write(op, status);
    this.#changedAt.delete(key);
    return { is: 'written' };
  }

  forget({ metadata }: NodeOp): void {
    this.#changedAt.delete(keyOf(metadata));
  }
}
