/**
 * The Lease that says which node of which operation may disturb a control plane. It does not expire: its holder counts as finished when
 * the ledger of that node belongs to another operation or none, and the status of the operation does not count the node as started either.
 * Both are read from the API server, never from the caches. A former leader that still writes fails at the resource version of the Lease.
 */
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { CONTROL_PLANE_LEASE } from '../../../api/names.js';
import type { NodeAgent, NodeOp } from '../../../api/objects.js';
import { ConflictError, isNotFound, isRefusal } from '../../../kube/errors.js';
import { listAll } from '../../../kube/list-pages.js';
import type { Kube } from '../../../kube/kube.js';
import { type LeaseObject, microTime } from '../../../kube/lease.js';
import { LEASES } from '../../../kube/resources.js';
import type { Clock } from '../../../program/clock.js';
import { operationIdOf } from '../../cluster/operation-id.js';
import { isFinal } from '../../cluster/phases.js';
import { turnTakenMessage } from '../steps/control-plane.js';
import { ownValue } from '../../../program/own-value.js';

/** One run of an operation over one node. */
export interface Holder {
  /** Uid and attempt of the operation. */
  id: string;
  node: string;
}

export class ControlPlaneTurnTakenError extends ConflictError {
  constructor(node: string) {
    super(turnTakenMessage(node));
  }
}

const format = ({ id, node }: Holder) => `${id}/${node}`;

/** Undefined for an identity that this controller did not write: such a Lease is free. */
function parse(identity: string | undefined): Holder | undefined {
  const [, id, node] = /^([^/]+)\/([^/]+)$/.exec(identity ?? '') ?? [];
  return id === undefined || node === undefined ? undefined : { id, node };
}

export class ControlPlaneLease {
  readonly #kube: Kube;
  readonly #clock: Clock;
  readonly #at: { namespace: string; name: string };

  constructor({ kube, clock, ownNamespace }: { kube: Kube; clock: Clock; ownNamespace: string }) {
    this.#kube = kube;
    this.#clock = clock;
    this.#at = { namespace: ownNamespace, name: CONTROL_PLANE_LEASE };
  }

  /** The holder has the Lease when this returns. Throws a conflict while another holder is not finished. */
  async acquire(holder: Holder): Promise<void> {
    const lease = await this.#read();
    if (lease === undefined) return this.#create(holder);
    const identity = lease.spec?.holderIdentity;
    if (identity === format(holder)) return;
    const other = parse(identity);
    if (other && (await this.#isUnfinished(other))) throw new ControlPlaneTurnTakenError(other.node);
    const acquireTime = microTime(this.#clock.now());
    await this.#write(lease, { ...lease.spec, holderIdentity: format(holder), acquireTime });
  }

  /**
   * Does nothing when another holder has the Lease, or when a policy refuses the write: a holder whose node is released counts as finished.
   */
  async release(holder: Holder): Promise<void> {
    const lease = await this.#read();
    if (lease?.spec?.holderIdentity !== format(holder)) return;
    try {
      await this.#write(lease, { ...lease.spec, holderIdentity: '' });
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  async #isUnfinished(holder: Holder): Promise<boolean> {
    return (await this.#ledgerIdOf(holder.node)) === holder.id || (await this.#hasLostLedger(holder));
  }

  async #ledgerIdOf(node: string): Promise<string | undefined> {
    try {
      return (await this.#kube.get<NodeAgent>(NODE_AGENT, { name: node })).spec.operation?.id;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Something removed the ledger in the middle of the run: the status still counts the node as started, so the run will be resumed. */
  async #hasLostLedger({ id, node }: Holder): Promise<boolean> {
    const { items } = await listAll<NodeOp>(this.#kube, NODE_OP, { reduce: withoutSpec });
    return items.some(({ metadata, status }) => {
      const entry = ownValue(status?.nodeStatuses, node);
      return (
        entry?.startedAt !== undefined && !isFinal(entry) && operationIdOf(metadata.uid, entry.attempt ?? 1) === id
      );
    });
  }

  async #read(): Promise<LeaseObject | undefined> {
    try {
      return await this.#kube.get<LeaseObject>(LEASES, this.#at);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #create(holder: Holder): Promise<void> {
    const spec = { holderIdentity: format(holder), acquireTime: microTime(this.#clock.now()) };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: this.#at, spec };
    await this.#kube.create<LeaseObject>(LEASES, body, this.#at.namespace);
  }

  async #write(lease: LeaseObject, spec: LeaseObject['spec']): Promise<void> {
    await this.#kube.replace<LeaseObject>(LEASES, this.#at, { ...lease, spec });
  }
}

/** Of all operations only the status is read, and their specs may be large. */
const withoutSpec = ({ metadata, status }: NodeOp) => ({ metadata, status }) as NodeOp;
