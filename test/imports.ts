/** Parses the imports of the project's source files, for tests about its structure. */
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface ImportLine {
  /** The specifier as written. */
  name: string;
  /** The imported file of the project; absent for a package. */
  file?: string;
  /** The top-level folder of that file. */
  room?: string;
  typeOnly: boolean;
}

const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?[^'";]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

export function sourceFiles(room: string): string[] {
  if (!existsSync(room)) return [];
  return readdirSync(room, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(room, name));
}

export function importsOf(file: string): ImportLine[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, type, from, bare, dynamic]) => {
    const name = from ?? bare ?? dynamic ?? '';
    const typeOnly = type !== undefined;
    if (!name.startsWith('.')) return { name, typeOnly };
    const target = normalize(join(dirname(file), name)).replace(/\.js$/, '.ts');
    return { name, file: target, room: target.split('/')[0], typeOnly };
  });
}
