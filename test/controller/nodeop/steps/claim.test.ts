import { describe, expect, test } from '@jest/globals';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, ledger, nodeAgent, secondsAgo, job, node, reached, nodeOp, ran } from '../../../builders.js';
import { outcomeOf, REBOOT, MARK } from './walk-outcome.js';

describe('Claim', () => {
  test.each<[string, object, Partial<Facts>, string]>([
    ['waits for its turn', {}, { ledger: undefined }, 'Claim: wait WaitingForTurn'],
    ['claims the node when its turn has come', {}, { ledger: undefined, hasTurn: true }, 'Claim: claim'],
    [
      'waits while another operation holds the node',
      {},
      { ledger: undefined, hasTurn: true, claimedBy: 'default/other' },
      'Claim: wait WaitingForOperation',
    ],
    [
      'waits for the NodeAgent to be made',
      {},
      { ledger: undefined, hasTurn: true, agent: undefined },
      'Claim: wait WaitingForAgent',
    ],
    ['needs no agent for a plain command', {}, { agent: nodeAgent({ operation: undefined }) }, 'Run: record Run'],
    [
      'needs the echo before a reboot is possible',
      REBOOT,
      { agent: nodeAgent({ operation: undefined }) },
      'Claim: wait WaitingForAgent',
    ],
    [
      'takes an echo of another attempt for none',
      REBOOT,
      { agent: nodeAgent({ operation: { id: 'uid-op-0' } }) },
      'Claim: wait WaitingForAgent',
    ],
    [
      'gives the agent 60 s',
      REBOOT,
      { agent: nodeAgent({ operation: undefined }), ledger: ledger({ stepTimes: { Claim: secondsAgo(60) } }) },
      'Claim: Failed AgentNotAnswering',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));
});

describe('An agent of another release', () => {
  const stranger = (more: object, at = 59) => {
    const agent = nodeAgent({ contract: 2, agentVersion: '9.9.0', ...more });
    return facts(REBOOT, { agent, ledger: ledger({ stepTimes: { Claim: secondsAgo(at) } }) });
  };
  const why = (seen: Facts) => walk(seen).result;

  test('is not relied on, though it has answered; it may be about to be replaced', () =>
    expect(why(stranger({}))).toMatchObject({
      is: 'wait',
      message: expect.stringContaining('(version 9.9.0) has contract 2, this controller supports only 1'),
    }));
  test('ends the node when nobody replaces it, in words that say what to do', () =>
    expect(why(stranger({}, 60))).toMatchObject({
      reason: 'AgentNotAnswering',
      message: expect.stringContaining('must be of the same release'),
    }));
  test('with our contract is as good as any, whatever else it says', () =>
    expect(outcomeOf(stranger({ contract: 1, unheardOf: { field: true } }))).not.toContain('Claim'));
  test('is not needed for a plain command', () =>
    expect(outcomeOf(facts({}, { agent: nodeAgent({ contract: 2 }) }))).not.toContain('Claim'));
});

describe('A ledger that somebody took away', () => {
  const begun = { Claim: secondsAgo(90), Cordon: secondsAgo(80), Run: secondsAgo(70) };
  const before = {
    phase: 'Running' as const,
    startedAt: begun.Claim,
    stepTimes: begun,
    jobName: 'job',
    bootIdBefore: 'boot-0',
  };
  const lost = (more: object = {}) => ({
    nodeOp: nodeOp({}, { status: { nodeStatuses: { n1: { ...before, ...more } } } }),
    ledger: undefined,
  });
  const claimed = (seen: Partial<Facts>) => {
    const { result } = walk(facts({}, seen));
    return result.is === 'act' && result.action.do === 'claim' ? result.action.ledger : undefined;
  };

  test('is written again as far as the report tells, whoever’s turn it is', () =>
    expect(claimed({ ...lost(), job: job('running') })).toMatchObject({
      step: 'Run',
      stepTimes: begun,
      cordoned: true,
      bootIdBefore: 'boot-0',
      job: { name: 'job', uid: 'uid-job' },
    }));

  test('never makes a Job again that is gone by now', () => {
    const again = claimed(lost());
    expect(outcomeOf(facts({}, { ...lost(), ledger: again }))).toBe('Run: Failed JobDeleted');
  });

  test('keeps the wish to reboot', () =>
    expect(claimed({ ...lost({ stepTimes: { ...begun, Reboot: secondsAgo(60) } }) })?.reboot).toEqual({
      jobName: 'job',
      notAfter: secondsAgo(60 - 1800),
    }));

  test('goes on ending where it was ending, and asks for no reboot that was withdrawn', () => {
    const stepTimes = { ...begun, Reboot: secondsAgo(60), Withdraw: secondsAgo(50) };
    const ending = { ending: 'Failed', reason: 'NotRebooted', nodeUid: 'uid-n1', jobUid: 'uid-job', stepTimes };
    const again = claimed(lost(ending));
    expect(again).toMatchObject({ rebootWithdrawn: true, result: { phase: 'Failed', reason: 'NotRebooted' } });
    expect(again?.reboot).toBeUndefined();
    expect(outcomeOf(facts({ rebootOnSuccess: true }, { ...lost(ending), ledger: again }))).toBe(
      'Withdraw: wait Unreachable',
    );
  });

  test('sees that the node is another one', () =>
    expect(outcomeOf(facts({}, { ...lost({ nodeUid: 'old' }), ledger: claimed(lost({ nodeUid: 'old' })) }))).toBe(
      'Run: Failed NodeReplaced',
    ));

  test('ends as it was told, should the report already say so', () =>
    expect(
      walk(facts({}, { ...lost({ phase: 'Failed', reason: 'JobFailed' }), ledger: ran('Run') })).result,
    ).toMatchObject({
      phase: 'Failed',
      reason: 'JobFailed',
    }));

  test('does not bring a finished node back', () =>
    expect(claimed({ ...lost({ phase: 'Completed', completedAt: secondsAgo(1) }) })).toBeUndefined());
});

describe('A deleted operation', () => {
  const deleted = { nodeOp: nodeOp({}, { metadata: { deletionTimestamp: secondsAgo(1) } }) };
  test.each<[string, Partial<Facts>, string]>([
    [
      'ends a node whose Job has not begun',
      { ...deleted, ledger: reached('Drain', { cordoned: true }) },
      'Drain: Failed Deleted',
    ],
    [
      'and undoes its cordon',
      {
        ...deleted,
        node: node('n1', { cordoned: true, mark: MARK }),
        ledger: reached('Uncordon', { cordoned: true, result: { phase: 'Failed', message: '', at: secondsAgo(0) } }),
      },
      'Uncordon: uncordon',
    ],
  ])('%s', (_sentence, seen, expected) => expect(outcomeOf(facts({}, seen))).toBe(expected));
});

describe('A Pod that the API server refuses', () => {
  const PULL = { cordon: true };
  const writeRefusal = 'pods "x" is forbidden: exceeded quota';
  test('is tried again for a while', () =>
    expect(outcomeOf(facts(PULL, { writeRefusal, ledger: reached('Pull', {}, 599) }))).toBe('Pull: createPod'));
  test('and then told in the words of the API server', () =>
    expect(walk(facts(PULL, { writeRefusal, ledger: reached('Pull', {}, 600) })).result).toMatchObject({
      reason: 'PodRefused',
      message: `refused for 600 s: ${writeRefusal}`,
    }));
  test('also where it is a Job', () =>
    expect(outcomeOf(facts({}, { writeRefusal, ledger: reached('Run', {}, 600) }))).toBe('Run: Failed PodRefused'));
});
