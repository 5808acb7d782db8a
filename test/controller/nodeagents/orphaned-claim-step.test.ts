import { describe, expect, test } from '@jest/globals';
import type { Operation } from '../../../api/node-agent.js';
import type { NodeAgent } from '../../../api/objects.js';
import { orphanedClaimStep } from '../../../controller/nodeagents/orphaned-claim-step.js';
import type { CachedNode } from '../../../controller/cluster/node.js';
import type { CachedPod } from '../../../controller/cluster/pod.js';
import { ledger, node, nodeAgent, pod, secondsAgo } from '../../builders.js';

interface Situation {
  operation?: Operation;
  answer?: NonNullable<NodeAgent['status']>['operation'];
  node?: CachedNode;
  pods?: readonly CachedPod[];
}

const stepIn = ({ operation = ledger(), answer = { id: 'uid-op-1' }, node: its, pods = [] }: Situation) =>
  orphanedClaimStep(nodeAgent({ operation: answer }, operation), its, pods);

const reboot = { jobName: 'job', notAfter: secondsAgo(-900) };
const withdrawn = ledger({ rebootWithdrawn: true });
const MARKED = node('n1', { cordoned: true, mark: 'default/op@uid-op' });
const COMMAND = pod('job-x', { labels: { 'operator.kairos.io/nodeop-uid': 'uid-op' } });

describe('A claim whose NodeOp is deleted', () => {
  test.each<[string, Situation, string]>([
    ['is released where nothing is left to undo', { node: node() }, 'release'],
    ['has its reboot request withdrawn first', { operation: ledger({ reboot }), node: MARKED }, 'withdraw'],
    ['waits until the agent confirms the withdrawal', { operation: withdrawn, node: MARKED }, 'wait'],
    [
      'waits when the agent has confirmed another attempt only',
      { operation: withdrawn, node: MARKED, answer: { id: 'uid-op-0', reboot: { state: 'Cancelled' } } },
      'wait',
    ],
    [
      'continues when the agent has confirmed it',
      { operation: withdrawn, node: MARKED, answer: { id: 'uid-op-1', reboot: { state: 'Cancelled' } } },
      'uncordon',
    ],
    ['waits for no agent of a node that was removed', { operation: withdrawn }, 'release'],
    [
      'waits for no agent of a node that was replaced',
      { operation: withdrawn, node: node('n1', { uid: 'new' }) },
      'release',
    ],
    ['waits while the command runs on a Ready node', { node: MARKED, pods: [COMMAND] }, 'wait'],
    ['uncordons the node that it cordoned', { node: MARKED }, 'uncordon'],
    ['keeps the cordon of another operation', { node: node('n1', { cordoned: true, mark: 'default/b@b' }) }, 'release'],
  ])('%s', (_sentence, situation, expected) => expect(stepIn(situation)).toBe(expected));
});
