import { describe, expect, test } from '@jest/globals';
import type { NodeStatus } from '../../../api/node-status.js';
import type { NodeFacts } from '../../../controller/legacy/facts.js';
import { UNKNOWN_EARLIER_BOOT } from '../../../controller/cluster/adopted-job.js';
import { decideNode } from '../../../controller/legacy/decide-node.js';
import { REBOOT_STATE } from '../../../controller/legacy/names.js';
import { ADOPTED_IN_BOOT, ADOPTED_COMPLETE } from '../../../controller/cluster/adopted-job.js';
import type { CachedJob } from '../../../controller/cluster/job.js';
import { job, node, nodeAgent, NOW, pod, secondsAgo, nodeOp } from '../../builders.js';

const REBOOTS = { rebootOnSuccess: true };
const WAITS = pod('reboot', { labels: { 'kairos.io/reboot': 'true' } });
const LEAVES = pod('reboot', { terminating: 1 });
const CALLED = pod('reboot', { annotations: { [REBOOT_STATE]: 'completed' } });
const SERVED = pod('reboot', { annotations: { [REBOOT_STATE]: 'completed' }, phase: 'Succeeded' });
const LOOKS = pod('preflight', { labels: { 'kairos.io/preflight': 'true' } });

const entry = (phase: NodeStatus['phase'], more: Partial<NodeStatus> = {}): NodeStatus => ({ phase, ...more });
const PENDING_REBOOT = entry('Completed', { rebootStatus: 'pending', jobName: 'job' });

/** Taken over already as it was, in this boot; "" where that said nothing. */
const ours = (state: Parameters<typeof job>[0], boot: string, endedAgo = 60): CachedJob => {
  const seen = job(state);
  const conditions = seen.status?.conditions?.map(each => ({ ...each, lastTransitionTime: secondsAgo(endedAgo) }));
  const annotations = { [ADOPTED_IN_BOOT]: boot, [ADOPTED_COMPLETE]: String(state === 'complete') };
  return { ...seen, metadata: { ...seen.metadata, annotations }, status: { ...seen.status, conditions } };
};

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
const longAgo = { leadingSince: new Date(secondsAgo(3600)) };

/** In a word or two. */
function said(seen: NodeFacts): string {
  const verdict = decideNode(seen);
  switch (verdict.is) {
    case 'act':
      return verdict.action.do === 'adoptJob' ? `adopt in "${verdict.action.boot}"` : verdict.action.do;
    case 'finished':
      return `${verdict.entry.phase} ${verdict.entry.reason ?? 'as told'}`;
    case 'continue':
      return `take up, booted as ${verdict.bootIdBefore}`;
    default:
      return verdict.is;
  }
}

describe('a node on which nothing was begun', () => {
  test.each([
    ['starts afresh', facts({}), 'notStarted'],
    ['starts afresh after a preflight that is gone', facts({ entry: entry('Preflight') }), 'notStarted'],
    [
      'starts when its preflight Pod is gone',
      facts({ entry: entry('Preflight'), preflightPods: [LOOKS] }),
      'deletePod',
    ],
    ['starts when a reboot Pod is gone', facts({ rebootPods: [WAITS] }), 'deletePod'],
    ['waits for a reboot Pod that is leaving', facts({ rebootPods: [LEAVES] }), 'wait'],
    ['may have left the cluster', facts({ node: undefined }), 'notStarted'],
  ])('%s', (_sentence, seen, expected) => expect(said(seen)).toBe(expected));
});

describe('a node that is over', () => {
  test.each([
    ['stays Completed', facts({ entry: entry('Completed', { rebootStatus: 'completed' }) }), 'Completed as told'],
    [
      'stays Failed',
      facts({ entry: entry('Failed', { rebootStatus: 'cancelled' }), job: job('failed') }),
      'Failed as told',
    ],
    ['stays Completed where no reboot is asked for', facts({ entry: PENDING_REBOOT }, {}), 'Completed as told'],
    ['has a reboot Pod that waits removed', facts({ entry: entry('Failed'), rebootPods: [WAITS] }), 'deletePod'],
    ['keeps one that has said its word', facts({ entry: entry('Failed'), rebootPods: [CALLED] }), 'Failed as told'],
  ])('%s', (_sentence, seen, expected) => expect(said(seen)).toBe(expected));
});

