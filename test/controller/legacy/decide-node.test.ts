import { describe, expect, test } from '@jest/globals';
import type { NodeStatus } from '../../../api/node-status.js';
import type { NodeFacts } from '../../../controller/legacy/facts.js';
import { UNKNOWN_EARLIER_BOOT } from '../../../controller/cluster/adopted-job.js';
import { decideNode } from '../../../controller/legacy/decide-node.js';
import { REBOOT_STATE } from '../../../controller/legacy/names.js';
import { ADOPTED_AT, ADOPTED_IN_BOOT, ADOPTED_COMPLETE } from '../../../controller/cluster/adopted-job.js';
import type { CachedJob } from '../../../controller/cluster/job.js';
import { job, node, nodeAgent, NOW, pod, secondsAgo, nodeOp } from '../../builders.js';

const REBOOTS = { rebootOnSuccess: true };
const WAITING_POD = pod('reboot', { labels: { 'kairos.io/reboot': 'true' } });
const TERMINATING_POD = pod('reboot', { terminating: 1 });
const TRIGGERED_POD = pod('reboot', { annotations: { [REBOOT_STATE]: 'completed' } });
const FINISHED_POD = pod('reboot', { annotations: { [REBOOT_STATE]: 'completed' }, phase: 'Succeeded' });
const PREFLIGHT_POD = pod('preflight', { labels: { 'kairos.io/preflight': 'true' } });

const entry = (phase: NodeStatus['phase'], more: Partial<NodeStatus> = {}): NodeStatus => ({ phase, ...more });
const PENDING_REBOOT = entry('Completed', { rebootStatus: 'pending', jobName: 'job' });

interface Times {
  endedAgo?: number;
  adoptedAgo?: number;
  /** How far the clock of the kube-controller-manager is ahead. */
  managerAhead?: number;
}

/** A Job in this state that was adopted in this boot; "" if no boot could be confirmed. It took 100 s. */
function adopted(state: Parameters<typeof job>[0], boot: string, times: Times = {}): CachedJob {
  const { endedAgo = 60, adoptedAgo = 10, managerAhead = 0 } = times;
  const seen = job(state);
  const lastTransitionTime = secondsAgo(endedAgo - managerAhead);
  const conditions = seen.status?.conditions?.map(each => ({ ...each, lastTransitionTime }));
  const annotations = {
    [ADOPTED_IN_BOOT]: boot,
    [ADOPTED_COMPLETE]: String(state === 'complete'),
    [ADOPTED_AT]: secondsAgo(adoptedAgo),
  };
  return {
    ...seen,
    metadata: { ...seen.metadata, annotations, creationTimestamp: secondsAgo(endedAgo + 100) },
    status: { ...seen.status, startTime: secondsAgo(endedAgo + 100 - managerAhead), conditions },
  };
}

const facts = (seen: Partial<NodeFacts>, spec: object = REBOOTS): NodeFacts => ({
  name: 'n1',
  now: NOW,
  leadingSince: new Date(secondsAgo(10)),
  nodeOp: nodeOp(spec),
  node: node(),
  agent: nodeAgent(),
  rebootPods: [],
  preflightPods: [],
  jobs: seen.job ? [seen.job] : [],
  ...seen,
});

const upFor = (seconds: number) => nodeAgent({ boot: { id: 'boot-1', since: secondsAgo(seconds), state: 'active' } });

/** The verdict as a short text. */
function verdictText(seen: NodeFacts): string {
  const verdict = decideNode(seen);
  switch (verdict.is) {
    case 'act':
      return verdict.action.do === 'adoptJob' ? `adopt in "${verdict.action.boot}"` : verdict.action.do;
    case 'finished':
      return `${verdict.entry.phase} ${verdict.entry.reason ?? 'unchanged'}`;
    case 'continue':
      return `continue after boot ${verdict.bootIdBefore}`;
    default:
      return verdict.is;
  }
}

