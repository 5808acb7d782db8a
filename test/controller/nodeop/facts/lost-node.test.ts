import { describe, expect, test } from '@jest/globals';
import type { Operation } from '../../../../api/node-agent.js';
import type { NodeStatus } from '../../../../api/node-status.js';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { rolloutStateOf } from '../../../../controller/nodeop/status/node-status.js';
import { nodeStatus } from '../../../../controller/nodeop/status/node-status.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { facts, job, node, nodeAgent, nodeOp, NOW, ran, reached, secondsAgo } from '../../../builders.js';
import { MARK, outcomeOf } from '../steps/walk-outcome.js';

const UUID = '4c4c4544-0044-4810-8036-b4c04f4e4a32';
const OTHER = '4c4c4544-0044-4810-8036-b4c04f4e4a33';
const REBOOT = { rebootOnSuccess: true };
const CORDON = { ...REBOOT, cordon: true, prePull: false };

/** A ledger that asked for the reboot `seconds` ago. */
const asked = (more: Partial<Operation> = {}, seconds = 60) =>
  ran('Reboot', { systemUUID: UUID, reboot: { jobName: 'job', notAfter: secondsAgo(-900) }, ...more }, seconds);
const verifying = (rebootSeconds: number, verifySeconds: number) =>
  ran('Verify', { systemUUID: UUID, stepTimes: { Reboot: secondsAgo(rebootSeconds) } }, verifySeconds);

const renewed = (traits: Parameters<typeof node>[1] = {}) =>
  node('n1', { uid: 'new', bootId: 'boot-2', systemUUID: UUID, ...traits });
/** The answer of the agent in the boot of the new Node. */
const answered = (recordedOnHost?: true, bootId = 'boot-2') =>
  nodeAgent({
    boot: { id: bootId, since: secondsAgo(9), state: 'active' },
    operation: { id: 'uid-op-1', reboot: { state: 'Rebooted', ...(recordedOnHost ? { recordedOnHost } : {}) } },
  });

describe('A node whose Node was deleted', () => {
  test.each<[string, object, Partial<Facts>, string]>([
    ['fails before its command', REBOOT, { ledger: reached('Drain') }, 'Drain: Failed NodeRemoved'],
    ['fails while its command runs', REBOOT, { ledger: ran('Run'), job: job('running') }, 'Run: Failed NodeRemoved'],
    [
      'fails after a command without a reboot',
      {},
      { ledger: ran('Run'), job: job('complete') },
      'Run: Failed NodeRemoved',
    ],
    ['is waited for after the reboot was requested', REBOOT, { ledger: asked() }, 'Reboot: wait Rebooting'],
    ['is waited for until rebootTimeoutSeconds', REBOOT, { ledger: asked({}, 1799) }, 'Reboot: wait Rebooting'],
    ['fails at rebootTimeoutSeconds', REBOOT, { ledger: asked({}, 1800) }, 'Reboot: Failed NodeRemoved'],
    ['is waited for after the reboot was seen', REBOOT, { ledger: verifying(1799, 700) }, 'Verify: wait Rebooting'],
    [
      'is waited for until verifyTimeoutSeconds when that is later',
      REBOOT,
      { ledger: verifying(1900, 599) },
      'Verify: wait Rebooting',
    ],
    ['fails after both deadlines', REBOOT, { ledger: verifying(1900, 600) }, 'Verify: Failed NodeRemoved'],
    [
      'is waited for when its command had succeeded',
      REBOOT,
      {
        ledger: ran('Run', {
          job: { name: 'job', uid: 'uid-job', succeededIn: 'boot-1' },
          stepTimes: { Succeeded: secondsAgo(9) },
        }),
        job: job('running'),
      },
      'Run: wait Rebooting',
    ],
    [
      'fails at once when its operation is abandoned',
      REBOOT,
      {
        ledger: asked(),
        nodeOp: nodeOp(REBOOT, {
          metadata: { deletionTimestamp: secondsAgo(1), annotations: { 'operator.kairos.io/abandon': 'true' } },
        }),
      },
      'Reboot: Failed Deleted',
    ],
  ])('%s', (_sentence, spec, seen, expected) => {
    const complete = completeJob(60);
    expect(outcomeOf(facts(spec, { job: complete, ...seen, node: undefined }))).toBe(expected);
  });

  test.each([
    [1799, 'Run: wait Rebooting'],
    [1800, 'Run: Failed NodeRemoved'],
  ])('%d s after its Job was seen to be complete: %s', (seconds, expected) => {
    const recorded = ran('Run');
    const seen = { ...recorded, stepTimes: { ...recorded.stepTimes, Succeeded: secondsAgo(seconds) } };
    expect(outcomeOf(facts(REBOOT, { ledger: seen, job: job('complete'), node: undefined }))).toBe(expected);
  });

  test('has the end of its Job recorded when that is seen, whatever the clock of the Job controller says', () => {
    const { result } = walk(facts(REBOOT, { ledger: ran('Run'), job: completeJob(86_400), node: undefined }));
    expect(result).toMatchObject({
      is: 'act',
      action: { do: 'record', change: { stepTimes: { Succeeded: NOW.toISOString() } } },
    });
  });

  test('says until when it is waited for, and asks for a pass at that time', () => {
    const until = secondsAgo(60 - 1800);
    expect(walk(facts(REBOOT, { ledger: asked(), node: undefined })).result).toEqual({
      is: 'wait',
      reason: 'Rebooting',
      message: `Node n1 was deleted while it was worked on; waiting until ${until} for its machine to register again`,
      until: new Date(until),
    });
  });
});

