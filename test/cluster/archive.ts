/** Creates docker archives from folders with tar alone. The same content gives the same file. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { mustRun } from './run-command.js';

/** The fields of an image configuration that the test images use. */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  User?: string;
  WorkingDir?: string;
}

export interface ImagePlan {
  ref: string;
  /** Folder that becomes the only layer. */
  root: string;
  tar: string;
  config: ImageConfig;
}

const REPRODUCIBLE = ['--numeric-owner', '--owner=0', '--group=0', '--sort=name', '--mtime=@0', '--format=gnu'];

/** Writes the archive under a temporary name and renames it when it is complete. */
export async function writeArchive(plan: ImagePlan): Promise<void> {
  mkdirSync(dirname(plan.tar), { recursive: true });
  const work = mkdtempSync(`${plan.tar}.`);
  try {
    await mustRun('tar', ['-C', plan.root, ...REPRODUCIBLE, '-cf', join(work, 'layer.tar'), '.']);
    const layer = await sha256(join(work, 'layer.tar'));
    const config = {
      architecture: 'amd64',
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: plan.config,
      rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: 'archive' }],
    };
    const manifest = [{ Config: 'config.json', RepoTags: [plan.ref], Layers: ['layer.tar'] }];
    writeFileSync(join(work, 'config.json'), JSON.stringify(config));
    writeFileSync(join(work, 'manifest.json'), JSON.stringify(manifest));
    // The manifest comes first, so that readers find the name without reading the layer.
    const parts = ['manifest.json', 'config.json', 'layer.tar'];
    await mustRun('tar', [
      '-C',
      work,
      ...REPRODUCIBLE.filter(flag => flag !== '--sort=name'),
      '-cf',
      join(work, 'image'),
      ...parts,
    ]);
    renameSync(join(work, 'image'), plan.tar);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
