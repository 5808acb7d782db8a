/** A node's disk: a folder with its persistent files, the slots of its simulated Kairos, and markers of the images already imported. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INITIAL, type KairosVersion, releaseFiles, type Slot, SLOTS } from './kairos-identity.js';
import { shortHash } from './paths.js';
import { mustRun } from './run-command.js';

/** Folders in /var/lib that survive a restart of the cluster: only the container images. */
const KEPT = ['containerd'];

/** Prepares the disk for a new cluster. `fresh` also removes the container images. */
export async function prepareDisk(
  disk: string,
  base: string,
  options: { fresh: boolean; version?: KairosVersion },
): Promise<void> {
  const persist = join(disk, 'persist');
  const baseMarker = join(disk, 'base');
  if (options.fresh || readText(baseMarker) !== base) rmSync(disk, { recursive: true, force: true });
  const varLib = join(persist, 'var/lib');
  mkdirSync(varLib, { recursive: true });
  for (const name of readdirSync(persist))
    if (name !== 'var') rmSync(join(persist, name), { recursive: true, force: true });
  for (const name of readdirSync(join(persist, 'var'))) {
    if (name !== 'lib') rmSync(join(persist, 'var', name), { recursive: true, force: true });
  }
  for (const name of readdirSync(varLib)) {
    if (!KEPT.includes(name)) rmSync(join(varLib, name), { recursive: true, force: true });
  }
  await mustRun('cp', ['-a', `${base}/var/.`, join(persist, 'var')]);
  writeFileSync(baseMarker, base);
  for (const slot of SLOTS) writeSlot(disk, slot, options.version ?? INITIAL);
}

/** Writes the version to the slot. A running node continues with the system it booted. */
export function writeSlot(disk: string, slot: Slot, version: KairosVersion): void {
  const draft = join(disk, 'cos-state', `.${slot}`);
  const old = join(disk, 'cos-state', `.${slot}-old`);
  const target = join(disk, 'cos-state', slot);
  for (const folder of [draft, old]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(draft, 'etc'), { recursive: true });
  for (const [name, text] of Object.entries(releaseFiles(version))) writeFileSync(join(draft, 'etc', name), text);
  // Renamed instead of overwritten, because the folder may be a layer of the running system.
  if (existsSync(target)) renameSync(target, old);
  renameSync(draft, target);
  rmSync(old, { recursive: true, force: true });
}

/** Whether this very archive was imported under that image name. */
export function hasImage(disk: string, ref: string, tar: string): boolean {
  return readText(imageMarkerFile(disk, ref)) === stampOf(tar);
}

export function markImage(disk: string, ref: string, tar: string): void {
  const file = imageMarkerFile(disk, ref);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, stampOf(tar));
}

const imageMarkerFile = (disk: string, ref: string) => join(disk, 'images', shortHash(ref));

function stampOf(tar: string): string {
  const { size, mtimeMs } = statSync(tar);
  return `${tar} ${size} ${mtimeMs}`;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
