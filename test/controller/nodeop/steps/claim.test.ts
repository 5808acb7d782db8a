import { describe, expect, test } from '@jest/globals';
import { clockSkewMessage } from '../../../../controller/nodeop/steps/claim.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, ledger, nodeAgent, secondsAgo, job, node, reached, nodeOp, ran } from '../../../builders.js';
import { outcomeOf, REBOOT, MARK } from './walk-outcome.js';

describe('A node before and after its claim', () => {
  test.each<[string, object, Partial<Facts>, string]>([
    ['waits for its turn', {}, { ledger: undefined }, 'Claim: wait WaitingForTurn'],
    ['is claimed when its turn has come', {}, { ledger: undefined, hasTurn: true }, 'Claim: claim'],
    [
      'waits while another operation has claimed it',
      {},
      { ledger: undefined, hasTurn: true, claimedBy: 'default/other' },
      'Claim: wait WaitingForOperation',
    ],
    [
      'waits for its NodeAgent to be created',
      {},
      { ledger: undefined, hasTurn: true, agent: undefined },
      'Claim: wait WaitingForAgent',
    ],
    ['needs no agent for a plain command', {}, { agent: nodeAgent({ operation: undefined }) }, 'Run: record Run'],
    [
      'needs an answer of the agent before a reboot',
      REBOOT,
      { agent: nodeAgent({ operation: undefined }) },
      'Claim: wait WaitingForAgent',
    ],
    [
      'ignores an answer of the agent to another attempt',
      REBOOT,
      { agent: nodeAgent({ operation: { id: 'uid-op-0' } }) },
      'Claim: wait WaitingForAgent',
    ],
    [
      'fails when the agent has not answered within 60 s',
      REBOOT,
      { agent: nodeAgent({ operation: undefined }), ledger: ledger({ stepTimes: { Claim: secondsAgo(60) } }) },
      'Claim: Failed AgentNotAnswering',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));
});

describe('A state directory that the agent cannot write to', () => {
  const agent = nodeAgent({ stateDir: '/usr/local/.kairos', stateDirError: 'EROFS: read-only file system' });
  test('fails a node that is to be rebooted, before it is touched', () =>
    expect(walk(facts(REBOOT, { agent })).result).toMatchObject({
      reason: 'StateDirNotWritable',
      message: 'the agent of node n1 cannot write to /usr/local/.kairos: EROFS: read-only file system',
    }));
  test('does not matter to a command without a reboot', () =>
    expect(outcomeOf(facts({ preflight: { release: { version: 'v2' } } }, { agent }))).not.toContain('Failed'));
  test('does not matter once the walk is past its claim', () =>
    expect(outcomeOf(facts(REBOOT, { agent, ledger: ran('Run') }))).not.toContain('StateDirNotWritable'));
});

describe('The clock of a node', () => {
  const skew = (seenAt: string | undefined, claimed = 10) =>
    clockSkewMessage(
      facts(REBOOT, {
        agent: nodeAgent({ operation: { id: 'uid-op-1', seenAt } }),
        ledger: ledger({ stepTimes: { Claim: secondsAgo(claimed) } }),
      }),
    );
  test.each([
    ['is in order when it agrees', secondsAgo(5), 10, undefined],
    ['is in order when it is a little ahead', secondsAgo(-300), 10, undefined],
    ['is in order when the controller was away since the claim', secondsAgo(7000), 7200, undefined],
    [
      'is reported when it is ahead',
      secondsAgo(-1860),
      10,
      "the clock of the node is 1860 s ahead of the controller's",
    ],
    ['is reported when it is behind', secondsAgo(3610), 10, "the clock of the node is 3600 s behind the controller's"],
    ['is unknown for an agent of an older release', undefined, 10, undefined],
  ])('%s', (_sentence, seenAt, claimed, message) => expect(skew(seenAt, claimed)).toBe(message));
});

describe('An agent of another release', () => {
  const otherContract = (more: object, at = 59) => {
    const agent = nodeAgent({ contract: 2, agentVersion: '9.9.0', ...more });
    return facts(REBOOT, { agent, ledger: ledger({ stepTimes: { Claim: secondsAgo(at) } }) });
  };
  const resultOf = (seen: Facts) => walk(seen).result;

  test('with another contract is waited for although it has answered, as it may be about to be replaced', () =>
    expect(resultOf(otherContract({}))).toMatchObject({
      is: 'wait',
      message: expect.stringContaining('(version 9.9.0) has contract 2, this controller supports only 1'),
    }));
  test('with another contract fails the node after 60 s, with a message that says what to do', () =>
    expect(resultOf(otherContract({}, 60))).toMatchObject({
      reason: 'AgentNotAnswering',
      message: expect.stringContaining('must be of the same release'),
    }));
  test('with the same contract is accepted, even if it reports unknown fields', () =>
    expect(outcomeOf(otherContract({ contract: 1, unknownField: { field: true } }))).not.toContain('Claim'));
  test('is irrelevant for a command without reboot and preflight', () =>
    expect(outcomeOf(facts({}, { agent: nodeAgent({ contract: 2 }) }))).not.toContain('Claim'));
});

describe('A ledger that was removed from outside', () => {
  const stepTimes = { Claim: secondsAgo(90), Cordon: secondsAgo(80), Run: secondsAgo(70) };
  const before = {
    phase: 'Running' as const,
    startedAt: stepTimes.Claim,
    stepTimes,
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

  test('is rebuilt from the status without waiting for a turn', () =>
    expect(claimed({ ...lost(), job: job('running') })).toMatchObject({
      step: 'Run',
      stepTimes,
      cordoned: true,
      bootIdBefore: 'boot-0',
      job: { name: 'job', uid: 'uid-job' },
    }));

  test('never creates a Job again that was deleted', () => {
    const again = claimed(lost());
    expect(outcomeOf(facts({}, { ...lost(), ledger: again }))).toBe('Run: Failed JobDeleted');
  });

  test('keeps the reboot request', () =>
    expect(claimed({ ...lost({ stepTimes: { ...stepTimes, Reboot: secondsAgo(60) } }) })?.reboot).toEqual({
      jobName: 'job',
      notAfter: secondsAgo(60 - 1800),
      timeoutSeconds: 1800,
    }));

  test('continues to end with its result, without requesting a withdrawn reboot again', () => {
    const withdrawnTimes = { ...stepTimes, Reboot: secondsAgo(60), Withdraw: secondsAgo(50) };
    const ending = {
      ending: 'Failed',
      reason: 'NotRebooted',
      nodeUid: 'uid-n1',
      jobUid: 'uid-job',
      stepTimes: withdrawnTimes,
    };
    const again = claimed(lost(ending));
    expect(again).toMatchObject({ rebootWithdrawn: true, result: { phase: 'Failed', reason: 'NotRebooted' } });
    expect(again?.reboot).toBeUndefined();
    expect(outcomeOf(facts({ rebootOnSuccess: true }, { ...lost(ending), ledger: again }))).toBe(
      'Withdraw: wait Unreachable',
    );
  });

  test('ends the walk when the node was replaced meanwhile', () =>
    expect(outcomeOf(facts({}, { ...lost({ nodeUid: 'old' }), ledger: claimed(lost({ nodeUid: 'old' })) }))).toBe(
      'Run: Failed NodeReplaced',
    ));

  test('ends with the result that the status already has', () =>
    expect(
      walk(facts({}, { ...lost({ phase: 'Failed', reason: 'JobFailed' }), ledger: ran('Run') })).result,
    ).toMatchObject({
      phase: 'Failed',
      reason: 'JobFailed',
    }));

  test('is not rebuilt for a finished node', () =>
    expect(claimed({ ...lost({ phase: 'Completed', completedAt: secondsAgo(1) }) })).toBeUndefined());
});

describe('A deleted operation', () => {
  const deleted = { nodeOp: nodeOp({}, { metadata: { deletionTimestamp: secondsAgo(1) } }) };
  test.each<[string, Partial<Facts>, string]>([
    [
      'fails a node whose Job has not started',
      { ...deleted, ledger: reached('Drain', { cordoned: true }) },
      'Drain: Failed Deleted',
    ],
    [
      'uncordons a node whose Job has not started',
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
  test('is created again until startDeadlineSeconds have passed', () =>
    expect(outcomeOf(facts(PULL, { writeRefusal, ledger: reached('Pull', {}, 599) }))).toBe('Pull: createPod'));
  test('fails the node after startDeadlineSeconds, with the message of the API server', () =>
    expect(walk(facts(PULL, { writeRefusal, ledger: reached('Pull', {}, 600) })).result).toMatchObject({
      reason: 'PodRefused',
      message: `refused for 600 s: ${writeRefusal}`,
    }));
  test('fails the node after startDeadlineSeconds if it is a Job', () =>
    expect(outcomeOf(facts({}, { writeRefusal, ledger: reached('Run', {}, 600) }))).toBe('Run: Failed PodRefused'));
});