function completeJob(seconds: number) {
  const complete = job('complete');
  const conditions = [{ type: 'Complete', status: 'True', lastTransitionTime: secondsAgo(seconds) }];
  return { ...complete, status: { ...complete.status, conditions } };
}

describe('A Node that was registered anew', () => {
  test.each<[string, object, Partial<Facts>, string]>([
    ['replaces the node before its command', REBOOT, { ledger: reached('Drain') }, 'Drain: Failed NodeReplaced'],
    ['is accepted by its system UUID', REBOOT, {}, 'Reboot: record'],
    ['is accepted after the deadline as well', REBOOT, { ledger: asked({}, 9000) }, 'Reboot: record'],
    [
      'is accepted by its boot id when the machine never went down',
      REBOOT,
      { node: renewed({ bootId: 'boot-1', systemUUID: OTHER }) },
      'Reboot: record',
    ],
    [
      'is of another machine by its system UUID',
      REBOOT,
      { node: renewed({ systemUUID: OTHER }), agent: answered(true) },
      'Reboot: Failed NodeReplaced',
    ],
    [
      'is of an unknown machine when others have the same system UUID',
      REBOOT,
      { isSystemUUIDShared: true },
      'Reboot: wait Rebooting',
    ],
    [
      'is of an unknown machine without a system UUID',
      REBOOT,
      { node: renewed({ systemUUID: '' }) },
      'Reboot: wait Rebooting',
    ],
    [
      'is accepted by the journal on its disk',
      REBOOT,
      { isSystemUUIDShared: true, agent: answered(true) },
      'Reboot: record',
    ],
    [
      'is of another machine when nothing is on its disk',
      REBOOT,
      { isSystemUUIDShared: true, agent: answered() },
      'Reboot: Failed NodeReplaced',
    ],
    [
      'is not accepted by an answer from another boot',
      REBOOT,
      { isSystemUUIDShared: true, agent: answered(true, 'boot-0') },
      'Reboot: wait Rebooting',
    ],
    [
      'is of another machine when it is still unknown at the deadline',
      REBOOT,
      { isSystemUUIDShared: true, ledger: asked({}, 1800) },
      'Reboot: Failed NodeReplaced',
    ],
    ['is cordoned again before it is accepted', CORDON, { ledger: asked({ cordoned: true }) }, 'Reboot: cordon'],
    [
      'is cordoned again until the deadline when a policy refuses that',
      CORDON,
      { ledger: asked({ cordoned: true }, 1799), writeRefusal: 'not here' },
      'Reboot: cordon',
    ],
    [
      'is accepted at the deadline when a policy refuses its cordon',
      CORDON,
      { ledger: asked({ cordoned: true }, 1800), writeRefusal: 'not here' },
      'Reboot: record',
    ],
    [
      'is accepted when it is cordoned again',
      CORDON,
      { ledger: asked({ cordoned: true }), node: renewed({ cordoned: true, mark: MARK }) },
      'Reboot: record',
    ],
    [
      'is accepted with the cordon of a user',
      CORDON,
      { ledger: asked({ cordoned: true }), node: renewed({ cordoned: true }) },
      'Reboot: record',
    ],
  ])('%s', (_sentence, spec, seen, expected) => {
    expect(outcomeOf(facts(spec, { ledger: asked(), node: renewed(), ...seen }))).toBe(expected);
  });

  test('is recorded as cordoned before it is cordoned, where a user had cordoned the old one', () => {
    expect(walk(facts(CORDON, { ledger: asked(), node: renewed() })).result).toMatchObject({
      action: { do: 'record', change: { cordoned: true } },
    });
  });

  test('starts the verification again', () => {
    const at = { ...verifying(900, 500), readySince: secondsAgo(100) };
    expect(walk(facts(REBOOT, { ledger: at, node: renewed() })).result).toMatchObject({
      action: {
        do: 'record',
        change: { nodeUid: 'new', readySince: null, stepTimes: { Reboot: secondsAgo(900), Verify: NOW.toISOString() } },
      },
    });
  });

  test('does not matter to a node that has its result', () => {
    const result = { phase: 'Completed', message: 'well', at: secondsAgo(1) } as const;
    expect(outcomeOf(facts(REBOOT, { ledger: asked({ result }), node: renewed() }))).toBe('Release: wait Progressing');
  });
});

