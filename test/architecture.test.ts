import { describe, expect, test } from '@jest/globals';
import { importsOf, sourceFiles } from './imports.js';

/** Who may enter which room: our rooms it may import, and the packages from outside. Types of client-node are free to the rooms that list them under `types`. */
const RULES: Record<string, { rooms: readonly string[]; packages: readonly string[]; types?: readonly string[] }> = {
  api: { rooms: [], packages: ['zod', 'node:crypto'] },
  program: { rooms: [], packages: ['zod', 'pino', 'prom-client', 'node:*'] },
  certs: { rooms: [], packages: ['node-forge', 'node:crypto'] },
  kube: { rooms: ['api', 'program'], packages: ['@kubernetes/client-node', 'node:*'] },
  controller: { rooms: ['api', 'kube', 'program'], packages: ['zod', 'node:*'], types: ['@kubernetes/client-node'] },
  agent: {
    rooms: ['api', 'kube', 'program'],
    packages: ['systeminformation', 'node:*'],
    types: ['@kubernetes/client-node'],
  },
  webhook: {
    rooms: ['api', 'kube', 'program', 'certs'],
    packages: ['zod', 'express', 'node:*'],
    types: ['@kubernetes/client-node'],
  },
  packaging: { rooms: ['program'], packages: ['yaml', 'zod', 'esbuild', 'node:*'] },
};

const allowed = (name: string, patterns: readonly string[]) =>
  patterns.some(pattern => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));

describe('imports go one way', () => {
  for (const [room, rule] of Object.entries(RULES)) {
    test(`${room} imports only what its row of the table allows`, () => {
      const faults = sourceFiles(room).flatMap(file =>
        importsOf(file)
          .filter(line => {
            if (line.room === room) return false;
            if (line.room !== undefined) return !rule.rooms.includes(line.room);
            return !allowed(line.name, [...rule.packages, ...(line.typeOnly ? (rule.types ?? []) : [])]);
          })
          .map(line => `${file}: ${line.name}`),
      );
      expect(faults).toEqual([]);
    });
  }

  test('nobody imports a main.ts', () => {
    const faults = Object.keys(RULES)
      .flatMap(sourceFiles)
      .filter(file => importsOf(file).some(line => /(^|\/)main\.js$/.test(line.name)));
    expect(faults).toEqual([]);
  });
});

test('the schemas stay out of the agent: it takes only types from api files that use zod', () => {
  const withZod = sourceFiles('api').filter(file =>
    importsOf(file).some(line => line.name === 'zod' && !line.typeOnly),
  );
  const faults = sourceFiles('agent').flatMap(file =>
    importsOf(file)
      .filter(line => !line.typeOnly && line.file !== undefined && withZod.includes(line.file))
      .map(line => `${file}: ${line.name}`),
  );
  expect(faults).toEqual([]);
});

test('no file imports itself by a circle, not even for a type', () => {
  const files = Object.keys(RULES).flatMap(sourceFiles);
  const imports = new Map(files.map(file => [file, importsOf(file).flatMap(line => line.file ?? [])]));
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    (imports.get(from) ?? []).some(next => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))));
  expect(files.filter(file => reaches(file, file))).toEqual([]);
});
