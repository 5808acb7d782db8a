/** The smallest test cluster: etcd and an API server, optionally with controller manager and scheduler, without nodes. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Binary, CONTROL_PLANE, CONTROLLERS, ensureBinaries } from './binaries.js';
import {
  apiServerFlags,
  controllerManagerFlags,
  etcdFlags,
  type ControlPlaneSettings,
  schedulerFlags,
} from './control-plane-flags.js';
import { type Daemon, freePort, assertAlive, startDaemon } from './daemon.js';
import { Kubectl } from './kubectl.js';
import { CONTROL_PLANE_TOOLS, ensurePackages } from './packages.js';
import { ensurePki, kubeconfigOf } from './pki.js';
import { runFolder, stateFolder } from './paths.js';
import { checkMachine } from './preflight.js';
import { killAllIn } from './process-record.js';
import { run } from './run-command.js';
import { waitFor } from './wait.js';

export interface ControlPlaneOptions {
  /** Name of its folders. Starting a control plane stops an earlier one of the same name. */
  name: string;
  /** Listen address of the API server; 127.0.0.1 by default. */
  address?: string;
  /** Port of the API server; a free one by default. */
  port?: number;
  /** Also start controller manager and scheduler. */
  controllers?: boolean;
  /** Real nodes, which need certificates. */
  nodes?: readonly { name: string; ip: string }[];
  serviceRange?: string;
  /** Additional flags, for example for an audit log. */
  apiServer?: readonly string[];
  controllerManager?: readonly string[];
  scheduler?: readonly string[];
  log?: (line: string) => void;
}

const READY_SECONDS = 60;

export class ControlPlane {
  private readonly daemons: Daemon[] = [];

  private constructor(
    private readonly options: ControlPlaneOptions,
    private readonly binaries: Record<Binary, string>,
    private readonly settings: ControlPlaneSettings,
  ) {}

  /** Creates certificates and starts etcd and the API server, without waiting until they are ready. */
  static async launch(options: ControlPlaneOptions): Promise<ControlPlane> {
    const log = options.log ?? (() => undefined);
    checkMachine({ realNodes: false, build: false });
    await ensurePackages(CONTROL_PLANE_TOOLS, log);
    const names = options.controllers === true ? [...CONTROL_PLANE, ...CONTROLLERS] : CONTROL_PLANE;
    const binaries = await ensureBinaries(names, log);
    await ControlPlane.clear(options.name);
    const settings = await settingsOf(options);
    mkdirSync(settings.logs, { recursive: true });
    await ensurePki({
      folder: settings.pki,
      server: settings.url,
      addresses: [...new Set(['127.0.0.1', '10.96.0.1', settings.address])],
      nodes: options.nodes ?? [],
    });
    const plane = new ControlPlane(options, binaries, settings);
    await plane.spawn('etcd', etcdFlags(settings));
    await plane.spawn('kube-apiserver', apiServerFlags(settings, options.apiServer));
    return plane;
  }

  /** Starts everything and waits until the API server is ready and has its first namespaces. */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const plane = await ControlPlane.launch(options);
    await plane.ready();
    return plane;
  }

  /** Stops a control plane of that name and removes its data. */
  static async clear(name: string): Promise<void> {
    await killAllIn(stateFolder(name));
    rmSync(dataFolder(name), { recursive: true, force: true });
    rmSync(stateFolder(name), { recursive: true, force: true });
  }

  get name(): string {
    return this.options.name;
  }

  get url(): string {
    return this.settings.url;
  }

  /** Folder of the certificates and kubeconfigs. */
  get pki(): string {
    return this.settings.pki;
  }

  get kubeconfig(): string {
    return kubeconfigOf(this.settings.pki, 'admin');
  }

  get kubectl(): Kubectl {
    return new Kubectl(this.binaries.kubectl, this.kubeconfig);
  }

  /** Waits for the API server, then starts the controllers if `controllers` is set. */
  async ready(): Promise<void> {
    const isReady = async () => {
      for (const daemon of this.daemons) assertAlive(daemon);
      return (
        (await run(this.binaries.kubectl, ['--kubeconfig', this.kubeconfig, 'get', '--raw', '/readyz'], { seconds: 5 }))
          .code === 0
      );
    };
    await waitFor(isReady, {
      what: 'the API server to be ready',
      seconds: READY_SECONDS,
      diagnose: () => this.settings.logs,
    });
    if (this.options.controllers === true) {
      await this.spawn(
        'kube-controller-manager',
        controllerManagerFlags(this.settings, this.options.controllerManager),
      );
      await this.spawn('kube-scheduler', schedulerFlags(this.settings, this.options.scheduler));
    }
    const hasDefaults = async () => {
      for (const daemon of this.daemons) assertAlive(daemon);
      const what =
        this.options.controllers === true ? ['serviceaccount', 'default', '-n', 'default'] : ['namespace', 'default'];
      return (await this.kubectl.getJson(...what)) !== undefined;
    };
    await waitFor(hasDefaults, { what: 'the default namespace', seconds: READY_SECONDS });
  }

  async stop(): Promise<void> {
    await ControlPlane.clear(this.options.name);
  }

  private async spawn(name: Binary, args: string[]): Promise<void> {
    const logFile = join(this.settings.logs, `${name}.log`);
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

async function settingsOf(options: ControlPlaneOptions): Promise<ControlPlaneSettings> {
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

/** In memory, because etcd writes often and the data is not needed after the cluster stops. */
const dataFolder = (name: string) => join('/dev/shm', `kairos-operator-${name}-etcd`);
