/**
 * The Lease that says which walk may disturb a control plane. It has no time limit: its holder is gone when the ledger of that node
 * is no longer that operation's and the operation knows nothing of it either, which the API server itself is asked. A leader of yesterday fails at the Lease's version.
 */
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { CONTROL_PLANE_LEASE } from '../../../api/names.js';
import type { NodeAgent, NodeOp } from '../../../api/objects.js';
import { isNotFound, KubeError } from '../../../kube/errors.js';
import type { Kube } from '../../../kube/kube.js';
import { type LeaseObject, microTime } from '../../../kube/lease.js';
import { LEASES } from '../../../kube/resources.js';
import type { Clock } from '../../../program/clock.js';
import { operationIdOf } from '../../cluster/operation-id.js';
import { isFinal } from '../../cluster/phases.js';

/** One walk over one node. */
export interface Holder {
  /** Of the operation: uid and attempt. */
  id: string;
  node: string;
}

const textOf = ({ id, node }: Holder) => `${id}/${node}`;

function holderIn(text: string | undefined): Holder | undefined {
  const [, id, node] = /^([^/]+)\/([^/]+)$/.exec(text ?? '') ?? [];
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

  /** Ours when it returns. Throws a conflict while another walk goes on. */
  async take(holder: Holder): Promise<void> {
    const lease = await this.#look();
    if (lease === undefined) return this.#create(holder);
    const held = lease.spec?.holderIdentity;
    if (held === textOf(holder)) return;
    const other = holderIn(held);
    if (other && (await this.#goesOn(other)))
      throw new KubeError(409, `the turn of the control planes is that of node ${other.node}`, 'Conflict');
    const acquireTime = microTime(this.#clock.now());
    await this.#write(lease, { ...lease.spec, holderIdentity: textOf(holder), acquireTime });
  }

  /** Nothing happens when it is somebody else's. */
  async giveBack(holder: Holder): Promise<void> {
    const lease = await this.#look();
    if (lease?.spec?.holderIdentity === textOf(holder)) await this.#write(lease, { ...lease.spec, holderIdentity: '' });
  }

  async #goesOn(holder: Holder): Promise<boolean> {
    return (await this.#ledgerOf(holder.node)) === holder.id || (await this.#isLost(holder));
  }

  async #ledgerOf(node: string): Promise<string | undefined> {
    try {
      return (await this.#kube.get<NodeAgent>(NODE_AGENT, { name: node })).spec.operation?.id;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Somebody took the ledger away in the middle of the walk: as the report says, it will be taken up again. */
  async #isLost({ id, node }: Holder): Promise<boolean> {
    const { items } = await this.#kube.list<NodeOp>(NODE_OP);
    return items.some(({ metadata, status }) => {
      const entry = status?.nodeStatuses?.[node];
      return (
        entry?.startedAt !== undefined && !isFinal(entry) && operationIdOf(metadata.uid, entry.attempt ?? 1) === id
      );
    });
  }

  async #look(): Promise<LeaseObject | undefined> {
    try {
      return await this.#kube.get<LeaseObject>(LEASES, this.#at);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #create(holder: Holder): Promise<void> {
    const spec = { holderIdentity: textOf(holder), acquireTime: microTime(this.#clock.now()) };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: this.#at, spec };
    await this.#kube.create<LeaseObject>(LEASES, body, this.#at.namespace);
  }

  async #write(lease: LeaseObject, spec: LeaseObject['spec']): Promise<void> {
    await this.#kube.replace<LeaseObject>(LEASES, this.#at, { ...lease, spec });
  }
}
