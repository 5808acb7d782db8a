/** Lists the packages in a bundle: those of which at least one byte was not removed by the bundler. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import { legalCommentsOf } from './comments.js';
import { vendoredNotices } from './vendored-notices.js';

export interface Package {
  /** Folder relative to the repository. A copy nested in another package's node_modules is a package of its own. */
  path: string;
  name: string;
  version: string;
  /** The SPDX expression from package.json. */
  licence: string;
  /** Contents of its licence and notice files, in the order of the file names. */
  texts: readonly string[];
  /** Legal notices in its source files, for example about copied code, in the order of the file names. */
  comments: readonly string[];
  /** SHA-512 of its archive in hexadecimal, from package-lock.json. */
  sha512?: string;
}

const PACKAGE_FOLDER = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i;

/** Throws when a package does not declare a licence. */
export function packagesIn({ outputs }: Metafile, root: string): Package[] {
  const files = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  const filesOf = new Map<string, string[]>();
  for (const file of files) {
    const folder = PACKAGE_FOLDER.exec(file)?.[1];
    if (folder !== undefined) filesOf.set(folder, [...(filesOf.get(folder) ?? []), file]);
  }
  const { packages: locked } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { integrity?: string }>;
  };
  return [...filesOf].map(([folder, own]) => {
    const path = folder.slice(folder.indexOf('node_modules/'));
    const comments = [...legalCommentsOf(own.map(file => resolve(root, file))), ...vendoredNotices(own)];
    return { ...readPackage(resolve(root, folder)), path, comments, sha512: hashOf(locked[path]?.integrity) };
  });
}

function readPackage(folder: string): Omit<Package, 'path' | 'comments'> {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  if (typeof license !== 'string') throw new Error(`${name} does not declare a licence`);
  const names = readdirSync(folder)
    .filter(file => LICENCE_FILE.test(file))
    .sort();
  const texts = names.map(file => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  return { name, version, licence: license, texts };
}

const hashOf = (integrity: string | undefined): string | undefined =>
  integrity?.startsWith('sha512-') === true
    ? Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex')
    : undefined;
