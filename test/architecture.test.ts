import { dirname } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { importsOf, sourceFiles } from './imports.js';

/** What each top folder may import: other top folders, and packages from outside. `types`: packages of which only types may be imported. */
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
    packages: ['zod', 'zod/v4/core', 'express', 'node:*'],
    types: ['@kubernetes/client-node'],
  },
  packaging: { rooms: ['program'], packages: ['yaml', 'zod', 'esbuild', 'node:*'] },
};

/** Folders inside `controller/` that only the tables of controllers may import. */
const PARTS = ['nodeop', 'upgrade', 'artifact', 'nodeagents', 'legacy'];

/**
 * What each folder inside `controller/` may import of the others; every folder has a row. Folders that choose (decide, steps, status,
 * progress) never import those that write to the cluster or read from it (act, reads, inputs).
 */
const FOLDERS: Record<string, readonly string[]> = {
  '': ['cluster', ...PARTS, 'nodeop/facts', 'nodeop/status', 'artifact/build', 'artifact/rendering'],
  cluster: [],
  nodeagents: ['cluster'],
  nodeop: ['cluster', 'nodeop/facts', 'nodeop/steps', 'nodeop/status', 'nodeop/act', 'nodeop/reads'],
  'nodeop/facts': ['cluster'],
  'nodeop/steps': ['cluster', 'nodeop/facts'],
  'nodeop/status': ['cluster', 'nodeop/facts', 'nodeop/steps'],
  'nodeop/reads': ['cluster', 'nodeop/facts'],
  'nodeop/act': ['cluster', 'nodeop/facts', 'nodeop/steps', 'nodeop/reads'],
  upgrade: ['cluster'],
  legacy: ['cluster'],
  artifact: [
    'cluster',
    'artifact/build',
    'artifact/inputs',
    'artifact/progress',
    'artifact/decide',
    'artifact/rendering',
    'artifact/template',
  ],
  'artifact/template': [],
  'artifact/rendering': ['artifact/template'],
  'artifact/build': ['artifact/build/scripts', 'artifact/template'],
  'artifact/build/scripts': [],
  'artifact/progress': ['cluster', 'artifact', 'artifact/build'],
  'artifact/inputs': ['artifact', 'artifact/build'],
  'artifact/decide': ['cluster', 'artifact', 'artifact/build', 'artifact/progress'],
};

/** Single files that choose although their folder may do more: they import no folder but these. */
const DECISIONS: Record<string, readonly string[]> = {
  'controller/nodeop/decide.ts': ['cluster', 'nodeop', 'nodeop/facts', 'nodeop/steps', 'nodeop/status'],
  'controller/nodeop/next-nodes.ts': ['cluster', 'nodeop/facts', 'nodeop/steps', 'nodeop/status'],
  'controller/upgrade/decide.ts': ['cluster', 'upgrade'],
  'controller/legacy/decide.ts': ['cluster', 'legacy'],
};

/** Files of a controller's own folder that write or read: files that choose do not import them. */
const ACTS_AND_READS = /\/(act|observe|inputs|live-reads|controller)\.ts$/;

const folderOf = (file: string): string => dirname(file).replace(/^controller\/?/, '');

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

  test('no file imports a main.ts', () => {
    const faults = Object.keys(RULES)
      .flatMap(sourceFiles)
      .filter(file => importsOf(file).some(line => /(^|\/)main\.js$/.test(line.name)));
    expect(faults).toEqual([]);
  });
});

describe('imports inside controller/ go one way', () => {
  const files = sourceFiles('controller');

  test('every folder has a row', () => {
    expect([...new Set(files.map(folderOf))].filter(folder => FOLDERS[folder] === undefined)).toEqual([]);
  });

  test.each(Object.entries(FOLDERS))('%s imports only the folders in its row', (folder, others) => {
    const faults = files
      .filter(file => folderOf(file) === folder)
      .flatMap(file =>
        importsOf(file)
          .flatMap(line => (line.room === 'controller' && line.file !== undefined ? [line.file] : []))
          .filter(target => folderOf(target) !== folder && !others.includes(folderOf(target)))
          .map(target => `${file}: ${target}`),
      );
    expect(faults).toEqual([]);
  });

  test.each(Object.entries(DECISIONS))(
    '%s imports nothing that writes to the cluster or reads from it',
    (file, folders) => {
      const targets = importsOf(file).flatMap(line =>
        line.room === 'controller' && line.file !== undefined ? [line.file] : [],
      );
      expect(targets.filter(target => !folders.includes(folderOf(target)) || ACTS_AND_READS.test(target))).toEqual([]);
    },
  );

  test('a table without rows would find the imports that exist', () => {
    const targets = files.filter(file => folderOf(file) === 'nodeop/act').flatMap(file => importsOf(file));
    expect(targets.some(line => line.file?.startsWith('controller/nodeop/facts/'))).toBe(true);
  });

  test('only the tables of controllers import legacy', () => {
    const importers = files.filter(file => importsOf(file).some(line => line.file?.startsWith('controller/legacy/')));
    const outside = importers.filter(file => !file.startsWith('controller/legacy/'));
    expect(outside.filter(file => !['controller/controllers.ts', 'controller/main.ts'].includes(file))).toEqual([]);
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
