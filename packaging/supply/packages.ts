/** Which packages stand in a bundle: those of whose files at least one byte is in it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import { legalCommentsOf } from './comments.js';
import { vendoredNotices } from './vendored-notices.js';

export interface Package {
  /** Folder, from the checkout: one inside another's node_modules is another package. */
  path: string;
  name: string;
  version: string;
  /** As the package says it. */
  licence: string;
  /** Texts of its licence and notice files, in the order of their names. */
  texts: readonly string[];
  /** What its files say of code that came from others, in the order of the files' names. */
  comments: readonly string[];
  /** SHA-512 of the archive it came from, in hexadecimal, as the lock file has it. */
  sha512?: string;
}

const FOLDER = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LEGAL = /^(licen[cs]e|copying|notice)/i;

/** Throws for one whose licence is not said. */
export function packagesIn({ outputs }: Metafile, root: string): Package[] {
  const files = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  const filesOf = new Map<string, string[]>();
  for (const file of files) {
    const folder = FOLDER.exec(file)?.[1];
    if (folder !== undefined) filesOf.set(folder, [...(filesOf.get(folder) ?? []), file]);
  }
  const { packages: locked } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { integrity?: string }>;
  };
  return [...filesOf].map(([folder, own]) => {
    const path = folder.slice(folder.indexOf('node_modules/'));
    const comments = [...legalCommentsOf(own.map(file => resolve(root, file))), ...vendoredNotices(own)];
    return { ...described(resolve(root, folder)), path, comments, sha512: hashOf(locked[path]?.integrity) };
  });
}

function described(folder: string): Omit<Package, 'path' | 'comments'> {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  if (typeof license !== 'string') throw new Error(`${name} does not say its licence`);
  const names = readdirSync(folder)
    .filter(file => LEGAL.test(file))
    .sort();
  const texts = names.map(file => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  return { name, version, licence: license, texts };
}

const hashOf = (integrity: string | undefined): string | undefined =>
  integrity?.startsWith('sha512-') === true
    ? Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex')
    : undefined;
