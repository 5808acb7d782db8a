/** The migration can be deleted one day: nothing but the table of controllers and the program may depend on it. */
import { describe, expect, test } from '@jest/globals';
import { importsOf, sourceFiles } from '../../imports.js';

const LEGACY = 'controller/legacy/';
const NODE_OP = 'controller/nodeop/';

const importers = (folder: string, of: string) =>
  sourceFiles(folder).filter(file => !file.startsWith(of) && importsOf(file).some(line => line.file?.startsWith(of)));

describe('controller/legacy', () => {
  test('is imported by controllers.ts and main.ts only', () =>
    expect(importers('controller', LEGACY).toSorted()).toEqual(['controller/controllers.ts', 'controller/main.ts']));

  test('imports nothing from controller/nodeop', () => expect(importers(LEGACY, NODE_OP)).toEqual([]));
});
