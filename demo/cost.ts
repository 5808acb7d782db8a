/** What the first run on a machine costs, said before it begins. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { baseRootKey } from '../test/cluster/base-root.js';
import { EVERY_REAL, findBinary } from '../test/cluster/binaries.js';
import { cacheFolder } from '../test/cluster/places.js';

export interface Cache {
  folder: string;
  /** Kubernetes programs that must be compiled first. */
  programs: readonly string[];
  /** The nodes' base system is there. */
  system: boolean;
}

/** What earlier runs left on this machine. */
export function lookAtCache(): Cache {
  const folder = cacheFolder();
  const programs = EVERY_REAL.filter(name => findBinary(name) === undefined);
  return { folder, programs, system: existsSync(join(folder, `base-root-${baseRootKey}`, '.complete')) };
}

/** Nothing to say when everything is there. */
export function costLines({ folder, programs, system }: Cache): string[] {
  if (programs.length === 0 && system) return [];
  const compile = `compile Kubernetes (${programs.join(', ')}): about 7 to 10 minutes, and 10 GB in the Go caches`;
  const fetch = 'put together the system of the nodes from Debian packages: about 2 minutes';
  return [
    'The first run on a machine takes longer. It has to',
    ...(programs.length === 0 ? [] : [`- ${compile}`]),
    ...(system ? [] : [`- ${fetch}`]),
    `What it makes stays in ${folder} (about 1.5 GB); the next run begins at once.`,
  ];
}
