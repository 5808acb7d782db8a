/** A Kubernetes cluster whose nodes run in namespaces and can be drained, rebooted and upgraded. */
import { rm } from 'node:fs/promises';
import { type ClusterRecord, readClusterRecord, writeClusterRecord } from './cluster-record.js';
import { busyboxImage } from './images.js';
import type { KairosVersion } from './kairos-identity.js';
import { Kubectl, type Json } from './kubectl.js';
import { layoutOf, type NodePlan } from './layout.js';
import { clearCluster, clusterKey, leakedResources } from './cleanup.js';
import { machinePaths } from './launch-machine.js';
import { Machine } from './machine.js';
import { stateFolder } from './paths.js';
import { isAlive } from './process-record.js';
import { startParts } from './start-cluster.js';

export type { NodePlan } from './layout.js';

export interface RealClusterOptions {
  /** Clusters with different indexes can run side by side; 0 by default. */
  index?: number;
  nodes: NodePlan[];
  /** Start with empty disks, without any imported image, and with new certificates. */
  fresh?: boolean;
  /** Kairos version in all slots of the nodes at the start. */
  version?: KairosVersion;
  /** Docker archives to import into every node, in addition to pause and busybox. */
  images?: readonly string[];
  /** Additional flags of the API server. */
  apiServer?: readonly string[];
  onProgress?: (line: string) => void;
}

export class RealCluster {
  readonly machines: ReadonlyMap<string, Machine>;
  readonly kubectl: Kubectl;

  private constructor(private readonly record: ClusterRecord) {
    const { nodes } = layoutOf(
      record.index,
      record.nodes.map(node => node.name),
    );
    const folders = { runFolder: record.runFolder, stateFolder: stateFolder(clusterKey(record.index)) };
    this.machines = new Map(nodes.map(node => [node.name, new Machine(machinePaths(node, folders))]));
    this.kubectl = new Kubectl(record.kubectl, record.kubeconfig);
  }

  /** Starts a cluster and removes the remains of an earlier one with the same index. Fails if the process that started that one is still running. */
  static async start(options: RealClusterOptions): Promise<RealCluster> {
    const index = options.index ?? 0;
    const owner = readClusterRecord(index)?.owner;
    if (isAlive(owner) && owner.pid !== process.pid) {
      throw new Error(`Cluster ${index} is in use by process ${owner.pid}. Stop that process or choose another index.`);
    }
    const record = await startParts({ ...options, index });
    const cluster = new RealCluster(record);
    try {
      const busybox = await busyboxImage();
      await cluster.importImages([busybox.tar, ...(options.images ?? [])]);
      await cluster.labelNodes();
    } catch (error) {
      await clearCluster(index);
      throw error;
    }
    writeClusterRecord(record);
    return cluster;
  }

  /** Whether this process started the running cluster with that index. */
  static isOurs(index = 0): boolean {
    const owner = readClusterRecord(index)?.owner;
    return isAlive(owner) && owner.pid === process.pid;
  }

  /** Whether the cluster exists although the process that started it has ended. */
  static isAbandoned(index = 0): boolean {
    const owner = readClusterRecord(index)?.owner;
    return owner !== undefined && !isAlive(owner);
  }

  /** The running cluster with that index, including one that another process started. */
  static attach(index = 0): RealCluster | undefined {
    const record = readClusterRecord(index);
    return record === undefined ? undefined : new RealCluster(record);
  }

  /** Removes a cluster that was not stopped. */
  static async clear(index = 0): Promise<void> {
    await clearCluster(index);
  }

  get kubeconfig(): string {
    return this.record.kubeconfig;
  }

  get url(): string {
    return this.record.url;
  }

  /** Folder with logs, certificates and disks. */
  get runFolder(): string {
    return this.record.runFolder;
  }

  get index(): number {
    return this.record.index;
  }

  /** Address at which the nodes reach the host. */
  get gateway(): string {
    return layoutOf(this.index, []).gateway;
  }

  get nodes(): readonly NodePlan[] {
    return this.record.nodes;
  }

  machine(name: string): Machine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`The cluster has no node ${name}.`);
    return machine;
  }

  /** Imports docker archives into every node. */
  async importImages(tars: readonly string[]): Promise<void> {
    const each = [...this.machines.values()].map(async machine => {
      for (const tar of tars) await machine.importImage(tar);
    });
    await Promise.all(each);
  }

  /** Waits until the node is Ready and returns its boot id. With `not`, waits for a boot with another id. */
  async waitReady(node: string, options: { not?: string; seconds?: number } = {}): Promise<string> {
    const isWanted = (object: Json) => isReady(object) && bootIdOf(object) !== options.not;
    return bootIdOf(await this.kubectl.waitForObject(['node', node], isWanted, options.seconds ?? 90));
  }

  async waitNotReady(node: string, seconds = 60): Promise<void> {
    await this.kubectl.waitForObject(['node', node], object => !isReady(object), seconds);
  }

  /** Writes the version to all slots and reboots the nodes into the active slot. */
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

  /** Reverts what a test did to the machines: power on, network connected, no firmware delay, no node cordoned, every node Ready. */
  async restoreNodes(): Promise<void> {
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

  /** Stops everything. `wipe` also removes disks, logs and certificates; without it the next start finds the images already imported. */
  async stop(options: { wipe?: boolean } = {}): Promise<void> {
    await clearCluster(this.record.index);
    if (options.wipe === true) await rm(this.record.runFolder, { recursive: true, force: true });
  }

  /** What remains of the cluster; empty after a clean stop. */
  async leakCheck(): Promise<string[]> {
    return await leakedResources(this.record.index, this.record.runFolder);
  }

  private async labelNodes(): Promise<void> {
    await Promise.all([...this.machines.keys()].map(name => this.waitReady(name)));
    for (const node of this.record.nodes) {
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
