/** A node's disk: a folder with its lasting files, the slots of its simulated Kairos, and marks of the images it already has. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INITIAL, type KairosVersion, releaseFiles, type Slot, SLOTS } from './kairos-identity.js';
import { shortHash } from './places.js';
import { mustRun } from './run-command.js';

/** Survives a new start of the cluster: the container images. All else begins anew. */
const KEPT = ['containerd'];

/** Makes the disk ready for a new cluster. `fresh` throws the images away too. */
export async function prepareDisk(
  disk: string,
  base: string,
  options: { fresh: boolean; version?: KairosVersion },
): Promise<void> {
  const persist = join(disk, 'persist');
  const marks = join(disk, 'base');
  if (options.fresh || textOf(marks) !== base) rmSync(disk, { recursive: true, force: true });
  const library = join(persist, 'var/lib');
  mkdirSync(library, { recursive: true });
  for (const name of readdirSync(persist))
    if (name !== 'var') rmSync(join(persist, name), { recursive: true, force: true });
  for (const name of readdirSync(join(persist, 'var'))) {
    if (name !== 'lib') rmSync(join(persist, 'var', name), { recursive: true, force: true });
  }
  for (const name of readdirSync(library)) {
    if (!KEPT.includes(name)) rmSync(join(library, name), { recursive: true, force: true });
  }
  await mustRun('cp', ['-a', `${base}/var/.`, join(persist, 'var')]);
  writeFileSync(marks, base);
  for (const slot of SLOTS) writeSlot(disk, slot, options.version ?? INITIAL);
}

/** Puts that version into the slot; a running node goes on with what it booted. */
export function writeSlot(disk: string, slot: Slot, version: KairosVersion): void {
  const draft = join(disk, 'cos-state', `.${slot}`);
  const old = join(disk, 'cos-state', `.${slot}-old`);
  const target = join(disk, 'cos-state', slot);
  for (const folder of [draft, old]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(draft, 'etc'), { recursive: true });
  for (const [name, text] of Object.entries(releaseFiles(version))) writeFileSync(join(draft, 'etc', name), text);
  // moved away, not emptied: it may be a layer of the running system
  if (existsSync(target)) renameSync(target, old);
  renameSync(draft, target);
  rmSync(old, { recursive: true, force: true });
}

/** Whether the disk already has this very tar under that image name. */
export function hasImage(disk: string, ref: string, tar: string): boolean {
  return textOf(imageMark(disk, ref)) === stampOf(tar);
}

export function markImage(disk: string, ref: string, tar: string): void {
  const file = imageMark(disk, ref);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, stampOf(tar));
}

const imageMark = (disk: string, ref: string) => join(disk, 'images', shortHash(ref));

function stampOf(tar: string): string {
  const { size, mtimeMs } = statSync(tar);
  return `${tar} ${size} ${mtimeMs}`;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
