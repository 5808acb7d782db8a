/** Level 3: a Kubernetes cluster whose nodes are real enough to drain, reboot and upgrade. */
import { rm } from 'node:fs/promises';
import { type ClusterNote, readNote, writeNote } from './cluster-file.js';
import { busyboxImage } from './images.js';
import type { KairosVersion } from './kairos-identity.js';
import { Kubectl, type Json } from './kubectl.js';
import { layoutOf, type NodePlan } from './layout.js';
import { clearCluster, clusterKey, leftoversOf } from './leftovers.js';
import { placeOf } from './launch-machine.js';
import { Machine } from './machine.js';
import { stateFolder } from './places.js';
import { isAlive } from './process-record.js';
import { startParts } from './start-cluster.js';

export type { NodePlan } from './layout.js';

export interface RealClusterOptions {
  /** Two clusters of different index can live side by side; tests use 0. */
  index?: number;
  nodes: NodePlan[];
  /** Empty disks and new certificates: no image is there yet. */
  fresh?: boolean;
  /** What the nodes' slots hold at the start. */
  version?: KairosVersion;
  /** Docker archives that every node shall have; pause and busybox are always there. */
  images?: readonly string[];
  /** More flags of the API server. */
  apiServer?: readonly string[];
  onProgress?: (line: string) => void;
}

export class RealCluster {
  readonly machines: ReadonlyMap<string, Machine>;
  readonly kubectl: Kubectl;

  private constructor(private readonly note: ClusterNote) {
    const { nodes } = layoutOf(
      note.index,
      note.nodes.map(node => node.name),
    );
    const folders = { runFolder: note.runFolder, stateFolder: stateFolder(clusterKey(note.index)) };
    this.machines = new Map(nodes.map(node => [node.name, new Machine(placeOf(node, folders))]));
    this.kubectl = new Kubectl(note.kubectl, note.kubeconfig);
  }

  /** Starts a cluster, after clearing what an earlier one of the same index left. Refuses when that one's starter still lives. */
  static async start(options: RealClusterOptions): Promise<RealCluster> {
    const index = options.index ?? 0;
    const owner = readNote(index)?.owner;
    if (isAlive(owner) && owner.pid !== process.pid) {
      throw new Error(`cluster ${index} is in use by process ${owner.pid}; stop it first, or take another index`);
    }
    const note = await startParts({ ...options, index });
    const cluster = new RealCluster(note);
    try {
      const busybox = await busyboxImage();
      await cluster.importImages([busybox.tar, ...(options.images ?? [])]);
      await cluster.settle();
    } catch (error) {
      await clearCluster(index);
      throw error;
    }
    writeNote(note);
    return cluster;
  }

  /** Whether this process started the running cluster of that index. */
  static isOurs(index = 0): boolean {
    const owner = readNote(index)?.owner;
    return isAlive(owner) && owner.pid === process.pid;
  }

  /** Whether it is there, and whoever started it has ended. */
  static isAbandoned(index = 0): boolean {
    const owner = readNote(index)?.owner;
    return owner !== undefined && !isAlive(owner);
  }

  /** The running cluster of that index, whoever started it. */
  static attach(index = 0): RealCluster | undefined {
    const note = readNote(index);
    return note === undefined ? undefined : new RealCluster(note);
  }

  /** Removes whatever a run left that did not stop its cluster. */
  static async clear(index = 0): Promise<void> {
    await clearCluster(index);
  }

  get kubeconfig(): string {
    return this.note.kubeconfig;
  }

  get url(): string {
    return this.note.url;
  }

  /** Logs, certificates and disks. */
  get runFolder(): string {
    return this.note.runFolder;
  }

  get index(): number {
    return this.note.index;
  }

  /** The address at which the nodes reach the machine they all run on. */
  get gateway(): string {
    return layoutOf(this.index, []).gateway;
  }

  get nodes(): readonly NodePlan[] {
    return this.note.nodes;
  }

  machine(name: string): Machine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`there is no node ${name}`);
    return machine;
  }

  /** Loads docker archives into every node. */
  async importImages(tars: readonly string[]): Promise<void> {
    const each = [...this.machines.values()].map(async machine => {
      for (const tar of tars) await machine.importImage(tar);
    });
    await Promise.all(each);
  }

  /** Waits until the node is Ready, in a boot other than `not` when given, and returns its boot id. */
  async waitReady(node: string, options: { not?: string; seconds?: number } = {}): Promise<string> {
    const wanted = (object: Json) => isReady(object) && bootIdOf(object) !== options.not;
    return bootIdOf(await this.kubectl.waitForObject(['node', node], wanted, options.seconds ?? 90));
  }

  async waitNotReady(node: string, seconds = 60): Promise<void> {
    await this.kubectl.waitForObject(['node', node], object => !isReady(object), seconds);
  }

  /** Puts every version back and makes all nodes run their active slot, by rebooting those that do not. For the begin of a story. */
  async resetNodes(version: KairosVersion, names = [...this.machines.keys()]): Promise<void> {
    const reset = async (name: string) => {
      const machine = this.machine(name);
      const before = machine.bootId();
      machine.resetOs(version);
      await machine.hardReboot();
      await this.waitReady(name, { not: before });
    };
    await Promise.all(names.map(reset));
  }

  /** Undoes what a test did to the machines: cables in, power on, no firmware delay, nothing cordoned, every node Ready. */
  async calm(): Promise<void> {
    const each = [...this.machines.values()].map(async machine => {
      machine.setFirmwareDelay(0);
      if (machine.state().power === 'off') await machine.powerOn();
      await machine.waitForInit();
      await machine.heal();
      await this.kubectl.do(['uncordon', machine.name]);
      await this.waitReady(machine.name);
    });
    await Promise.all(each);
  }

  /** Ends everything. `wipe` also removes disks, logs and certificates; otherwise the next start finds the images imported. */
  async stop(options: { wipe?: boolean } = {}): Promise<void> {
    await clearCluster(this.note.index);
    if (options.wipe === true) await rm(this.note.runFolder, { recursive: true, force: true });
  }

  /** What is left of the cluster; empty after a stop. */
  async leakCheck(): Promise<string[]> {
    return await leftoversOf(this.note.index, this.note.runFolder);
  }

  private async settle(): Promise<void> {
    await Promise.all([...this.machines.keys()].map(name => this.waitReady(name)));
    for (const node of this.note.nodes) {
      if (node.controlPlane === true) {
        await this.kubectl.do(['label', 'node', node.name, 'node-role.kubernetes.io/control-plane=', '--overwrite']);
      }
      if (node.taint === true) {
        await this.kubectl.do([
          'taint',
          'node',
          node.name,
          'node-role.kubernetes.io/control-plane=:NoSchedule',
          '--overwrite',
        ]);
      }
    }
  }
}

function isReady(node: Json): boolean {
  const conditions = (node.status?.['conditions'] ?? []) as { type: string; status: string }[];
  return conditions.some(condition => condition.type === 'Ready' && condition.status === 'True');
}

function bootIdOf(node: Json): string {
  const info = node.status?.['nodeInfo'] as { bootID?: string } | undefined;
  return info?.bootID ?? '';
}
