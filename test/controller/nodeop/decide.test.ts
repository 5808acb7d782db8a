import { describe, expect, test } from '@jest/globals';
import { ledger, nodeAgent, NOW, ran, secondsAgo } from '../../builders.js';
import { claimed, ended, endedInLedger, type Member, severally, underWay, UPGRADE_OWNER, why } from './several.js';

const CP = { controlPlane: true };
const REBOOT = { rebootOnSuccess: true };
const OWNED = { metadata: UPGRADE_OWNER };

describe('Whose turn it is', () => {
  test.each<[string, object, Record<string, Member>, string[]]>([
    ['all go at once with concurrency 0', {}, { c: {}, a: {}, b: {} }, ['a', 'b', 'c']],
    ['as many as the number says', { concurrency: 2 }, { a: {}, b: {}, c: {} }, ['a', 'b']],
    ['those under way take up slots', { concurrency: 2 }, { a: underWay(), b: {}, c: {} }, ['b']],
    ['a part of them by percent', { concurrency: '50%' }, { a: {}, b: {}, c: {}, d: {}, e: {} }, ['a', 'b']],
    ['at least one by percent', { concurrency: '1%' }, { a: {}, b: {} }, ['a']],
    ['control planes come first', { concurrency: 1 }, { a: {}, z: CP }, ['z']],
    ['control planes go together where nothing is disturbed', {}, { x: CP, y: CP, a: {} }, ['x', 'y', 'a']],
    ['control planes go one at a time where nodes are cordoned', { cordon: true }, { x: CP, y: CP }, ['x']],
    ['control planes go one at a time where nodes reboot', REBOOT, { x: CP, y: CP }, ['x']],
    ['whatever concurrency says', { ...REBOOT, concurrency: 2 }, { x: CP, y: CP }, ['x']],
    ['a control plane waits for the one under way', REBOOT, { x: { ...CP, ...underWay() }, y: CP }, []],
    ['the next goes when the last one ended', REBOOT, { x: { ...CP, ...ended('Completed') }, y: CP }, ['y']],
    [
      'a control plane waits while another one is not Ready',
      REBOOT,
      { x: { ...CP, seen: { otherControlPlanes: { notReady: 'q' } } } },
      [],
    ],
    [
      'that holds no slot',
      { ...REBOOT, concurrency: 1 },
      { x: { ...CP, seen: { otherControlPlanes: { notReady: 'q' } } }, a: {} },
      ['a'],
    ],
    [
      'and does not matter where nothing is disturbed',
      {},
      { x: { ...CP, seen: { otherControlPlanes: { notReady: 'q' } } } },
      ['x'],
    ],
    ['workers go beside a control plane', REBOOT, { x: CP, a: {}, y: CP }, ['x', 'a']],
    ['a NotReady node holds no slot', { concurrency: 1 }, { a: { ready: false }, b: {} }, ['b']],
    ['a node held by another operation holds no slot', { concurrency: 1 }, { a: { heldBy: 'x/y' }, b: {} }, ['b']],
    ['a recorded end frees the slot', { concurrency: 1 }, { a: endedInLedger('Completed'), b: {} }, ['b']],
    ['so does a recorded failure', { concurrency: 1 }, { a: endedInLedger('Failed'), b: {} }, ['b']],
    ['nobody starts while paused', { paused: true }, { a: {}, b: {} }, []],
    ['one goes on after a failure', { concurrency: 1 }, { a: ended('Failed'), b: {} }, ['b']],
    ['but not with stopOnFailure', { stopOnFailure: true }, { a: ended('Failed'), b: {} }, []],
    ['a failure counts from when it is recorded', { stopOnFailure: true }, { a: endedInLedger('Failed'), b: {} }, []],
    [
      'also while much is left to undo, and another slot is free',
      { cordon: true, rebootOnSuccess: true, uncordonOnFailure: true, stopOnFailure: true, concurrency: 2 },
      {
        a: {
          ...endedInLedger('Failed', { cordoned: true, reboot: { jobName: 'job', notAfter: NOW.toISOString() } }),
          cordoned: true,
          mark: 'default/op@uid-op',
        },
        b: {},
      },
      [],
    ],
    [
      'also while its ledger is lost',
      { stopOnFailure: true, concurrency: 2 },
      { a: { before: { phase: 'Running', ending: 'Failed', startedAt: NOW.toISOString() } }, b: {} },
      ['a'],
    ],
    ['finished nodes are not claimed again', {}, { a: ended('Completed'), b: ended('Failed') }, []],
    [
      'a node without its NodeAgent waits and holds no slot',
      { concurrency: 1 },
      { a: { seen: { agent: undefined } }, b: {} },
      ['b'],
    ],
    [
      'an end that is not undone yet keeps its slot',
      { cordon: true, concurrency: 1 },
      { a: { ...endedInLedger('Completed', { cordoned: true }), cordoned: true, mark: 'default/op@uid-op' }, b: {} },
      [],
    ],
  ])('%s', (_sentence, spec, members, names) => expect(claimed(severally(spec, members))).toEqual(names));

  test('nobody starts while the operation is being deleted', () => {
    const plan = severally({}, { a: {} }, { metadata: { deletionTimestamp: secondsAgo(1) } });
    expect(claimed(plan)).toEqual([]);
    expect(plan.status.phase).toBe('Failed');
  });

  test.each<[string, Record<string, Member>, string[]]>([
    ['workers of an upgrade wait for a control plane that has not begun', { x: CP, a: {} }, ['x']],
    ['and while it is under way', { x: { ...CP, ...underWay() }, a: {} }, []],
    ['and start when every control plane is done', { x: { ...CP, ...ended('Completed') }, a: {}, b: {} }, ['a', 'b']],
    ['even before that is told', { x: { ...CP, ...endedInLedger('Completed') }, a: {} }, ['a']],
    ['but never when one of them failed', { x: { ...CP, ...ended('Failed') }, a: {} }, []],
    ['nor when any node fell back', { a: ended('Failed', { reason: 'FellBack' }), b: {} }, []],
  ])('%s', (_sentence, members, names) => {
    expect(claimed(severally({ cordon: true, ...REBOOT }, members, OWNED))).toEqual(names);
  });
});

