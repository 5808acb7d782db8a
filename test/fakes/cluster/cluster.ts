/**
 * A whole cluster in one process, on one fake clock. The real controller (leader election, informers and work queues included)
 * and one real agent for each machine run on it unchanged.
 *
 * What it models, each in a file of this folder: the API server with watches, admission, eviction API and compaction; the
 * kubelet and its Pod workers; the Job, ReplicaSet, DaemonSet, disruption, node lifecycle and namespace controllers; the
 * garbage collector; machines with a disk, a power switch, shutdown and boot.
 * As on real nodes, the phase of a Pod is reported after the ends of its containers, its sandbox after the first pull, and a Job is
 * Complete some time after its Pod has succeeded.
 * What it does not model: authentication and RBAC, the operator's webhook and CRD validation, resource requests, Pod affinity,
 * networking, container logs, server-side apply, several API servers.
 * Harsher conditions are options, and off unless a scenario asks for them: injected sidecars and other mutating admission,
 * Pods that kubelets reject or end, power cuts that lose a Pod's sandbox, disks that cannot be written, static Pods, DaemonSets
 * that want some nodes only, labels and taints that change with a boot, a wrong clock of each machine and controller, and calls
 * that take time and occupy one of a limited number of connections.
 *
 *     const cluster = fakeCluster({ nodes: [{ name: 'n1' }, { name: 'n2' }] });
 *     await cluster.start();                             // one controller leads, every agent has reported
 *     cluster.apply(NODE_OP, nodeOp('op', { cordon: true }));
 *     await cluster.runUntil(() => cluster.isRunning('n1', 'nodeop'));
 *     cluster.machine('n1').powerOff();
 *     await cluster.runUntilSettled({ within: 3600 });   // seconds
 *
 * Faults: `machine.powerOff` and `reboot`, `api.admission`, `api.compact`, `watchDelay`, `backUp` and `restore`, and `kill`, `freeze` and `stop` of a
 * program. Kill points: every mutation of a program has a number, and `program.faultAt` decides what is injected into it.
 * Real time is never read, and random numbers come from `seed`: the same calls produce the same history.
 */
import { NODE_AGENT, NODE_OP, NODE_OP_UPGRADE } from '../../../api/kinds.js';
import type { NodeAgent, NodeOp, NodeOpUpgrade } from '../../../api/objects.js';
import { isFinal } from '../../../controller/cluster/phases.js';
import type { Name, Resource, Stored } from '../../../kube/kube.js';
import { DAEMONSETS, JOBS, NODES, PDBS, PODS } from '../../../kube/resources.js';
import { type FakeClock, fakeClock } from '../clock.js';
import { FakeApiServer } from './api-server.js';
import { type Backup, backUp, restore, type RestoreOptions } from './backup.js';
import { runDisruptionController } from './disruption-controller.js';
import { type NodeDisruption, logDisruptions } from './disruption-log.js';
import { POD_GC_MS, runGarbageCollector } from './garbage-collector.js';
import { runJobController } from './job-controller.js';
import type { BehaviorOverride, StartedContainer } from './container-behavior.js';
import { Kubelet, type ContainerRun } from './kubelet.js';
import { Machine } from './machine.js';
import { injectSidecar, inTurn, sidecarImages, type SidecarOptions } from './mutating-admission.js';
import { runNodeLifecycleController } from './node-lifecycle-controller.js';
import { budgetObject, type ClusterOptions, daemonSetObject, nodeObject, replicaSetObject } from './object-builders.js';
import type { Mutation, Program } from './program.js';
import { agentProgram, controllerProgram } from './operator-programs.js';
import { seededRandom } from './seeded-random.js';
import { REPLICA_SETS, runWorkloadControllers } from './workload-controllers.js';

export class FakeCluster {
  readonly clock: FakeClock = fakeClock(undefined, { turns: 1 });
  readonly api = new FakeApiServer(this.clock);
  /** Every mutation by any program. */
  readonly mutations: Mutation[] = [];
  /** Every container that was ever started. */
  readonly containerRuns: ContainerRun[] = [];
  /** Every change of a node's cordon, claim or power. */
  readonly disruptions: readonly NodeDisruption[];
  readonly machines: ReadonlyMap<string, Machine>;
  readonly #kubelets = new Map<string, Kubelet>();
  readonly #sidecars: readonly SidecarOptions[];
  readonly agents: ReadonlyMap<string, Program>;
  /** Replicas of the controller; `start` starts only the first. */
  readonly controllers: readonly Program[];
  /** Delay with which a watch event of a resource reaches a program, in milliseconds; `Infinity` loses it. */
  watchDelay: (program: string, plural: string) => number = () => 0;

