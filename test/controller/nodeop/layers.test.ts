import { expect, test } from '@jest/globals';
import { importsOf, sourceFiles } from '../../imports.js';

const importsInto = (from: string, folders: readonly string[]): string[] =>
  sourceFiles('controller')
    .filter(file => file.includes(`controller/nodeop/${from}`))
    .flatMap(file =>
      importsOf(file)
        .filter(line => folders.some(folder => line.file?.includes(`controller/${folder}/`)))
        .map(line => `${file}: ${line.name}`),
    );

test.each(['facts/', 'steps/', 'status/', 'decide.ts'])(
  '%s imports neither act nor reads, because it is pure',
  from => {
    expect(importsInto(from, ['nodeop/act', 'nodeop/reads'])).toEqual([]);
  },
);

test('nodeop does not import the legacy folder, because it declares the interface that it needs', () => {
  expect(importsInto('', ['legacy'])).toEqual([]);
});

test('nodeop/act imports nodeop/facts, which proves that this test sees imports', () => {
  expect(importsInto('act/', ['nodeop/facts'])).not.toEqual([]);
});
