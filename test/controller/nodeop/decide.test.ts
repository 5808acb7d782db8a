import { describe, expect, test } from '@jest/globals';
import { ledger, nodeAgent, NOW, ran, secondsAgo } from '../../builders.js';
import {
  claimedNodes,
  finishedNode,
  nodeWithResult,
  type NodeSetup,
  planFor,
  activeNode,
  UPGRADE_OWNER,
  waitReasons,
} from './multi-node-plan.js';

const CP = { controlPlane: true };
const REBOOT = { rebootOnSuccess: true };
const OWNED = { metadata: UPGRADE_OWNER };

describe('The plan of an operation', () => {
  test.each<[string, object, Record<string, NodeSetup>, string[]]>([
    ['starts all nodes with concurrency 0', {}, { c: {}, a: {}, b: {} }, ['a', 'b', 'c']],
    ['starts as many nodes as concurrency allows', { concurrency: 2 }, { a: {}, b: {}, c: {} }, ['a', 'b']],
    ['counts active nodes against concurrency', { concurrency: 2 }, { a: activeNode(), b: {}, c: {} }, ['b']],
    [
      'starts a part of all nodes where concurrency is a percentage',
      { concurrency: '50%' },
      { a: {}, b: {}, c: {}, d: {}, e: {} },
      ['a', 'b'],
    ],
    [
      'starts at least one node where concurrency is a small percentage',
      { concurrency: '1%' },
      { a: {}, b: {} },
      ['a'],
    ],
    ['starts control planes first', { concurrency: 1 }, { a: {}, z: CP }, ['z']],
    [
      'starts several control planes when the operation is not disruptive',
      {},
      { x: CP, y: CP, a: {} },
      ['x', 'y', 'a'],
    ],
    ['starts one control plane when nodes are cordoned', { cordon: true }, { x: CP, y: CP }, ['x']],
    ['starts one control plane when nodes reboot', REBOOT, { x: CP, y: CP }, ['x']],
    ['starts one control plane even if concurrency allows two', { ...REBOOT, concurrency: 2 }, { x: CP, y: CP }, ['x']],
    ['starts no control plane while another one is active', REBOOT, { x: { ...CP, ...activeNode() }, y: CP }, []],
    [
      'starts the next control plane when the one before has finished',
      REBOOT,
      { x: { ...CP, ...finishedNode('Completed') }, y: CP },
      ['y'],
    ],
    [
      'starts no control plane while another one is not Ready',
      REBOOT,
      { x: { ...CP, facts: { otherControlPlanes: { notReady: 'q' } } } },
      [],
    ],
    [
      'starts a worker while a control plane waits for another one to be Ready',
      { ...REBOOT, concurrency: 1 },
      { x: { ...CP, facts: { otherControlPlanes: { notReady: 'q' } } }, a: {} },
      ['a'],
    ],
    [
      'starts a control plane beside one that is not Ready when the operation is not disruptive',
      {},
      { x: { ...CP, facts: { otherControlPlanes: { notReady: 'q' } } } },
      ['x'],
    ],
    ['starts workers beside a control plane', REBOOT, { x: CP, a: {}, y: CP }, ['x', 'a']],
    ['skips a node that is not Ready', { concurrency: 1 }, { a: { ready: false }, b: {} }, ['b']],
    ['skips a node that another operation has claimed', { concurrency: 1 }, { a: { claimedBy: 'x/y' }, b: {} }, ['b']],
    [
      'uses the slot of a node whose completion is recorded',
      { concurrency: 1 },
      { a: nodeWithResult('Completed'), b: {} },
      ['b'],
    ],
    [
      'uses the slot of a node whose failure is recorded',
      { concurrency: 1 },
      { a: nodeWithResult('Failed'), b: {} },
      ['b'],
    ],
    ['starts no node while the operation is paused', { paused: true }, { a: {}, b: {} }, []],
    ['starts the next node after a failure', { concurrency: 1 }, { a: finishedNode('Failed'), b: {} }, ['b']],
    [
      'starts no node after a failure with stopOnFailure',
      { stopOnFailure: true },
      { a: finishedNode('Failed'), b: {} },
      [],
    ],
    [
      'starts no node with stopOnFailure as soon as a failure is recorded',
      { stopOnFailure: true },
      { a: nodeWithResult('Failed'), b: {} },
      [],
    ],
    [
      'starts no node with stopOnFailure while the failed node is not released yet and a slot is free',
      { cordon: true, rebootOnSuccess: true, uncordonOnFailure: true, stopOnFailure: true, concurrency: 2 },
      {
        a: {
          ...nodeWithResult('Failed', { cordoned: true, reboot: { jobName: 'job', notAfter: NOW.toISOString() } }),
          cordoned: true,
          mark: 'default/op@uid-op',
        },
        b: {},
      },
      [],
    ],
    [
      'claims only the failed node again when its ledger was lost, with stopOnFailure',
      { stopOnFailure: true, concurrency: 2 },
      { a: { before: { phase: 'Running', ending: 'Failed', startedAt: NOW.toISOString() } }, b: {} },
      ['a'],
    ],
    ['never starts finished nodes again', {}, { a: finishedNode('Completed'), b: finishedNode('Failed') }, []],
    ['skips a node without NodeAgent', { concurrency: 1 }, { a: { facts: { agent: undefined } }, b: {} }, ['b']],
    [
      'counts a completed node that is still cordoned against concurrency',
      { cordon: true, concurrency: 1 },
      { a: { ...nodeWithResult('Completed', { cordoned: true }), cordoned: true, mark: 'default/op@uid-op' }, b: {} },
      [],
    ],
  ])('%s', (_sentence, spec, setups, names) => expect(claimedNodes(planFor(spec, setups))).toEqual(names));

  test('starts no node while the operation is being deleted', () => {
    const plan = planFor({}, { a: {} }, { metadata: { deletionTimestamp: secondsAgo(1) } });
    expect(claimedNodes(plan)).toEqual([]);
    expect(plan.status.phase).toBe('Failed');
  });

  test.each<[string, Record<string, NodeSetup>, string[]]>([
    ['starts no worker of an upgrade while a control plane has not started', { x: CP, a: {} }, ['x']],
    ['starts no worker of an upgrade while a control plane is active', { x: { ...CP, ...activeNode() }, a: {} }, []],
    [
      'starts workers of an upgrade once every control plane is completed',
      { x: { ...CP, ...finishedNode('Completed') }, a: {}, b: {} },
      ['a', 'b'],
    ],
    [
      'starts workers of an upgrade before the completion of the control plane is in the status',
      { x: { ...CP, ...nodeWithResult('Completed') }, a: {} },
      ['a'],
    ],
    [
      'starts no worker of an upgrade when a control plane failed',
      { x: { ...CP, ...finishedNode('Failed') }, a: {} },
      [],
    ],
    [
      'starts no node of an upgrade when any node fell back',
      { a: finishedNode('Failed', { reason: 'FellBack' }), b: {} },
      [],
    ],
  ])('%s', (_sentence, setups, names) => {
    expect(claimedNodes(planFor({ cordon: true, ...REBOOT }, setups, OWNED))).toEqual(names);
  });
});

