/** Starts the supervisor of one machine. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binary } from './binaries.js';
import { startDaemon } from './daemon.js';
import { prepareDisk } from './disk.js';
import type { KairosVersion } from './kairos-identity.js';
import type { Layout, NodePlace } from './layout.js';
import { Machine, type MachinePlace } from './machine.js';
import type { MachineConfig } from './machine-files.js';
import { nodeFiles, repository } from './places.js';
import { mustRun } from './run-command.js';

/** What all machines of one cluster share. */
export interface Rack {
  layout: Layout;
  runFolder: string;
  stateFolder: string;
  base: string;
  /** File with the containers' base specification. */
  spec: string;
  pki: string;
  binaries: Record<Binary, string>;
  fresh: boolean;
  version?: KairosVersion;
}

export function placeOf(node: NodePlace, folders: { runFolder: string; stateFolder: string }): MachinePlace {
  const own = join(folders.runFolder, 'machines', node.name);
  return {
    name: node.name,
    disk: join(own, 'disk'),
    control: join(folders.stateFolder, 'machines', node.name),
    log: join(own, 'supervisor.log'),
    veth: node.veth,
  };
}

/** One file of plain JavaScript: the supervisor needs no compiler beside it for as long as it lives. */
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

export async function launchMachine(rack: Rack, node: NodePlace, supervisor: string): Promise<Machine> {
  const place = placeOf(node, rack);
  const own = join(rack.runFolder, 'machines', node.name);
  mkdirSync(own, { recursive: true });
  for (const name of ['supervisor.log', 'boot.log', 'output.log']) rmSync(join(own, name), { force: true });
  await prepareDisk(place.disk, rack.base, { fresh: rack.fresh, version: rack.version });
  const config: MachineConfig = {
    control: place.control,
    log: place.log,
    bootLog: join(own, 'boot.log'),
    cgroup: node.cgroup,
    bridge: rack.layout.bridge,
    veth: node.veth,
    environment: environment(rack, node, place.disk),
  };
  const configFile = join(own, 'machine.json');
  writeFileSync(configFile, JSON.stringify(config, null, 1));
  if (!existsSync(place.control)) mkdirSync(place.control, { recursive: true });
  await startDaemon({
    name: `machine-${node.name}`,
    command: 'unshare',
    args: ['--mount', '--propagation', 'private', '--', process.execPath, supervisor, configFile],
    logFile: join(own, 'output.log'),
    records: join(rack.stateFolder, 'supervisors'),
  });
  return new Machine(place);
}

function environment(rack: Rack, node: NodePlace, disk: string): Record<string, string> {
  return {
    NODE: node.name,
    IP: node.ip,
    PREFIX_LENGTH: rack.layout.nodeRange.split('/')[1] ?? '',
    GATEWAY: rack.layout.gateway,
    PEERS: rack.layout.nodes.map(peer => `${peer.name} ${peer.ip} ${peer.podRange}`).join('\n'),
    POD_RANGE: node.podRange,
    ALL_PODS: rack.layout.podRange,
    DISK: disk,
    BASE: rack.base,
    BIN_KUBELET: rack.binaries.kubelet,
    BIN_PROXY: rack.binaries['kube-proxy'],
    FILES: nodeFiles,
    PKI: rack.pki,
    SPEC: rack.spec,
  };
}
