import { describe, expect, test } from '@jest/globals';
import type { Operation } from '../../../../api/node-agent.js';
import { observe, gatherSharedFacts } from '../../../../controller/nodeop/facts/observe.js';
import { ledger, node, nodeAgent, NOW, ran, reached, secondsAgo, nodeOp } from '../../../builders.js';
import { emptyCaches } from '../../../fakes/caches.js';

/** What control plane `mine` observes of control plane `other`, which another operation may have claimed. */
function activeOther(claim: Operation | undefined) {
  const caches = emptyCaches();
  for (const name of ['mine', 'other']) caches.nodes.put(node(name, { controlPlane: true }));
  const agent = nodeAgent({}, claim && { ...claim, nodeOp: { namespace: 'infra', name: 'theirs', uid: 'theirs' } });
  caches.nodeAgents.put({ ...agent, metadata: { ...agent.metadata, name: 'other' } });
  const evictions = { refusals: new Map(), isReplacement: () => false };
  const input = { refusedWrites: new Map(), defaultImage: 'tool', ownNamespace: 'operator-system', now: NOW };
  return observe(nodeOp({ cordon: true }), 'mine', gatherSharedFacts({ caches, evictions, ...input }))
    .otherControlPlanes.active;
}

const active = { node: 'other', operation: 'infra/theirs' };
const rebooting = ran('Reboot', { stepTimes: { Run: secondsAgo(9), Reboot: secondsAgo(1) } });

describe('Another control plane', () => {
  test.each<[string, Operation | undefined, typeof active | undefined]>([
    ['is not active when it is not claimed', undefined, undefined],
    ['is not active while it waits for its turn', reached('ControlPlane'), undefined],
    ['is active from its turn on', reached('ControlPlane', { controlPlane: true }), active],
    ['is active when it became a control plane after it was cordoned', reached('Cordon'), active],
    ['is active when it became a control plane before its reboot', rebooting, active],
    ['is not active when an earlier attempt left it cordoned', ledger({ cordoned: true }), undefined],
    ['is not active while it runs a command that disrupts nothing', ran('Run'), undefined],
  ])('%s', (_sentence, claim, expected) => expect(activeOther(claim)).toEqual(expected));
});
