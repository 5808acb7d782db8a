import { describe, expect, test } from '@jest/globals';
import { faults, type Outcome, stepLengths, stepTable, summaryLines } from '../../demo/summary.js';
import { at, node } from './snapshots.js';

const fleet = (change = {}, boots = { n1: 2, n2: 2 }) => ({
  nodes: [node('n1', { version: 'v3.6.0' }), node('n2', { version: 'v3.6.0', ...change })],
  boots,
});

const outcome = (change: Partial<Outcome> = {}): Outcome => ({
  before: { nodes: [node('n1'), node('n2')], boots: { n1: 1, n2: 1 } },
  after: fleet(),
  upgrade: {},
  wanted: 'v3.6.0',
  wait: { ok: true, words: 'condition met' },
  budget: { looks: 7, fewest: 1, violations: [] },
  tookMs: 31_400,
  ...change,
});

describe('faults', () => {
  test.each<[string, Partial<Outcome>, string[]]>([
    ['none when all holds', {}, []],
    ['none without a budget, as with one node', { budget: undefined }, []],
    ['the wait in vain', { wait: { ok: false, words: 'timed out' } }, ['The upgrade is not complete: timed out']],
    [
      'the wait in vain, in the words of the upgrade where it has some',
      { wait: { ok: false, words: 'timed out' }, upgrade: { message: '1 of 2 nodes failed' } },
      ['The upgrade is not complete: 1 of 2 nodes failed'],
    ],
    ['the old version', { after: fleet({ version: 'v3.5.0' }) }, ['n2 runs v3.5.0, not v3.6.0.']],
    ['no version', { after: fleet({ version: undefined }) }, ['n2 runs an unknown version, not v3.6.0.']],
    ['a second boot', { after: fleet({}, { n1: 3, n2: 2 }) }, ['n1 was booted 2 times, not once.']],
    ['no boot', { after: fleet({}, { n1: 2, n2: 1 }) }, ['n2 was booted 0 times, not once.']],
    ['a cordon that stayed', { after: fleet({ schedulable: false }) }, ['n2 is still cordoned.']],
    ['a node that is not well', { after: fleet({ ready: false }) }, ['n2 is not Ready.']],
    [
      'a node that is gone',
      { after: { nodes: [node('n1', { version: 'v3.6.0' })], boots: { n1: 2 } } },
      ['n2 is gone.'],
    ],
    [
      'a broken budget',
      { budget: { looks: 3, fewest: 0, violations: ['noon: 0 of 1', 'one: 0 of 1'] } },
      ['The budget was broken 2 times, first at noon: 0 of 1.'],
    ],
    ['a budget nobody watched', { budget: { looks: 0, violations: [] } }, ['The budget was never looked at.']],
  ])('%s', (_sentence, change, expected) => expect(faults(outcome(change))).toEqual(expected));
});

describe('step lengths', () => {
  test('a step lasts until the next one begins, the last one until the node is done', () => {
    const stepTimes = { Claim: at(0), Drain: at(1), Reboot: at(5.5) };
    expect([...stepLengths({ stepTimes, completedAt: at(9) })]).toEqual([
      ['Claim', 1000],
      ['Drain', 4500],
      ['Reboot', 3500],
    ]);
  });

  test('the order is that of the walk, not that of the map', () => {
    expect([...stepLengths({ stepTimes: { Run: at(4), Claim: at(0) }, completedAt: at(5) }).keys()]).toEqual([
      'Claim',
      'Run',
    ]);
  });

  test('what has not ended has no length', () => {
    expect([...stepLengths({ stepTimes: { Claim: at(0), Run: at(2) } })]).toEqual([['Claim', 2000]]);
  });

  test('a node that never began has none', () => expect(stepLengths({}).size).toBe(0));
});

test('the table has steps down and nodes across, and leaves out steps that nobody took', () => {
  const of = (second: number) => ({
    phase: 'Completed' as const,
    stepTimes: { Claim: at(0), Run: at(1) },
    completedAt: at(second),
  });
  expect(stepTable({ nodeStatuses: { n1: of(3), n2: of(4.5) } }, ['n1', 'n2', 'n3'])).toEqual([
    'STEP   n1     n2     n3',
    'Claim  1.0 s  1.0 s',
    'Run    2.0 s  3.5 s',
    'all    3.0 s  4.5 s  0.0 s',
  ]);
});

describe('the summary', () => {
  test('says from what to what each node went', () => {
    const lines = summaryLines(outcome());
    expect(lines).toContain('NODE  BEFORE  AFTER   BOOTS  SCHEDULABLE');
    expect(lines).toContain('n1    v3.5.0  v3.6.0  +1     yes');
    expect(lines).toContain('budget: 7 looks, never fewer than 1 Pods answered, 0 violations');
    expect(lines).toContain('from apply to the end: 31.4 s');
    expect(lines.at(-1)).toBe('All of it holds.');
  });

  test('ends with what does not hold', () => {
    expect(summaryLines(outcome({ after: fleet({ ready: false, schedulable: false }) })).slice(-3)).toEqual([
      'This does not hold:',
      '- n2 is still cordoned.',
      '- n2 is not Ready.',
    ]);
  });

  test('does not pretend to have watched a budget', () => {
    expect(summaryLines(outcome({ budget: undefined })).join('\n')).toContain('budget: not watched');
  });
});