describe('a node on which nothing was started', () => {
  test.each([
    ['is not started', facts({}), 'notStarted'],
    ['is not started after a preflight whose Pod is deleted', facts({ entry: entry('Preflight') }), 'notStarted'],
    [
      'has a running preflight Pod deleted first',
      facts({ entry: entry('Preflight'), preflightPods: [PREFLIGHT_POD] }),
      'deletePod',
    ],
    ['has a waiting reboot Pod deleted first', facts({ rebootPods: [WAITING_POD] }), 'deletePod'],
    ['waits for a terminating reboot Pod', facts({ rebootPods: [TERMINATING_POD] }), 'wait'],
    ['is not started if it was removed from the cluster', facts({ node: undefined }), 'notStarted'],
  ])('%s', (_sentence, seen, expected) => expect(verdictText(seen)).toBe(expected));
});

describe('a node that the legacy operator has finished', () => {
  test.each([
    ['stays Completed', facts({ entry: entry('Completed', { rebootStatus: 'completed' }) }), 'Completed unchanged'],
    [
      'stays Failed',
      facts({ entry: entry('Failed', { rebootStatus: 'cancelled' }), job: job('failed') }),
      'Failed unchanged',
    ],
    [
      'stays Completed with a pending reboot if the spec requests none',
      facts({ entry: PENDING_REBOOT }, {}),
      'Completed unchanged',
    ],
    ['has a waiting reboot Pod deleted', facts({ entry: entry('Failed'), rebootPods: [WAITING_POD] }), 'deletePod'],
    [
      'keeps a reboot Pod that has triggered its reboot',
      facts({ entry: entry('Failed'), rebootPods: [TRIGGERED_POD] }),
      'Failed unchanged',
    ],
  ])('%s', (_sentence, seen, expected) => expect(verdictText(seen)).toBe(expected));
});

describe('a Job of the legacy operator', () => {
  test.each([
    [
      'is adopted first, with the boot id while its reboot Pod waits',
      { job: job('complete'), rebootPods: [WAITING_POD] },
      'adopt in "boot-1"',
    ],
    ['is adopted with the boot id while it runs', { job: job('running') }, 'adopt in "boot-1"'],
    ['is adopted without a boot id once a reboot may have been triggered', { job: job('complete') }, 'adopt in ""'],
    [
      'is adopted without a boot id when the reboot was triggered',
      { job: job('complete'), rebootPods: [TRIGGERED_POD] },
      'adopt in ""',
    ],
    [
      'is adopted again if its node was rebooted by someone else while the Pod waits',
      { job: adopted('complete', 'boot-0'), rebootPods: [WAITING_POD] },
      'adopt in "boot-1"',
    ],
    [
      'has its waiting reboot Pod deleted',
      { job: adopted('complete', 'boot-1'), rebootPods: [WAITING_POD] },
      'deletePod',
    ],
    [
      'waits until the reboot Pod is deleted',
      { job: adopted('complete', 'boot-1'), rebootPods: [TERMINATING_POD] },
      'wait',
    ],
    ['continues once the reboot Pod is deleted', { job: adopted('complete', 'boot-1') }, 'continue after boot boot-1'],
    ['continues while it runs', { job: adopted('running', 'boot-1') }, 'continue after boot boot-1'],
    ['continues after it failed', { job: adopted('failed', '') }, 'continue after boot boot-1'],
    [
      'continues with the earlier boot id after a reboot',
      { job: adopted('complete', 'boot-0') },
      'continue after boot boot-0',
    ],
  ])('%s', (_sentence, seen, expected) =>
    expect(verdictText(facts({ entry: PENDING_REBOOT, ...seen }))).toBe(expected),
  );

  test('continues without a reboot if the spec requests none', () =>
    expect(verdictText(facts({ entry: entry('Running'), job: adopted('complete', 'boot-1') }, {}))).toBe(
      'continue after boot boot-1',
    ));
});

