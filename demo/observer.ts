/** Keeps the scene as it is now, from three watches, and says when the upgrade has ended. */
import { NODE_OP_UPGRADE } from '../api/kinds.js';
import type { NodeOpUpgradeStatus } from '../api/nodeop-upgrade.js';
import type { RealCluster } from '../test/cluster/real-cluster.js';
import { BudgetWatch } from './budget.js';
import type { NodeSeen, Snapshot } from './snapshot.js';
import { nameOf, nodeSeen, podSeen } from './seen.js';
import { type Change, watch, type Watched } from './watch.js';
import { MUST_ANSWER, NAMESPACE, REPLICAS, SAMPLE, UPGRADE } from './workload.js';

const UPGRADES = `${NODE_OP_UPGRADE.plural}.${NODE_OP_UPGRADE.group}`;

export class Observer {
  readonly budget = new BudgetWatch(MUST_ANSWER);
  readonly #nodes = new Map<string, NodeSeen>();
  readonly #abort = new AbortController();
  #upgrade: NodeOpUpgradeStatus = {};
  #sampleIsUp = false;
  #streams: readonly Promise<void>[] = [];

  constructor(
    private readonly cluster: RealCluster,
    private readonly program: string,
  ) {}

  start(): void {
    const { program } = this;
    const { kubeconfig } = this.cluster;
    const { signal } = this.#abort;
    const follow = (args: readonly string[], tell: (change: Change) => void) => {
      const what: Watched = { program, kubeconfig, args };
      return watch(what, tell, signal);
    };
    this.#streams = [
      follow(['nodes'], ({ object }) => this.#nodes.set(nameOf(object), nodeSeen(object))),
      follow(['pods', '--namespace', NAMESPACE, '--selector', `app=${SAMPLE}`], change => this.#pod(change)),
      follow([UPGRADES, '--namespace', NAMESPACE], ({ object }) => {
        if (nameOf(object) === UPGRADE) this.#upgrade = object.status ?? {};
      }),
    ];
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#streams);
  }

  /** All nodes and all Pods of the sample have been seen. */
  get isComplete(): boolean {
    return this.#sampleIsUp && this.#nodes.size === this.cluster.machines.size;
  }

  get hasEnded(): boolean {
    return this.#upgrade.phase === 'Completed' || this.#upgrade.phase === 'Failed';
  }

  scene(): Snapshot {
    const boots = [...this.cluster.machines].map(([name, machine]) => [name, machine.bootCount()] as const);
    const nodes = [...this.#nodes.values()].toSorted((a, b) => a.name.localeCompare(b.name));
    const { answering, wanted } = this.budget;
    return { nodes, boots: Object.fromEntries(boots), upgrade: this.#upgrade, answering, wanted };
  }

  #pod({ type, object }: Change): void {
    if (type === 'DELETED') this.budget.remove(nameOf(object));
    else this.budget.put(podSeen(object));
    // while the sample is being started there is nothing to protect yet
    this.#sampleIsUp ||= this.budget.answering >= REPLICAS;
    if (this.#sampleIsUp) this.budget.look(new Date());
  }
}