  constructor(options: ClusterOptions) {
    const { nodes, seed = 1, allowedNamespaces } = options;
    const { api, clock, mutations, containerRuns } = this;
    this.#sidecars = options.sidecars ?? [];
    const deps = {
      api,
      mutations,
      random: seededRandom(seed),
      watchDelay: (program: string, plural: string) => this.watchDelay(program, plural),
      allowedNamespaces,
      clockOffsets: options.clockOffsets,
    };
    const machines = nodes.map((traits, index) => new Machine({ ...traits, number: index + 1, clock }));
    this.machines = new Map(machines.map(machine => [machine.name, machine]));
    this.agents = new Map(machines.map(machine => [machine.name, agentProgram(machine, deps)]));
    this.controllers = ['controller-a', 'controller-b', 'controller-c'].map(name => controllerProgram(name, deps));

    const controllerManagerNow = () => this.#timeOf(CONTROLLER_MANAGER, options);
    runJobController(api, controllerManagerNow);
    runWorkloadControllers(api);
    runDisruptionController(api);
    runGarbageCollector(api);
    const lifecycle = runNodeLifecycleController(api, this.machines, controllerManagerNow);
    const { log, record } = logDisruptions(api, this.machines);
    this.disruptions = log;
    api.mutating = options.mutating ?? {};
    for (const [index, machine] of machines.entries()) {
      const newNode = () => nodeObject(nodes[index] ?? machine, machine.ids);
      const kubelet = new Kubelet({ api, machine, newNode, containerRuns, ...kubeletOptions(options) });
      this.#kubelets.set(machine.name, kubelet);
      machine.onShutdown = () => kubelet.beginShutdown();
      machine.onDown = () => {
        this.agents.get(machine.name)?.stop();
        kubelet.afterPowerLoss();
        lifecycle.trigger();
        record(machine.name);
      };
      machine.onUp = () => {
        kubelet.afterBoot();
        if (api.find(NODES, machine)) this.agents.get(machine.name)?.start(AGENT_START_MS);
        record(machine.name);
      };
    }
    this.#createInitialObjects(options);
    this.#runAgentsOnNodes();
  }

