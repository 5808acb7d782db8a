/** Which folders of `controller/artifact` may import which: decisions and builders stay free of reads and writes. */
import { describe, expect, test } from '@jest/globals';
import { importsOf, sourceFiles } from '../../imports.js';

const ROOM = 'controller/artifact/';

/** For each folder, the folders and root files of the room that it may import. Types of `build` describe objects, and have no behaviour. */
const ALLOWED: Readonly<Record<string, { values: readonly string[]; types?: readonly string[] }>> = {
  build: { values: [] },
  template: { values: [] },
  inputs: { values: ['template'], types: ['build', 'facts'] },
  progress: { values: ['ownership'], types: ['build'] },
  decide: { values: ['progress', 'facts', 'status', 'timeouts', 'events', 'ownership'] },
};

const partOf = (file: string) => file.slice(ROOM.length).replace(/(\/.*|\.ts)$/, '');

describe('the folders of controller/artifact', () => {
  test.each(Object.entries(ALLOWED))('%s imports only what its row allows', (folder, { values, types = [] }) => {
    const faults = sourceFiles(ROOM + folder).flatMap(file =>
      importsOf(file)
        .filter(line => line.file?.startsWith(ROOM) === true)
        .filter(({ file: target = '', typeOnly }) => {
          const part = partOf(target);
          return part !== folder && !values.includes(part) && !(typeOnly && types.includes(part));
        })
        .map(({ name }) => `${file}: ${name}`),
    );
    expect(faults).toEqual([]);
  });

  test('decisions, progress and status import neither actions nor reads', () => {
    const files = [...sourceFiles(`${ROOM}decide`), ...sourceFiles(`${ROOM}progress`), `${ROOM}status.ts`];
    const faults = files.filter(file =>
      importsOf(file).some(({ file: target = '' }) =>
        ['act', 'inputs', 'live-reads', 'observe', 'controller'].some(part => target.startsWith(ROOM + part)),
      ),
    );
    expect(faults).toEqual([]);
  });
});
