/** Starts the supervisor of one machine. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binary } from './binaries.js';
import { startDaemon } from './daemon.js';
import { prepareDisk } from './disk.js';
import type { KairosVersion } from './kairos-identity.js';
import type { Layout, NodeLayout } from './layout.js';
import { Machine, type MachinePaths } from './machine.js';
import type { MachineConfig } from './machine-files.js';
import { nodeFiles, repository } from './paths.js';
import { mustRun } from './run-command.js';

/** What all machines of one cluster share. */
export interface SharedParts {
  layout: Layout;
  runFolder: string;
  stateFolder: string;
  base: string;
  /** File with the base OCI specification of all containers. */
  spec: string;
  pki: string;
  binaries: Record<Binary, string>;
  fresh: boolean;
  version?: KairosVersion;
}

export function machinePaths(node: NodeLayout, folders: { runFolder: string; stateFolder: string }): MachinePaths {
  const folder = join(folders.runFolder, 'machines', node.name);
  return {
    name: node.name,
    disk: join(folder, 'disk'),
    control: join(folders.stateFolder, 'machines', node.name),
    log: join(folder, 'supervisor.log'),
    veth: node.veth,
    cgroup: node.cgroup,
  };
}

/** Bundles the supervisor into one JavaScript file, so that it runs without a compiler process. */
export async function bundleSupervisor(folder: string): Promise<string> {
  const file = join(folder, 'supervisor.mjs');
  const source = join(repository, 'test/cluster/supervisor.ts');
  const esbuild = join(repository, 'node_modules/.bin/esbuild');
  const flags = [
    '--bundle',
    '--platform=node',
    '--format=esm',
    '--target=node20',
    `--outfile=${file}`,
    '--log-level=error',
  ];
  await mustRun(esbuild, [source, ...flags]);
  return file;
}

export async function launchMachine(shared: SharedParts, node: NodeLayout, supervisor: string): Promise<Machine> {
  const paths = machinePaths(node, shared);
  const folder = join(shared.runFolder, 'machines', node.name);
  mkdirSync(folder, { recursive: true });
  for (const name of ['supervisor.log', 'boot.log', 'output.log']) rmSync(join(folder, name), { force: true });
  await prepareDisk(paths.disk, shared.base, { fresh: shared.fresh, version: shared.version });
  const config: MachineConfig = {
    control: paths.control,
    log: paths.log,
    bootLog: join(folder, 'boot.log'),
    cgroup: node.cgroup,
    bridge: shared.layout.bridge,
    veth: node.veth,
    environment: environment(shared, node, paths.disk),
  };
  const configFile = join(folder, 'machine.json');
  writeFileSync(configFile, JSON.stringify(config, null, 1));
  if (!existsSync(paths.control)) mkdirSync(paths.control, { recursive: true });
  await startDaemon({
    name: `machine-${node.name}`,
    command: 'unshare',
    args: ['--mount', '--propagation', 'private', '--', process.execPath, supervisor, configFile],
    logFile: join(folder, 'output.log'),
    records: join(shared.stateFolder, 'supervisors'),
  });
  return new Machine(paths);
}

function environment(shared: SharedParts, node: NodeLayout, disk: string): Record<string, string> {
  return {
    NODE: node.name,
    IP: node.ip,
    PREFIX_LENGTH: shared.layout.nodeRange.split('/')[1] ?? '',
    GATEWAY: shared.layout.gateway,
    PEERS: shared.layout.nodes.map(peer => `${peer.name} ${peer.ip} ${peer.podRange}`).join('\n'),
    POD_RANGE: node.podRange,
    ALL_PODS: shared.layout.podRange,
    DISK: disk,
    BASE: shared.base,
    BIN_KUBELET: shared.binaries.kubelet,
    BIN_PROXY: shared.binaries['kube-proxy'],
    FILES: nodeFiles,
    PKI: shared.pki,
    SPEC: shared.spec,
  };
}