describe('The status of an upgrade', () => {
  test.each<[string, Record<string, NodeSetup>, string]>([
    ['is Failed when a control plane failed', { x: { ...CP, ...finishedNode('Failed') }, a: {} }, 'Failed'],
    ['is Failed when a node fell back', { a: finishedNode('Failed', { reason: 'FellBack' }), b: {} }, 'Failed'],
    [
      'is Running while another control plane is active',
      { x: { ...CP, ...finishedNode('Failed') }, y: { ...CP, ...activeNode() }, a: {} },
      'Running',
    ],
  ])('%s', (_sentence, setups, phase) => {
    const { status } = planFor({ cordon: true, ...REBOOT }, setups, OWNED);
    expect(status.phase).toBe(phase);
  });
});

describe('A node that waits', () => {
  test.each<[string, object, Record<string, NodeSetup>, Record<string, string>]>([
    [
      'has reason WaitingForTurn while no slot is free',
      { concurrency: 1 },
      { a: activeNode(), b: {} },
      { b: 'WaitingForTurn' },
    ],
    ['has reason NodeNotReady while it is not Ready', {}, { a: { ready: false } }, { a: 'NodeNotReady' }],
    [
      'has reason WaitingForOperation while another operation has claimed it',
      {},
      { a: { claimedBy: 'x/y' } },
      { a: 'WaitingForOperation' },
    ],
    ['has reason Paused while the operation is paused', { paused: true }, { a: {} }, { a: 'Paused' }],
    [
      'has reason Stopped after another node failed',
      { stopOnFailure: true },
      { a: finishedNode('Failed'), b: {} },
      { b: 'Stopped' },
    ],
    [
      'has reason ControlPlaneNotReady while another control plane is not Ready',
      REBOOT,
      { x: { ...CP, facts: { otherControlPlanes: { notReady: 'q' } } } },
      { x: 'ControlPlaneNotReady' },
    ],
    [
      'has reason WaitingForOperation while another operation is active on a control plane',
      REBOOT,
      { x: { ...CP, facts: { otherControlPlanes: { active: { node: 'q', operation: 'infra/other' } } } } },
      { x: 'WaitingForOperation' },
    ],
    [
      'has reason WaitingForTurn while another control plane is active',
      REBOOT,
      { x: { ...CP, ...activeNode() }, y: CP },
      { y: 'WaitingForTurn' },
    ],
    [
      'has reason WaitingForTurn, not NodeNotReady, while no slot is free',
      { concurrency: 1 },
      { a: activeNode(), b: { ready: false } },
      { b: 'WaitingForTurn' },
    ],
    [
      'has reason NodeNotReady while a slot is free',
      { concurrency: 2 },
      { a: activeNode(), b: { ready: false } },
      { b: 'NodeNotReady' },
    ],
  ])('%s', (_sentence, spec, setups, reasons) => {
    expect(waitReasons(planFor(spec, setups))).toMatchObject(reasons);
  });

  test('names the operation that has claimed it', () => {
    const { status } = planFor({}, { a: { claimedBy: 'infra/other' } });
    expect(status.nodeStatuses?.a?.message).toBe('waiting for operation infra/other');
  });

  test('has reason WaitingForControlPlanes as a worker of an upgrade', () => {
    expect(waitReasons(planFor({ ...REBOOT }, { x: { ...CP, ...activeNode() }, a: {} }, OWNED)).a).toBe(
      'WaitingForControlPlanes',
    );
  });
});

