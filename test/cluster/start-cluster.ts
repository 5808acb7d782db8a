/** The order in which the parts of a real cluster start: as much at the same time as may be. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { containerSpec, ensureBaseRoot } from './base-root.js';
import { EVERY_REAL, ensureBinaries, findBinary } from './binaries.js';
import type { ClusterNote } from './cluster-file.js';
import { ControlPlane } from './control-plane.js';
import { pauseImage } from './images.js';
import type { KairosVersion } from './kairos-identity.js';
import { layoutOf, type NodePlan } from './layout.js';
import { bundleSupervisor, launchMachine, type Rack } from './launch-machine.js';
import { clearCluster, clusterKey } from './leftovers.js';
import { makeNetwork } from './network.js';
import { ensurePackages, REAL_NODE_TOOLS } from './packages.js';
import { runFolder, stateFolder } from './places.js';
import { checkMachine } from './preflight.js';
import { recordOf } from './process-record.js';

export interface StartPlan {
  index: number;
  nodes: NodePlan[];
  fresh?: boolean;
  version?: KairosVersion;
  apiServer?: readonly string[];
  onProgress?: (line: string) => void;
}

const API_PORT = 6443;

type Say = (line: string) => void;

/** Everything up to a ready API server and booted nodes. */
export async function startParts(plan: StartPlan): Promise<ClusterNote> {
  const begin = Date.now();
  const tell = plan.onProgress ?? (line => process.stderr.write(`${line}\n`));
  const say = (line: string) => tell(`[${((Date.now() - begin) / 1000).toFixed(1)} s] ${line}`);
  checkMachine({ realNodes: true, build: EVERY_REAL.some(name => findBinary(name) === undefined) });
  await ensurePackages(REAL_NODE_TOOLS, say);
  await clearCluster(plan.index);
  const key = clusterKey(plan.index);
  const names = plan.nodes.map(node => node.name);
  const rack = await fillRack(
    plan,
    { layout: layoutOf(plan.index, names), runFolder: runFolder(key), stateFolder: stateFolder(key) },
    say,
  );
  return await switchOn(plan, rack, say);
}

/** What must be there before anything runs. */
async function fillRack(
  plan: StartPlan,
  places: Pick<Rack, 'layout' | 'runFolder' | 'stateFolder'>,
  say: Say,
): Promise<Omit<Rack, 'pki'>> {
  const folder = places.runFolder;
  const fresh = plan.fresh === true;
  const binaries = await ensureBinaries(EVERY_REAL, say);
  const base = await ensureBaseRoot(say);
  if (fresh) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const spec = join(folder, 'container-spec.json');
  writeFileSync(spec, await containerSpec(base));
  return { ...places, base, spec, binaries, fresh, version: plan.version };
}

async function switchOn(plan: StartPlan, rack: Omit<Rack, 'pki'>, say: Say): Promise<ClusterNote> {
  const { layout, runFolder: folder } = rack;
  const [, supervisor, pause] = await Promise.all([makeNetwork(layout), bundleSupervisor(folder), pauseImage()]);
  const plane = await ControlPlane.launch({
    name: clusterKey(plan.index),
    address: layout.gateway,
    port: API_PORT,
    controllers: true,
    nodes: layout.nodes,
    serviceRange: layout.serviceRange,
    apiServer: plan.apiServer,
    say,
  });
  const boots = layout.nodes.map(async node => {
    const machine = await launchMachine({ ...rack, pki: plane.pki }, node, supervisor);
    await machine.importImage(pause.tar);
  });
  const booted = Promise.all(boots).then(() => say('nodes have booted'));
  await Promise.all([plane.ready().then(() => say('API server and controllers are up')), booted]);
  const owner = recordOf(process.pid);
  if (owner === undefined) throw new Error('this process has no start time');
  const { index, nodes } = plan;
  const { kubeconfig, url } = plane;
  return { index, nodes, runFolder: folder, kubectl: rack.binaries.kubectl, kubeconfig, url, owner };
}
