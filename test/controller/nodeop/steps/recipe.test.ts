/** A new step needs three places: a file in steps/, a name in STEP_NAMES and a row in the table of steps/walk.ts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { STEP_NAMES, type StepName } from '../../../../api/node-status.js';
import { DONE, wait } from '../../../../controller/nodeop/facts/facts.js';
import { nodeStatus } from '../../../../controller/nodeop/status/node-status.js';
import type { Step } from '../../../../controller/nodeop/steps/step.js';
import { STEPS, type StepTable, walk } from '../../../../controller/nodeop/steps/walk.js';
import { facts, reached } from '../../../builders.js';
import { importsOf, sourceFiles } from '../../../imports.js';

const SOURCES = ['api', 'kube', 'program', 'controller', 'agent', 'webhook', 'manifests', 'demo'].flatMap(sourceFiles);
const WALK = 'controller/nodeop/steps/walk.ts';

/** How many steps a file names in a list or as keys. */
function stepsListedIn(file: string): number {
  const source = readFileSync(file, 'utf8');
  return STEP_NAMES.filter(name => new RegExp(`'${name}'|^\\s*${name}:`, 'm').test(source)).length;
}

/** The table with a step inserted before another one. */
function tableWith(name: string, step: Step, before: StepName): StepTable {
  const rows = Object.entries(STEPS).flatMap(row => (row[0] === before ? [[name, step], row] : [row]));
  return Object.fromEntries(rows) as StepTable;
}

describe('The table of steps', () => {
  test('has a row for every step name, in the order of the names', () => {
    expect(Object.keys(STEPS)).toEqual([...STEP_NAMES]);
  });

  test('imports every step from a file of its own', () => {
    const files = importsOf(WALK).flatMap(({ file, typeOnly }) =>
      !typeOnly && file?.startsWith('controller/nodeop/steps/') ? [file] : [],
    );
    expect(new Set(files).size).toBe(STEP_NAMES.length);
  });

  test('is the only list of steps beside their names', () => {
    const lists = SOURCES.filter(file => stepsListedIn(file) > STEP_NAMES.length / 2);
    expect(lists.sort()).toEqual(['api/node-status.ts', WALK]);
  });
});

describe('A step inserted into the table', () => {
  const BACKUP = 'Backup' as StepName;
  const backup: Step = {
    isNeeded: () => true,
    evaluate: ({ ledger }) => (ledger?.stepTimes[BACKUP] === undefined ? wait('Progressing', 'backing up') : DONE),
    onEnter: () => ({ drainSkipped: true }),
  };
  const table = tableWith(BACKUP, backup, 'Run');

  test('is recorded in the ledger, with what it adds, when the steps before it are done', () => {
    const { step, result } = walk(facts(), table);
    expect(step).toBe(BACKUP);
    expect(result).toMatchObject({
      action: {
        do: 'record',
        change: { step: BACKUP, drainSkipped: true, stepTimes: { [BACKUP]: expect.anything() } },
      },
    });
  });

  test('is followed by the next step when it is done', () => {
    expect(walk(facts({}, { ledger: reached(BACKUP) }), table).step).toBe('Run');
  });

  test('appears in the status without further code', () => {
    const seen = facts({}, { ledger: reached('Cordon') });
    const entry = nodeStatus({ facts: seen, walk: walk(seen, table), before: undefined });
    expect(entry).toMatchObject({ phase: 'Running', step: BACKUP, message: 'backing up' });
  });

  test('is passed over where it is not needed', () => {
    const unneeded = tableWith(BACKUP, { ...backup, isNeeded: () => false }, 'Run');
    expect(walk(facts(), unneeded).step).toBe('Run');
  });

  test('does not run after a result, like every step before Stop', () => {
    const result = { phase: 'Completed' as const, message: '', at: '' };
    expect(walk(facts({}, { ledger: reached('Cordon', { result }) }), table).step).toBe('Release');
  });
});

describe('Facts, steps and status', () => {
  const PURE = ['facts', 'steps', 'status'].flatMap(folder => sourceFiles(`controller/nodeop/${folder}`));
  const importsInto = (files: readonly string[], folders: readonly string[]) =>
    files.flatMap(file =>
      importsOf(file)
        .filter(line => folders.some(folder => line.file?.startsWith(folder)))
        .map(line => `${file}: ${line.name}`),
    );

  test('import nothing that reads or writes the API', () => {
    const files = [...PURE, 'controller/nodeop/decide.ts'];
    expect(importsInto(files, ['controller/nodeop/act/', 'controller/nodeop/reads/'])).toEqual([]);
  });

  test('know nothing of the legacy operator, nor the other way round', () => {
    expect(importsInto(sourceFiles('controller/nodeop'), ['controller/legacy/'])).toEqual([]);
    expect(importsInto(sourceFiles('controller/legacy'), ['controller/nodeop/'])).toEqual([]);
  });
});