describe('An upgrade that cannot go on', () => {
  test.each<[string, Record<string, Member>, string]>([
    ['ends when a control plane failed', { x: { ...CP, ...ended('Failed') }, a: {} }, 'Failed'],
    ['ends when a node fell back', { a: ended('Failed', { reason: 'FellBack' }), b: {} }, 'Failed'],
    [
      'goes on while another control plane is under way',
      { x: { ...CP, ...ended('Failed') }, y: { ...CP, ...underWay() }, a: {} },
      'Running',
    ],
  ])('%s', (_sentence, members, phase) => {
    const { status } = severally({ cordon: true, ...REBOOT }, members, OWNED);
    expect(status.phase).toBe(phase);
  });
});

describe('Why a node waits', () => {
  test.each<[string, object, Record<string, Member>, Record<string, string>]>([
    ['others go first', { concurrency: 1 }, { a: underWay(), b: {} }, { b: 'WaitingForTurn' }],
    ['it is not Ready', {}, { a: { ready: false } }, { a: 'NodeNotReady' }],
    ['another operation has it', {}, { a: { heldBy: 'x/y' } }, { a: 'WaitingForOperation' }],
    ['the operation is paused', { paused: true }, { a: {} }, { a: 'Paused' }],
    ['another node failed', { stopOnFailure: true }, { a: ended('Failed'), b: {} }, { b: 'Stopped' }],
    [
      'another control plane is not Ready',
      REBOOT,
      { x: { ...CP, seen: { otherControlPlanes: { notReady: 'q' } } } },
      { x: 'ControlPlaneNotReady' },
    ],
    [
      'another operation works on a control plane',
      REBOOT,
      { x: { ...CP, seen: { otherControlPlanes: { active: { node: 'q', operation: 'infra/other' } } } } },
      { x: 'WaitingForOperation' },
    ],
    ['a control plane is under way', REBOOT, { x: { ...CP, ...underWay() }, y: CP }, { y: 'WaitingForTurn' }],
    [
      'no slot is free, so that it does not matter yet whether it is Ready',
      { concurrency: 1 },
      { a: underWay(), b: { ready: false } },
      { b: 'WaitingForTurn' },
    ],
    [
      'a slot is free but it is not Ready',
      { concurrency: 2 },
      { a: underWay(), b: { ready: false } },
      { b: 'NodeNotReady' },
    ],
  ])('%s', (_sentence, spec, members, reasons) => {
    expect(why(severally(spec, members))).toMatchObject(reasons);
  });

  test('the operation that holds the node is named', () => {
    const { status } = severally({}, { a: { heldBy: 'infra/other' } });
    expect(status.nodeStatuses?.a?.message).toBe('waiting for operation infra/other');
  });

  test('workers of an upgrade say that they wait for control planes', () => {
    expect(why(severally({ ...REBOOT }, { x: { ...CP, ...underWay() }, a: {} }, OWNED)).a).toBe(
      'WaitingForControlPlanes',
    );
  });
});