describe('The actions of a plan', () => {
  test('records the result of a node with its time', () => {
    const job = { metadata: { name: 'job', uid: 'uid-job', resourceVersion: '1' }, spec: {}, status: {} };
    const complete = { ...job, status: { conditions: [{ type: 'Complete', status: 'True' }] } };
    const at = ledger({ step: 'Run', job: { name: 'job', uid: 'uid-job' }, bootIdBefore: 'boot-1' });
    const { actions } = planFor({}, { a: { ledger: at, facts: { job: complete } } });
    expect(actions.map(({ action }) => action)).toEqual([
      {
        do: 'record',
        change: { result: expect.objectContaining({ phase: 'Completed', reason: 'Done', at: NOW.toISOString() }) },
      },
    ]);
  });

  test('requeues the operation at the first deadline', () => {
    const at = { ledger: ledger({ stepTimes: { Claim: secondsAgo(20) } }) };
    const later = { ledger: ledger({ stepTimes: { Claim: secondsAgo(5) } }) };
    const withoutAgent = { facts: { agent: undefined } };
    const plan = planFor(REBOOT, { a: { ...later, ...withoutAgent }, b: { ...at, ...withoutAgent } });
    expect(plan.requeueAt).toEqual(new Date(NOW.getTime() + 40_000));
  });

  test('requeues the operation at the start deadline of a node that cannot start', () => {
    const before = { reason: 'NodeNotReady' as const, message: 'waiting for the node to be Ready' };
    const waiting = { ...before, rebootStatus: 'not-requested' as const, lastUpdated: secondsAgo(20) };
    const plan = planFor({ startDeadlineSeconds: 30 }, { a: { ready: false, before: waiting } });
    expect(plan.requeueAt).toEqual(new Date(NOW.getTime() + 10_000));
  });

  test('requeues the operation when the refused dry run of its Pod is repeated', () => {
    const podRefusal = { is: 'refused' as const, message: 'quota', retryAt: new Date(NOW.getTime() + 4_000) };
    expect(planFor({}, { a: { facts: { podRefusal } } }).requeueAt).toEqual(podRefusal.retryAt);
  });

  test('contains no action for nodes that wait', () => {
    expect(planFor({ paused: true }, { a: {}, b: {} }).actions).toEqual([]);
  });
});

test('a node that is removed after its reboot is recorded as rebooted', () => {
  const own = { ...ran('Verify', { reboot: { jobName: 'job', notAfter: NOW.toISOString() } }), nodeUid: 'uid-a' };
  const reboot = { state: 'Rebooted' as const, bootIdAfter: 'boot-2' };
  const agent = nodeAgent({ operation: { id: own.id, reboot } }, own);
  const { actions } = planFor({ rebootOnSuccess: true }, { a: { isAbsent: true, ledger: own, facts: { agent } } });
  expect(actions).toMatchObject([
    { action: { do: 'record', change: { result: { reason: 'NodeRemoved', bootIdAfter: 'boot-2' } } } },
  ]);
});

test('a start deadline that expires with stopOnFailure stops the node that would start in the same pass', () => {
  const message = 'waiting for the node to be Ready';
  const before = { reason: 'NodeNotReady' as const, message, lastUpdated: secondsAgo(61) };
  const plan = planFor({ stopOnFailure: true, startDeadlineSeconds: 60 }, { a: { ready: false, before }, b: {} });
  expect(claimedNodes(plan)).toEqual([]);
  expect(plan.status).toMatchObject({ phase: 'Failed', nodeStatuses: { b: { phase: 'Pending', reason: 'Stopped' } } });
});
