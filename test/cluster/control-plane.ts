/** Level 1: etcd and an API server; on request the controller manager and the scheduler as well. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Binary, CONTROL_PLANE, CONTROLLERS, ensureBinaries } from './binaries.js';
import {
  apiServerFlags,
  controllerManagerFlags,
  etcdFlags,
  type PlaneFacts,
  schedulerFlags,
} from './control-plane-flags.js';
import { type Daemon, freePort, mustLive, startDaemon } from './daemon.js';
import { Kubectl } from './kubectl.js';
import { CONTROL_PLANE_TOOLS, ensurePackages } from './packages.js';
import { ensurePki, kubeconfigOf } from './pki.js';
import { runFolder, stateFolder } from './places.js';
import { checkMachine } from './preflight.js';
import { killAllIn } from './process-record.js';
import { run } from './run-command.js';
import { waitFor } from './wait.js';

export interface ControlPlaneOptions {
  /** Names the folders; two control planes of one name exclude each other. */
  name: string;
  /** Where the API server listens; 127.0.0.1 by default. */
  address?: string;
  /** Its port; a free one by default. */
  port?: number;
  /** Controller manager and scheduler too. */
  controllers?: boolean;
  /** Real nodes that need certificates. */
  nodes?: readonly { name: string; ip: string }[];
  serviceRange?: string;
  /** More flags, for example an audit log's. */
  apiServer?: readonly string[];
  controllerManager?: readonly string[];
  scheduler?: readonly string[];
  say?: (line: string) => void;
}

const READY_SECONDS = 60;

export class ControlPlane {
  private readonly daemons: Daemon[] = [];

  private constructor(
    private readonly options: ControlPlaneOptions,
    private readonly binaries: Record<Binary, string>,
    private readonly facts: PlaneFacts,
  ) {}

  /** Certificates, etcd and the API server's process; not yet ready. */
  static async launch(options: ControlPlaneOptions): Promise<ControlPlane> {
    const say = options.say ?? (() => undefined);
    checkMachine({ realNodes: false, build: false });
    await ensurePackages(CONTROL_PLANE_TOOLS, say);
    const wanted = options.controllers === true ? [...CONTROL_PLANE, ...CONTROLLERS] : CONTROL_PLANE;
    const binaries = await ensureBinaries(wanted, say);
    await ControlPlane.clear(options.name);
    const facts = await factsOf(options);
    mkdirSync(facts.logs, { recursive: true });
    await ensurePki({
      folder: facts.pki,
      server: facts.url,
      addresses: [...new Set(['127.0.0.1', '10.96.0.1', facts.address])],
      nodes: options.nodes ?? [],
    });
    const plane = new ControlPlane(options, binaries, facts);
    await plane.spawn('etcd', etcdFlags(facts));
    await plane.spawn('kube-apiserver', apiServerFlags(facts, options.apiServer));
    return plane;
  }

  /** Everything, up to a ready API server with its first namespaces. */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const plane = await ControlPlane.launch(options);
    await plane.ready();
    return plane;
  }

  /** Removes what an earlier control plane of that name left. */
  static async clear(name: string): Promise<void> {
    await killAllIn(stateFolder(name));
    rmSync(dataFolder(name), { recursive: true, force: true });
    rmSync(stateFolder(name), { recursive: true, force: true });
  }

  get name(): string {
    return this.options.name;
  }

  get url(): string {
    return this.facts.url;
  }

  /** Folder of the certificates and kubeconfigs. */
  get pki(): string {
    return this.facts.pki;
  }

  get kubeconfig(): string {
    return kubeconfigOf(this.facts.pki, 'admin');
  }

  get kubectl(): Kubectl {
    return new Kubectl(this.binaries.kubectl, this.kubeconfig);
  }

  /** Waits for the API server, then starts the controllers if they are wanted. */
  async ready(): Promise<void> {
    const healthy = async () => {
      for (const daemon of this.daemons) mustLive(daemon);
      return (
        (await run(this.binaries.kubectl, ['--kubeconfig', this.kubeconfig, 'get', '--raw', '/readyz'], { seconds: 5 }))
          .code === 0
      );
    };
    await waitFor(healthy, {
      what: 'the API server to be ready',
      seconds: READY_SECONDS,
      instead: () => this.facts.logs,
    });
    if (this.options.controllers === true) {
      await this.spawn('kube-controller-manager', controllerManagerFlags(this.facts, this.options.controllerManager));
      await this.spawn('kube-scheduler', schedulerFlags(this.facts, this.options.scheduler));
    }
    const settled = async () => {
      for (const daemon of this.daemons) mustLive(daemon);
      const what =
        this.options.controllers === true ? ['serviceaccount', 'default', '-n', 'default'] : ['namespace', 'default'];
      return (await this.kubectl.getJson(...what)) !== undefined;
    };
    await waitFor(settled, { what: 'the default namespace', seconds: READY_SECONDS });
  }

  async stop(): Promise<void> {
    await ControlPlane.clear(this.options.name);
  }

  private async spawn(name: Binary, args: string[]): Promise<void> {
    const logFile = join(this.facts.logs, `${name}.log`);
    const daemon = await startDaemon({
      name,
      command: this.binaries[name],
      args,
      logFile,
      records: stateFolder(this.options.name),
    });
    this.daemons.push(daemon);
  }
}

async function factsOf(options: ControlPlaneOptions): Promise<PlaneFacts> {
  const folder = runFolder(options.name);
  const logs = join(folder, 'log');
  rmSync(logs, { recursive: true, force: true });
  const address = options.address ?? '127.0.0.1';
  const port = options.port ?? (await freePort());
  return {
    address,
    port,
    url: `https://${address}:${port}`,
    logs,
    pki: join(folder, 'pki'),
    data: dataFolder(options.name),
    etcdPort: await freePort(),
    etcdPeerPort: await freePort(),
    controllerManagerPort: await freePort(),
    schedulerPort: await freePort(),
    serviceRange: options.serviceRange ?? '10.96.0.0/16',
  };
}

/** In memory: etcd writes often, and nothing of it outlives the cluster. */
const dataFolder = (name: string) => join('/dev/shm', `kairos-operator-${name}-etcd`);
