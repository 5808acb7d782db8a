import { describe, expect, test } from '@jest/globals';
import { failures, type Outcome, stepDurations, stepTable, summaryLines } from '../../demo/summary.js';
import { at, node } from './snapshots.js';

const fleet = (change = {}, boots = { n1: 2, n2: 2 }) => ({
  nodes: [node('n1', { version: 'v3.6.0' }), node('n2', { version: 'v3.6.0', ...change })],
  boots,
});

const outcome = (change: Partial<Outcome> = {}): Outcome => ({
  before: { nodes: [node('n1'), node('n2')], boots: { n1: 1, n2: 1 } },
  after: fleet(),
  upgrade: {},
  targetVersion: 'v3.6.0',
  wait: { ok: true, output: 'condition met' },
  budget: { checks: 7, fewestReady: 1, violations: [] },
  durationMs: 31_400,
  ...change,
});

describe('the failed checks', () => {
  test.each<[string, Partial<Outcome>, string[]]>([
    ['are empty after a successful upgrade', {}, []],
    ['are empty without a budget, as with a single node', { budget: undefined }, []],
    [
      'contain an upgrade that is not complete',
      { wait: { ok: false, output: 'timed out' } },
      ['The upgrade is not complete: timed out'],
    ],
    [
      'use the message of the upgrade instead of the output of kubectl wait',
      { wait: { ok: false, output: 'timed out' }, upgrade: { message: '1 of 2 nodes failed' } },
      ['The upgrade is not complete: 1 of 2 nodes failed'],
    ],
    ['contain a node with the old version', { after: fleet({ version: 'v3.5.0' }) }, ['n2 runs v3.5.0, not v3.6.0.']],
    [
      'contain a node with an unknown version',
      { after: fleet({ version: undefined }) },
      ['n2 runs an unknown version, not v3.6.0.'],
    ],
    ['contain a node that booted twice', { after: fleet({}, { n1: 3, n2: 2 }) }, ['n1 was booted 2 times, not once.']],
    ['contain a node that did not boot', { after: fleet({}, { n1: 2, n2: 1 }) }, ['n2 was booted 0 times, not once.']],
    ['contain a node that is still cordoned', { after: fleet({ schedulable: false }) }, ['n2 is still cordoned.']],
    ['contain a node that is not Ready', { after: fleet({ ready: false }) }, ['n2 is not Ready.']],
    [
      'contain a node that no longer exists',
      { after: { nodes: [node('n1', { version: 'v3.6.0' })], boots: { n1: 2 } } },
      ['n2 no longer exists.'],
    ],
    [
      'contain a violated disruption budget',
      { budget: { checks: 3, fewestReady: 0, violations: ['noon: 0 of 1', 'one: 0 of 1'] } },
      ['The disruption budget was violated 2 times, first at noon: 0 of 1.'],
    ],
    [
      'contain a disruption budget that was never checked',
      { budget: { checks: 0, violations: [] } },
      ['The disruption budget was never checked.'],
    ],
  ])('%s', (_sentence, change, expected) => expect(failures(outcome(change))).toEqual(expected));
});

describe('step durations', () => {
  test('last until the next step starts, or until the node is completed', () => {
    const stepTimes = { Claim: at(0), Drain: at(1), Reboot: at(5.5) };
    expect([...stepDurations({ stepTimes, completedAt: at(9) })]).toEqual([
      ['Claim', 1000],
      ['Drain', 4500],
      ['Reboot', 3500],
    ]);
  });

  test('follow the order in which the steps run, not that of the status', () => {
    expect([...stepDurations({ stepTimes: { Run: at(4), Claim: at(0) }, completedAt: at(5) }).keys()]).toEqual([
      'Claim',
      'Run',
    ]);
  });

  test('are missing for a step that has not ended', () => {
    expect([...stepDurations({ stepTimes: { Claim: at(0), Run: at(2) } })]).toEqual([['Claim', 2000]]);
  });

  test('are missing for every step of a node that has not started', () => expect(stepDurations({}).size).toBe(0));
});

test('the step table has one row per step and one column per node, without steps that no node ran', () => {
  const of = (second: number) => ({
    phase: 'Completed' as const,
    stepTimes: { Claim: at(0), Run: at(1) },
    completedAt: at(second),
  });
  expect(stepTable({ nodeStatuses: { n1: of(3), n2: of(4.5) } }, ['n1', 'n2', 'n3'])).toEqual([
    'STEP   n1     n2     n3',
    'Claim  1.0 s  1.0 s',
    'Run    2.0 s  3.5 s',
    'total  3.0 s  4.5 s  0.0 s',
  ]);
});

describe('the summary', () => {
  test('shows the old and the new version of each node', () => {
    const lines = summaryLines(outcome());
    expect(lines).toContain('NODE  BEFORE  AFTER   BOOTS  SCHEDULABLE');
    expect(lines).toContain('n1    v3.5.0  v3.6.0  +1     yes');
    expect(lines).toContain('disruption budget: checked 7 times, at least 1 Pods ready, 0 violations');
    expect(lines).toContain('duration of the upgrade: 31.4 s');
    expect(lines.at(-1)).toBe('All checks passed.');
  });

  test('ends with the failed checks', () => {
    expect(summaryLines(outcome({ after: fleet({ ready: false, schedulable: false }) })).slice(-3)).toEqual([
      'These checks failed:',
      '- n2 is still cordoned.',
      '- n2 is not Ready.',
    ]);
  });

  test('says that no disruption budget was checked with a single node', () => {
    expect(summaryLines(outcome({ budget: undefined })).join('\n')).toContain('disruption budget: not checked');
  });
});