describe('a Job that is there', () => {
  test.each([
    [
      'is marked first, with the boot while its reboot Pod waits',
      { job: job('complete'), rebootPods: [WAITS] },
      'adopt in "boot-1"',
    ],
    ['is marked with the boot while it runs', { job: job('running') }, 'adopt in "boot-1"'],
    ['is marked with no boot once a reboot may have been called', { job: job('complete') }, 'adopt in ""'],
    ['is marked with no boot when one was called', { job: job('complete'), rebootPods: [CALLED] }, 'adopt in ""'],
    [
      'is marked anew when its node was rebooted by others while the Pod waits',
      { job: ours('complete', 'boot-0'), rebootPods: [WAITS] },
      'adopt in "boot-1"',
    ],
    ['has its reboot Pod removed', { job: ours('complete', 'boot-1'), rebootPods: [WAITS] }, 'deletePod'],
    ['waits until that is gone', { job: ours('complete', 'boot-1'), rebootPods: [LEAVES] }, 'wait'],
    ['goes on when it is', { job: ours('complete', 'boot-1') }, 'take up, booted as boot-1'],
    ['goes on while it runs', { job: ours('running', 'boot-1') }, 'take up, booted as boot-1'],
    ['goes on when it failed', { job: ours('failed', '') }, 'take up, booted as boot-1'],
    ['goes on, rebooted meanwhile', { job: ours('complete', 'boot-0') }, 'take up, booted as boot-0'],
  ])('%s', (_sentence, seen, expected) => expect(said(facts({ entry: PENDING_REBOOT, ...seen }))).toBe(expected));

  test('goes on without a reboot where none is asked for', () =>
    expect(said(facts({ entry: entry('Running'), job: ours('complete', 'boot-1') }, {}))).toBe(
      'take up, booted as boot-1',
    ));
});

describe('a reboot that may have been called', () => {
  const recent = ours('complete', '', 60);
  test.each([
    [
      'has happened, for the machine is up for less',
      { agent: upFor(30) },
      `take up, booted as ${UNKNOWN_EARLIER_BOOT}`,
    ],
    [
      'has happened, though a stray Pod had waited: it marked the Job with the boot of now',
      { agent: upFor(30), job: ours('complete', 'boot-1') },
      `take up, booted as ${UNKNOWN_EARLIER_BOOT}`,
    ],
    ['has happened, and the Pod that called it has served', { agent: upFor(30), rebootPods: [CALLED] }, 'deletePod'],
    ['is waited for when it was called', { agent: upFor(600), rebootPods: [CALLED] }, 'wait'],
    ['is waited for when the Pod that called it has ended', { agent: upFor(600), rebootPods: [SERVED] }, 'wait'],
    ['is waited for while the agent has not spoken', { agent: undefined }, 'wait'],
    ['is waited for while the node is not Ready', { agent: upFor(30), node: node('n1', { ready: false }) }, 'wait'],
    [
      'is waited for while agent and kubelet differ',
      { agent: upFor(30), node: node('n1', { bootId: 'boot-2' }) },
      'wait',
    ],
    ['is unknown when nobody is left who called it', { agent: upFor(600) }, 'Failed Interrupted'],
  ])('%s', (_sentence, seen, expected) =>
    expect(said(facts({ entry: PENDING_REBOOT, job: recent, ...seen }))).toBe(expected),
  );

  const late = ours('complete', '', 7200);
  test.each([
    ['did not come', { agent: upFor(9000), rebootPods: [CALLED] }, 'Failed NotRebooted'],
    ['cannot be told of a silent node', { agent: undefined }, 'Failed Interrupted'],
  ])('%s, in the end', (_sentence, seen, expected) =>
    expect(said(facts({ entry: PENDING_REBOOT, job: late, ...longAgo, ...seen }))).toBe(expected),
  );
});

describe('what was begun and is gone', () => {
  test.each([
    ['a Job', facts({ entry: entry('Running', { jobName: 'job' }) }), 'Failed JobDeleted'],
    ['a Job that was complete', facts({ entry: PENDING_REBOOT }), 'Failed JobDeleted'],
    ['a node', facts({ entry: PENDING_REBOOT, job: job('complete'), node: undefined }), 'Failed NodeRemoved'],
  ])('%s', (_sentence, seen, expected) => expect(said(seen)).toBe(expected));

  test('a kubelet: its Pods are not waited for without end', () => {
    const left = { job: ours('complete', 'boot-1'), rebootPods: [pod('reboot', { terminating: 3600 })] };
    const down = node('n1', { ready: false });
    expect(said(facts({ entry: PENDING_REBOOT, node: down, ...left }))).toBe('take up, booted as boot-1');
    expect(said(facts({ entry: PENDING_REBOOT, ...left }))).toBe('wait');
  });
});
