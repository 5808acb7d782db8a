/** Starts the parts of a real cluster in order, concurrently where possible. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { containerSpec, ensureBaseRoot } from './base-root.js';
import { EVERY_REAL, ensureBinaries, findBinary } from './binaries.js';
import type { ClusterRecord } from './cluster-record.js';
import { ControlPlane } from './control-plane.js';
import { pauseImage } from './images.js';
import type { KairosVersion } from './kairos-identity.js';
import { layoutOf, type NodePlan } from './layout.js';
import { bundleSupervisor, launchMachine, type SharedParts } from './launch-machine.js';
import { clearCluster, clusterKey } from './cleanup.js';
import { createNetwork } from './network.js';
import { ensurePackages, REAL_NODE_TOOLS } from './packages.js';
import { runFolder, stateFolder } from './paths.js';
import { checkMachine } from './preflight.js';
import { recordOf } from './process-record.js';

export interface StartOptions {
  index: number;
  nodes: NodePlan[];
  fresh?: boolean;
  version?: KairosVersion;
  apiServer?: readonly string[];
  onProgress?: (line: string) => void;
}

const API_PORT = 6443;

type Log = (line: string) => void;

/** Starts everything and waits until the API server is ready and the nodes have booted. */
export async function startParts(options: StartOptions): Promise<ClusterRecord> {
  const startedAt = Date.now();
  const write = options.onProgress ?? (line => process.stderr.write(`${line}\n`));
  const log = (line: string) => write(`[${((Date.now() - startedAt) / 1000).toFixed(1)} s] ${line}`);
  checkMachine({ realNodes: true, build: EVERY_REAL.some(name => findBinary(name) === undefined) });
  await ensurePackages(REAL_NODE_TOOLS, log);
  await clearCluster(options.index);
  const key = clusterKey(options.index);
  const names = options.nodes.map(node => node.name);
  const parts = await prepareParts(
    options,
    { layout: layoutOf(options.index, names), runFolder: runFolder(key), stateFolder: stateFolder(key) },
    log,
  );
  return await bootCluster(options, parts, log);
}

/** Prepares binaries, base system and folders, which everything else needs. */
async function prepareParts(
  options: StartOptions,
  paths: Pick<SharedParts, 'layout' | 'runFolder' | 'stateFolder'>,
  log: Log,
): Promise<Omit<SharedParts, 'pki'>> {
  const folder = paths.runFolder;
  const fresh = options.fresh === true;
  const binaries = await ensureBinaries(EVERY_REAL, log);
  const base = await ensureBaseRoot(log);
  if (fresh) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const spec = join(folder, 'container-spec.json');
  writeFileSync(spec, await containerSpec(base));
  return { ...paths, base, spec, binaries, fresh, version: options.version };
}

async function bootCluster(options: StartOptions, parts: Omit<SharedParts, 'pki'>, log: Log): Promise<ClusterRecord> {
  const { layout, runFolder: folder } = parts;
  const [, supervisor, pause] = await Promise.all([createNetwork(layout), bundleSupervisor(folder), pauseImage()]);
  const plane = await ControlPlane.launch({
    name: clusterKey(options.index),
    address: layout.gateway,
    port: API_PORT,
    controllers: true,
    nodes: layout.nodes,
    serviceRange: layout.serviceRange,
    apiServer: options.apiServer,
    log,
  });
  const launches = layout.nodes.map(async node => {
    const machine = await launchMachine({ ...parts, pki: plane.pki }, node, supervisor);
    await machine.importImage(pause.tar);
  });
  const booted = Promise.all(launches).then(() => log('nodes have booted'));
  await Promise.all([plane.ready().then(() => log('API server and controllers are ready')), booted]);
  const owner = recordOf(process.pid);
  if (owner === undefined) throw new Error('The start time of this process cannot be read from /proc.');
  const { index, nodes } = options;
  const { kubeconfig, url } = plane;
  return { index, nodes, runFolder: folder, kubectl: parts.binaries.kubectl, kubeconfig, url, owner };
}
