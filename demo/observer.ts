/** Keeps a current snapshot of the cluster from three watches, and reports when the upgrade is finished. */
import { NODE_OP_UPGRADE } from '../api/kinds.js';
import type { NodeOpUpgradeStatus } from '../api/nodeop-upgrade.js';
import type { RealCluster } from '../test/cluster/real-cluster.js';
import { BudgetWatch } from './budget.js';
import { nameOf, parseNode, parsePod } from './parse-objects.js';
import type { NodeState, Snapshot } from './snapshot.js';
import { type Change, watch, type WatchTarget } from './watch.js';
import { MIN_AVAILABLE, NAMESPACE, REPLICAS, SAMPLE, UPGRADE } from './workload.js';

const UPGRADES = `${NODE_OP_UPGRADE.plural}.${NODE_OP_UPGRADE.group}`;

export class Observer {
  readonly budget = new BudgetWatch(MIN_AVAILABLE);
  readonly #nodes = new Map<string, NodeState>();
  readonly #abort = new AbortController();
  #upgrade: NodeOpUpgradeStatus = {};
  #isSampleUp = false;
  #watches: readonly Promise<void>[] = [];

  constructor(
    private readonly cluster: RealCluster,
    private readonly kubectl: string,
  ) {}

  start(): void {
    const { kubectl } = this;
    const { kubeconfig } = this.cluster;
    const { signal } = this.#abort;
    const follow = (args: readonly string[], onChange: (change: Change) => void) => {
      const target: WatchTarget = { kubectl, kubeconfig, args };
      return watch(target, onChange, signal);
    };
    this.#watches = [
      follow(['nodes'], ({ object }) => this.#nodes.set(nameOf(object), parseNode(object))),
      follow(['pods', '--namespace', NAMESPACE, '--selector', `app=${SAMPLE}`], change => this.#updatePod(change)),
      follow([UPGRADES, '--namespace', NAMESPACE], ({ object }) => {
        if (nameOf(object) === UPGRADE) this.#upgrade = object.status ?? {};
      }),
    ];
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#watches);
  }

  /** Whether all nodes have been observed, and all Pods of the sample have been ready at the same time. */
  get isComplete(): boolean {
    return this.#isSampleUp && this.#nodes.size === this.cluster.machines.size;
  }

  get isFinished(): boolean {
    return this.#upgrade.phase === 'Completed' || this.#upgrade.phase === 'Failed';
  }

  snapshot(): Snapshot {
    const boots = [...this.cluster.machines].map(([name, machine]) => [name, machine.bootCount()] as const);
    const nodes = [...this.#nodes.values()].toSorted((a, b) => a.name.localeCompare(b.name));
    const { ready: readyPods, required: requiredPods } = this.budget;
    return { nodes, boots: Object.fromEntries(boots), upgrade: this.#upgrade, readyPods, requiredPods };
  }

  #updatePod({ type, object }: Change): void {
    if (type === 'DELETED') this.budget.remove(nameOf(object));
    else this.budget.set(parsePod(object));
    // while the sample is starting, its budget cannot be met yet
    this.#isSampleUp ||= this.budget.ready >= REPLICAS;
    if (this.#isSampleUp) this.budget.check(new Date());
  }
}