describe('What is done', () => {
  test('an end is recorded, with its time', () => {
    const job = { metadata: { name: 'job', uid: 'uid-job', resourceVersion: '1' }, spec: {}, status: {} };
    const complete = { ...job, status: { conditions: [{ type: 'Complete', status: 'True' }] } };
    const at = ledger({ step: 'Run', job: { name: 'job', uid: 'uid-job' }, bootIdBefore: 'boot-1' });
    const { actions } = severally({}, { a: { ledger: at, seen: { job: complete } } });
    expect(actions.map(({ action }) => action)).toEqual([
      {
        do: 'record',
        change: { result: expect.objectContaining({ phase: 'Completed', reason: 'Done', at: NOW.toISOString() }) },
      },
    ]);
  });

  test('a look is planned for the first deadline', () => {
    const at = { ledger: ledger({ stepTimes: { Claim: secondsAgo(20) } }) };
    const later = { ledger: ledger({ stepTimes: { Claim: secondsAgo(5) } }) };
    const silent = { seen: { agent: undefined } };
    const plan = severally(REBOOT, { a: { ...later, ...silent }, b: { ...at, ...silent } });
    expect(plan.requeueAt).toEqual(new Date(NOW.getTime() + 40_000));
  });

  test('and when the time of a node that cannot start is over, though nothing else happens', () => {
    const before = { reason: 'NodeNotReady' as const, message: 'waiting for the node to be Ready' };
    const waiting = { ...before, rebootStatus: 'not-requested' as const, lastUpdated: secondsAgo(20) };
    const plan = severally({ startDeadlineSeconds: 30 }, { a: { ready: false, before: waiting } });
    expect(plan.requeueAt).toEqual(new Date(NOW.getTime() + 10_000));
  });

  test('nothing is done for nodes that wait', () => {
    expect(severally({ paused: true }, { a: {}, b: {} }).actions).toEqual([]);
  });
});

test('a node that leaves after its reboot is told as rebooted: its agent has said so', () => {
  const own = { ...ran('Verify', { reboot: { jobName: 'job', notAfter: NOW.toISOString() } }), nodeUid: 'uid-a' };
  const reboot = { state: 'Rebooted' as const, bootIdAfter: 'boot-2' };
  const agent = nodeAgent({ operation: { id: own.id, reboot } }, own);
  const { actions } = severally({ rebootOnSuccess: true }, { a: { gone: true, ledger: own, seen: { agent } } });
  expect(actions).toMatchObject([
    { action: { do: 'record', change: { result: { reason: 'NodeRemoved', bootIdAfter: 'boot-2' } } } },
  ]);
});

test('a wait that ends in the pass in which another node would start stops that one: what is final stays so', () => {
  const message = 'waiting for the node to be Ready';
  const before = { reason: 'NodeNotReady' as const, message, lastUpdated: secondsAgo(61) };
  const plan = severally({ stopOnFailure: true, startDeadlineSeconds: 60 }, { a: { ready: false, before }, b: {} });
  expect(claimed(plan)).toEqual([]);
  expect(plan.status).toMatchObject({ phase: 'Failed', nodeStatuses: { b: { phase: 'Pending', reason: 'Stopped' } } });
});
