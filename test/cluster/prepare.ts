/** Prepares what takes long on a new machine (programs, base system, images), so that no test waits for a compiler. */
import { ensureBaseRoot } from './base-root.js';
import { type Binary, EVERY_REAL, ensureBinaries, findBinary } from './binaries.js';
import { busyboxImage, nodeBase, pauseImage } from './images.js';
import { ensurePackages, REAL_NODE_TOOLS } from './packages.js';
import { checkMachine } from './preflight.js';
import { IMAGE_TOOLS } from './product-images.js';

export async function prepare(log: (line: string) => void = line => process.stderr.write(`${line}\n`)): Promise<void> {
  const programs: readonly Binary[] = [...EVERY_REAL, 'kwok'];
  checkMachine({ realNodes: true, build: programs.some(name => findBinary(name) === undefined) });
  await ensurePackages([...REAL_NODE_TOOLS, ...IMAGE_TOOLS], log);
  await ensureBaseRoot(log);
  await ensureBinaries(programs, log);
  for (const buildImage of [pauseImage, busyboxImage, nodeBase]) await buildImage();
}
