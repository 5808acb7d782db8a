/** An upgrade in an in-memory cluster, with the parts of the kubelet and of the NodeOp controller that it depends on. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../../api/kinds.js';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import type { NodeOp, NodeOpUpgrade } from '../../../api/objects.js';
import { type ReconcileDeps, reconcileUpgrade } from '../../../controller/upgrade/controller.js';
import { ownerIndexKeys } from '../../../controller/cluster/owner-index.js';
import { Refusals } from '../../../controller/upgrade/refusals.js';
import { StalenessTracker } from '../../../kube/live-read.js';
import type { ContainerStatus, CachedPod } from '../../../controller/cluster/pod.js';
import type { CachedNode } from '../../../controller/cluster/node.js';
import type { Name } from '../../../kube/kube.js';
import type { Event } from '../../../kube/event-recorder.js';
import { NODES, PODS } from '../../../kube/resources.js';
import { silentLog } from '../../../program/log.js';
import { fakeClock } from '../../fakes/clock.js';
import { FakeKube } from './fake-kube.js';
import { IMAGE } from './samples.js';

export const AT: Name = { namespace: 'default', name: 'to-v2' };

export class UpgradeCluster {
  readonly kube = new FakeKube();
  readonly events: Event[] = [];
  readonly clock = fakeClock(new Date().toISOString());
  readonly deps: ReconcileDeps = {
    refusals: new Refusals(),
    staleness: new StalenessTracker(this.clock),
    kube: this.kube,
    upgrades: this.kube.cacheOf<NodeOpUpgrade>(NODE_OP_UPGRADE),
    nodeOps: this.kube.cacheOf<NodeOp>(NODE_OP),
    nodes: this.kube.cacheOf<CachedNode>(NODES),
    pods: this.kube.cacheOf<CachedPod>(PODS, {
      owner: ownerIndexKeys,
    }),
    recorder: { record: event => void this.events.push(event) },
    log: silentLog,
    clock: this.clock,
  };

  /** Reconciles until nothing changes any more. */
  async settle(): Promise<void> {
    for (let round = 0, before = ''; round < 20; round += 1) {
      const now = String(this.kube.store.version);
      if (now === before) return;
      before = now;
      await reconcileUpgrade(AT, this.deps);
    }
    throw new Error('the upgrade does not settle');
  }

  async createUpgrade(spec: object = {}): Promise<void> {
    await this.kube.create(
      NODE_OP_UPGRADE,
      { metadata: { name: AT.name }, spec: { image: IMAGE, ...spec } },
      AT.namespace,
    );
    await this.settle();
  }

  async addNodes(...nodes: CachedNode[]): Promise<void> {
    for (const each of nodes) await this.kube.create(NODES, each);
  }

  /** Sets the container status of every probe Pod, as the kubelet does. */
  async setProbeState(container: Partial<ContainerStatus>): Promise<void> {
    for (const { metadata } of this.probes()) {
      const status = {
        phase: 'Pending',
        containerStatuses: [{ name: 'probe', ...container }],
      };
      await this.kube.patch(PODS, { namespace: 'default', name: metadata.name }, { status }, { subresource: 'status' });
    }
    await this.settle();
  }

  async setNodeOpStatus(status: NodeOpStatus): Promise<void> {
    await this.kube.patch(NODE_OP, AT, { status }, { subresource: 'status' });
    await this.settle();
  }

  upgrade = (): NodeOpUpgrade | undefined => this.deps.upgrades.get(AT);
  nodeOp = (): NodeOp | undefined => this.deps.nodeOps.get(AT);
  probes = (): CachedPod[] => this.deps.pods.list();
  reasons = () => this.events.map(event => event.reason);
}