describe('A node that has lost its Node and its NodeAgent', () => {
  const before: NodeStatus = {
    phase: 'Running',
    step: 'Reboot',
    nodeUid: 'uid-n1',
    systemUUID: UUID,
    jobUid: 'uid-job',
    startedAt: secondsAgo(900),
    stepTimes: { Claim: secondsAgo(900), Run: secondsAgo(800), Reboot: secondsAgo(60) },
  };
  const lost = (entry: NodeStatus = before, observed: Partial<Facts> = {}): Facts =>
    facts(REBOOT, {
      ledger: undefined,
      agent: undefined,
      node: undefined,
      nodeOp: nodeOp(REBOOT, { status: { nodeStatuses: { n1: entry } } }),
      ...observed,
    });
  const entryFor = (seen: Facts, entry = before) => nodeStatus({ facts: seen, walk: walk(seen), before: entry });

  test('is waited for in its slot', () => {
    const seen = lost();
    expect(entryFor(seen)).toMatchObject({
      phase: 'Running',
      reason: 'Rebooting',
      message: expect.stringContaining('until'),
    });
    expect(rolloutStateOf({ facts: seen, walk: walk(seen), before })).toBe('active');
  });

  test.each<[string, NodeStatus, object]>([
    [
      'fails at rebootTimeoutSeconds',
      { ...before, stepTimes: { ...before.stepTimes, Reboot: secondsAgo(1800) } },
      { phase: 'Failed', reason: 'NodeRemoved' },
    ],
    [
      'fails when the status has no times to compute the end of the wait from',
      { ...before, stepTimes: undefined },
      { phase: 'Failed', reason: 'NodeRemoved' },
    ],
    [
      'keeps the result that it was ending with',
      { ...before, ending: 'Completed', reason: 'Done' },
      { phase: 'Completed', reason: 'Done' },
    ],
  ])('%s', (_sentence, entry, expected) => {
    expect(entryFor(lost(entry), entry)).toMatchObject({ ...expected, completedAt: NOW.toISOString() });
  });

  test('is claimed with the Node and the machine of the status when both are back', () => {
    const { result } = walk(lost(before, { node: renewed(), agent: nodeAgent() }));
    expect(result).toMatchObject({
      action: { do: 'claim', ledger: { nodeUid: 'uid-n1', systemUUID: UUID, step: 'Reboot', reboot: {} } },
    });
  });
});