  /** The Pod of an agent is created when a Node is registered, and deleted with the other Pods of a Node that is gone. */
  #runAgentsOnNodes(): void {
    const { api, clock, agents } = this;
    api.onChange((plural, { type, object }) => {
      if (plural !== NODES.plural || type === 'MODIFIED') return;
      const { name } = object.metadata;
      if (type === 'ADDED' && this.machines.get(name)?.up) agents.get(name)?.start(AGENT_START_MS);
      const stopOrphan = () => api.find(NODES, { name }) ?? agents.get(name)?.stop();
      if (type === 'DELETED') clock.callAfter(POD_GC_MS, () => void stopOrphan());
    });
  }

  /** The wall clock of the machine that this program runs on. */
  #timeOf(program: string, { clockOffsets = {} }: ClusterOptions): Date {
    return new Date(this.clock.now().getTime() + (clockOffsets[program] ?? 0) * 1000);
  }

  #createInitialObjects({ nodes, workloads = [], daemonSets = [], budgets = [] }: ClusterOptions): void {
    const { api } = this;
    for (const traits of nodes) api.put(NODES, nodeObject(traits, this.machine(traits.name).ids));
    for (const each of workloads) api.put(REPLICA_SETS, replicaSetObject(each));
    for (const each of daemonSets) api.put(DAEMONSETS, daemonSetObject(each));
    for (const each of budgets) api.put(PDBS, budgetObject(each));
  }

  /** Starts the first controller and all agents, and runs until every agent has reported; mutations are counted from then on. */
  async start(): Promise<void> {
    this.controllers[0]?.start();
    for (const agent of this.agents.values()) agent.start(AGENT_START_MS);
    const reported = () => this.api.all<NodeAgent>(NODE_AGENT).filter(agent => agent.status?.boot !== undefined).length;
    if (!(await this.runUntil(() => reported() === this.machines.size, 120)))
      throw new Error('the agents did not report');
    this.#injectSidecars();
    await this.runFor(5);
    this.resetMutationCount();
  }

  /** The injector's webhook is installed last, so that the workloads of a scenario have no sidecars. */
  #injectSidecars(): void {
    const { api } = this;
    if (this.#sidecars.length === 0) return;
    const inject = this.#sidecars.map(injectSidecar);
    api.mutating = { ...api.mutating, pods: inTurn(...(api.mutating.pods ? [api.mutating.pods] : []), ...inject) };
  }

  /** Restarts the numbering: the next mutation of every program has the number 1. */
  resetMutationCount(): void {
    this.mutations.length = 0;
    for (const program of this.programs()) program.resetMutationCount();
  }

  programs(): Program[] {
    return [...this.controllers, ...this.agents.values()];
  }

  machine(name: string): Machine {
    const machine = this.machines.get(name);
    if (!machine) throw new Error(`no machine ${name}`);
    return machine;
  }

  kubelet(node: string): Kubelet {
    const kubelet = this.#kubelets.get(node);
    if (!kubelet) throw new Error(`no kubelet on ${node}`);
    return kubelet;
  }

  /** Creates an object or patches the existing one, as `kubectl apply` does. */
  apply(resource: Resource, object: { metadata: Name } & object): Stored {
    const { name, namespace } = object.metadata;
    const known = this.api.find(resource, { name, namespace });
    if (known) return this.api.patch(resource, { name, namespace }, object);
    return this.api.create(resource, object, namespace);
  }

  delete(resource: Resource, at: Name): void {
    if (this.api.find(resource, at)) this.api.delete(resource, at, { propagation: 'Background' });
  }

  /** Saves all operations and what was created for them, as a backup tool does. */
  backUp(options?: { knowsLabel?: boolean }): Backup {
    return backUp(this.api, [NODE_OP_UPGRADE, NODE_OP, NODE_AGENT, JOBS, PODS], options);
  }

  /** Brings saved objects back that do not exist: as new ones, with their metadata and without their status. */
  restore(backup: Backup, options?: RestoreOptions): void {
    restore(this.api, backup, options);
  }

  nodeOp(name: string): NodeOp | undefined {
    return this.api.find<NodeOp>(NODE_OP, { name, namespace: 'default' });
  }

  upgrade(name: string): NodeOpUpgrade | undefined {
    return this.api.find<NodeOpUpgrade>(NODE_OP_UPGRADE, { name, namespace: 'default' });
  }

  /** Whether a container of this name runs on this node now. */
  isRunning(node: string, container: string): boolean {
    return this.containerRuns.some(
      each => each.node === node && each.container === container && each.ended === undefined,
    );
  }

  /** Advances the clock by this many seconds. */
  runFor(seconds: number): Promise<void> {
    return this.clock.advance(seconds * 1000);
  }

  /** Advances the clock until the condition holds; false if it does not within this many seconds. */
  async runUntil(condition: () => boolean, within = 3600): Promise<boolean> {
    const end = this.clock.monotonic() + within * 1000;
    await this.clock.advance(0);
    while (!condition()) if (!(await this.clock.step(end))) return condition();
    return true;
  }

  /** Every operation is Completed or Failed, no node is claimed, and no Job is held. */
  isSettled(): boolean {
    const hasFinalizers = (object: Stored) => (object.metadata.finalizers?.length ?? 0) > 0;
    return (
      this.api.all<NodeOp>(NODE_OP).every(op => isFinal(op.status) && !hasFinalizers(op)) &&
      this.api.all<NodeOpUpgrade>(NODE_OP_UPGRADE).every(upgrade => isFinal(upgrade.status)) &&
      this.api.all<NodeAgent>(NODE_AGENT).every(agent => agent.spec.operation === undefined && !hasFinalizers(agent)) &&
      !this.api.all(JOBS).some(hasFinalizers)
    );
  }

  /** Runs until the cluster is settled, and for `then` seconds more to see what follows; false if it is not settled after both. */
  async runUntilSettled({ within = 7200, then = 30 }: { within?: number; then?: number } = {}): Promise<boolean> {
    const settled = await this.runUntil(() => this.isSettled(), within);
    await this.runFor(then);
    return settled && this.isSettled();
  }
}

function kubeletOptions({
  behavior = () => undefined,
  images = {},
  sidecars = [],
  rejects,
  afterPowerCut,
}: ClusterOptions) {
  const ofSidecar: BehaviorOverride = running => {
    const found = sidecars.find(({ name }) => name === running.container.name);
    return found && { seconds: found.seconds, exitCode: found.exitCode };
  };
  return {
    behavior: (running: StartedContainer) => behavior(running) ?? ofSidecar(running),
    images: { ...sidecarImages(sidecars), ...images },
    rejects,
    afterPowerCut,
  };
}

/** Name of the kube-controller-manager in `clockOffsets`. */
const CONTROLLER_MANAGER = 'kube-controller-manager';

/** The agent starts some time after its kubelet. */
const AGENT_START_MS = 2_000;

/** Time passes in the cluster only while one of its `run…` methods is awaited. */
export const fakeCluster = (options: ClusterOptions): FakeCluster => new FakeCluster(options);
