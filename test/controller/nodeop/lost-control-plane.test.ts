/** A control plane whose Node was deleted during its reboot, or registered anew without its label, still counts as one. */
import { describe, expect, test } from '@jest/globals';
import type { Operation } from '../../../api/node-agent.js';
import type { NodeStatus } from '../../../api/node-status.js';
import { observe, gatherSharedFacts } from '../../../controller/nodeop/facts/observe.js';
import { truncated } from '../../../controller/nodeop/status/truncate.js';
import { node, nodeAgent, nodeOp, NOW, ran, secondsAgo } from '../../builders.js';
import { emptyCaches } from '../../fakes/caches.js';
import { claimedNodes, finishedNode, type NodeSetup, planFor, UPGRADE_OWNER, waitReasons } from './multi-node-plan.js';

const REBOOT = { rebootOnSuccess: true };
const CP = { controlPlane: true };
const RESULT = { phase: 'Failed', reason: 'NodeRemoved', message: '', at: NOW.toISOString() } as const;
const SHARED = {
  evictions: { refusals: new Map(), isReplacement: () => false },
  refusedWrites: new Map(),
  defaultImage: 'tool',
  ownNamespace: 'operator-system',
  now: NOW,
};
const TIMES = { ControlPlane: secondsAgo(900), Reboot: secondsAgo(60) };

const away = (more: Partial<Operation> = {}): NodeSetup => ({
  isAbsent: true,
  ledger: ran('Reboot', { controlPlane: true, stepTimes: TIMES, ...more }, 60),
});
const removed = (stepTimes: object = TIMES): NodeSetup => ({
  isAbsent: true,
  ...finishedNode('Failed', { reason: 'NodeRemoved', stepTimes: { ...stepTimes } }),
});

describe('The other nodes of its operation', () => {
  test.each<[string, Record<string, NodeSetup>, Record<string, string>]>([
    ['wait while it is away', { x: away(), y: CP, a: {} }, { y: 'WaitingForTurn', a: 'WaitingForControlPlanes' }],
    [
      'wait while it is away and its ledger is lost',
      {
        x: { isAbsent: true, before: { phase: 'Running', startedAt: secondsAgo(900), stepTimes: TIMES } },
        y: CP,
        a: {},
      },
      { y: 'WaitingForTurn', a: 'WaitingForControlPlanes' },
    ],
    [
      'wait while it is back without its label',
      { x: { ...away(), isAbsent: false }, y: CP, a: {} },
      { y: 'WaitingForTurn', a: 'WaitingForControlPlanes' },
    ],
    [
      'do not go down when it never came back',
      { x: removed(), y: CP, a: {} },
      { y: 'ControlPlaneNotReady', a: 'Stopped' },
    ],
    [
      'do not go down in the pass in which that is recorded',
      { x: away({ result: RESULT }), y: CP },
      { y: 'ControlPlaneNotReady' },
    ],
  ])('%s', (_sentence, setups, expected) => {
    const plan = planFor(REBOOT, setups, { metadata: UPGRADE_OWNER });
    expect(waitReasons(plan)).toEqual(expected);
    expect(claimedNodes(plan)).toEqual([]);
  });

  test.each<[string, NodeSetup]>([
    ['is back', { ...removed(), isAbsent: false, controlPlane: true }],
    ['was removed before its reboot', removed({ ControlPlane: secondsAgo(900) })],
  ])('go on when a failed one %s', (_sentence, x) => {
    expect(claimedNodes(planFor(REBOOT, { x, y: CP }))).toEqual(['y']);
  });
});

test('The entry of a failed control plane keeps among very many nodes by what it is known', () => {
  const entry: NodeStatus = { phase: 'Failed', reason: 'NodeRemoved', stepTimes: { Claim: secondsAgo(950), ...TIMES } };
  expect(truncated(entry, 'short').stepTimes).toEqual(TIMES);
  expect(truncated({ ...entry, stepTimes: { Reboot: TIMES.Reboot } }, 'short').stepTimes).toBeUndefined();
});

test.each([
  ['without a Node', undefined],
  ['without its label', node('other')],
])('The control planes of another operation see one %s', (_sentence, other) => {
  const caches = emptyCaches();
  caches.nodes.put(node('mine', CP));
  if (other) caches.nodes.put(other);
  const claim = {
    ...ran('Reboot', { controlPlane: true }),
    nodeOp: { namespace: 'infra', name: 'theirs', uid: 'theirs' },
  };
  const agent = nodeAgent({}, claim);
  caches.nodeAgents.put({ ...agent, metadata: { ...agent.metadata, name: 'other' } });
  const shared = gatherSharedFacts({ caches, ...SHARED });
  const { active, turnHolder } = observe(nodeOp({ cordon: true }), 'mine', shared).otherControlPlanes;
  expect(active).toEqual({ node: 'other', operation: 'infra/theirs' });
  expect(turnHolder).toEqual(active);
});

test.each([
  [[], false],
  [['n2'], true],
])('The system UUID of a node is shared with %j: %s', (others, isShared) => {
  const systemUUID = '1ad82a4c-2a18-11b2-a85c-82c3099c6263';
  const caches = emptyCaches();
  for (const name of ['n1', ...others]) caches.nodes.put(node(name, { systemUUID }));
  caches.nodeAgents.put(nodeAgent({}, ran('Reboot')));
  const shared = gatherSharedFacts({ caches, ...SHARED });
  expect(observe(nodeOp(REBOOT), 'n1', shared).isSystemUUIDShared).toBe(isShared);
});
