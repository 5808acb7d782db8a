/** Announces what the first run on a machine has to compile and download, before it starts. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { baseRootKey } from '../test/cluster/base-root.js';
import { EVERY_REAL, findBinary } from '../test/cluster/binaries.js';
import { cacheFolder } from '../test/cluster/paths.js';

export interface Cache {
  folder: string;
  /** Kubernetes programs that are not compiled yet. */
  programs: readonly string[];
  /** Whether the base system of the nodes is complete. */
  system: boolean;
}

/** Finds out what previous runs left in the cache of this machine. */
export function inspectCache(): Cache {
  const folder = cacheFolder();
  const programs = EVERY_REAL.filter(name => findBinary(name) === undefined);
  return { folder, programs, system: existsSync(join(folder, `base-root-${baseRootKey}`, '.complete')) };
}

/** The announcement; empty when the cache is complete. */
export function firstRunLines({ folder, programs, system }: Cache): string[] {
  if (programs.length === 0 && system) return [];
  const compile = `compile Kubernetes (${programs.join(', ')}): about 7 to 10 minutes, and 10 GB in the Go caches`;
  const assemble = 'assemble the base system of the nodes from Debian packages: about 2 minutes';
  return [
    'The first run on a machine takes longer, because it has to:',
    ...(programs.length === 0 ? [] : [`- ${compile}`]),
    ...(system ? [] : [`- ${assemble}`]),
    `The results are kept in ${folder} (about 1.5 GB), so the next run starts immediately.`,
  ];
}
