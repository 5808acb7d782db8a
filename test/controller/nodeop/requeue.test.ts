import { describe, expect, test } from '@jest/globals';
import type { StatusWrite } from '../../../controller/nodeop/act/status-writer.js';
import type { Plan } from '../../../controller/nodeop/decide.js';
import type { Action } from '../../../controller/nodeop/facts/facts.js';
import { nextPass } from '../../../controller/nodeop/requeue.js';
import { facts, NOW } from '../../builders.js';

const DELETE: Action = { do: 'deletePods', pods: [] };
const CORDON: Action = { do: 'cordon' };
const UNCHANGED: StatusWrite = { is: 'unchanged' };
const inSeconds = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const plan = (actions: Action[], requeueAt?: Date): Plan => ({
  actions: actions.map(action => ({ facts: facts(), action })),
  status: {},
  requeueAt,
});

describe('The next pass', () => {
  test.each<[string, Plan, StatusWrite, number]>([
    ['runs at once after an action', plan([CORDON]), UNCHANGED, 0],
    ['waits for the watch when everything was a deletion', plan([DELETE, DELETE]), UNCHANGED, 200],
    ['runs at once when not everything was a deletion', plan([DELETE, CORDON]), UNCHANGED, 0],
    ['runs at the first deadline', plan([], inSeconds(20)), UNCHANGED, 20_000],
    ['runs shortly after a deadline that has passed', plan([], inSeconds(-5)), UNCHANGED, 50],
    ['runs at the latest after a minute', plan([], inSeconds(3_600)), UNCHANGED, 60_000],
    ['runs after a minute when nothing has a deadline', plan([]), UNCHANGED, 60_000],
    ['runs at once after a status write', plan([], inSeconds(20)), { is: 'written' }, 0],
    ['runs when a delayed status write is due', plan([], inSeconds(20)), { is: 'delayed', afterMs: 700 }, 700],
  ])('%s', (_sentence, given, statusWrite, afterMs) => {
    expect(nextPass(given, { errors: [], statusWrite }, NOW)).toEqual({ then: 'requeue', afterMs });
  });

  test('fails with the first error and runs again by the next deadline', () => {
    const [first, second] = [new Error('first'), new Error('second')];
    const applied = { errors: [first, second], statusWrite: UNCHANGED };
    const expected = { then: 'failed', error: first, afterMs: 20_000 };
    expect(nextPass(plan([CORDON], inSeconds(20)), applied, NOW)).toEqual(expected);
  });
});