describe('a reboot that may have been triggered', () => {
  const adoptedRecently = adopted('complete', '');
  const HOURS = 2 * 3600;
  test.each([
    [
      'has happened if the machine booted after the Job',
      { agent: upFor(30) },
      `continue after boot ${UNKNOWN_EARLIER_BOOT}`,
    ],
    [
      'has happened although the Job was adopted in the current boot because of a stray waiting Pod',
      { agent: upFor(30), job: adopted('complete', 'boot-1') },
      `continue after boot ${UNKNOWN_EARLIER_BOOT}`,
    ],
    [
      'has the Pod that triggered it deleted once it has happened',
      { agent: upFor(30), rebootPods: [TRIGGERED_POD] },
      'deletePod',
    ],
    ['is awaited once it was triggered', { agent: upFor(600), rebootPods: [TRIGGERED_POD] }, 'wait'],
    [
      'is awaited after the Pod that triggered it has finished',
      { agent: upFor(600), rebootPods: [FINISHED_POD] },
      'wait',
    ],
    ['is awaited while the agent has not reported', { agent: undefined }, 'wait'],
    ['is awaited while the node is not Ready', { agent: upFor(30), node: node('n1', { ready: false }) }, 'wait'],
    [
      'is awaited while agent and kubelet report different boots',
      { agent: upFor(30), node: node('n1', { bootId: 'boot-2' }) },
      'wait',
    ],
    ['is unknown if no Pod is left that triggered it', { agent: upFor(600) }, 'Failed Interrupted'],
    [
      'has happened, although the kube-controller-manager is hours ahead',
      { agent: upFor(30), job: adopted('complete', '', { managerAhead: HOURS }) },
      `continue after boot ${UNKNOWN_EARLIER_BOOT}`,
    ],
    [
      'has not happened, although the kube-controller-manager is hours behind',
      { agent: upFor(600), job: adopted('complete', '', { managerAhead: -HOURS }), rebootPods: [TRIGGERED_POD] },
      'wait',
    ],
  ])('%s', (_sentence, seen, expected) =>
    expect(verdictText(facts({ entry: PENDING_REBOOT, job: adoptedRecently, ...seen }))).toBe(expected),
  );

  const longAgo = { endedAgo: 7200, adoptedAgo: 3600 };
  const adoptedLongAgo = adopted('complete', '', longAgo);
  test.each([
    ['it was triggered and did not happen', { agent: upFor(9000), rebootPods: [TRIGGERED_POD] }, 'Failed NotRebooted'],
    ['the agent never reports', { agent: undefined }, 'Failed Interrupted'],
    [
      'the agent never reports, and the kube-controller-manager is hours ahead',
      { agent: undefined, job: adopted('complete', '', { ...longAgo, managerAhead: HOURS }) },
      'Failed Interrupted',
    ],
  ])('fails the node after rebootTimeoutSeconds if %s', (_sentence, seen, expected) =>
    expect(verdictText(facts({ entry: PENDING_REBOOT, job: adoptedLongAgo, ...seen }))).toBe(expected),
  );
});

test('a Job that completed a moment ago leaves the agent its time, even if the kube-controller-manager is hours behind', () => {
  const seen = adopted('complete', '', { adoptedAgo: 290, managerAhead: -7200 });
  expect(verdictText(facts({ entry: PENDING_REBOOT, job: seen, agent: undefined }))).toBe('wait');
});

describe('a node fails', () => {
  test.each([
    ['if its Job was deleted', facts({ entry: entry('Running', { jobName: 'job' }) }), 'Failed JobDeleted'],
    ['if its completed Job was deleted', facts({ entry: PENDING_REBOOT }), 'Failed JobDeleted'],
    [
      'if the node was removed',
      facts({ entry: PENDING_REBOOT, job: job('complete'), node: undefined }),
      'Failed NodeRemoved',
    ],
  ])('%s', (_sentence, seen, expected) => expect(verdictText(seen)).toBe(expected));

  test('a terminating reboot Pod is awaited for at most ten minutes', () => {
    const objects = { job: adopted('complete', 'boot-1'), rebootPods: [pod('reboot', { terminating: 600 })] };
    expect(verdictText(facts({ entry: PENDING_REBOOT, ...objects }))).toBe('continue after boot boot-1');
  });

  test('a terminating reboot Pod is awaited only while its node is Ready', () => {
    const objects = { job: adopted('complete', 'boot-1'), rebootPods: [pod('reboot', { terminating: 599 })] };
    const down = node('n1', { ready: false });
    expect(verdictText(facts({ entry: PENDING_REBOOT, node: down, ...objects }))).toBe('continue after boot boot-1');
    expect(verdictText(facts({ entry: PENDING_REBOOT, ...objects }))).toBe('wait');
  });
});
