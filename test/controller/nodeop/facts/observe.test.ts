import { describe, expect, test } from '@jest/globals';
import type { Operation } from '../../../../api/node-agent.js';
import { observe, gatherSharedFacts } from '../../../../controller/nodeop/facts/observe.js';
import { ledger, node, nodeAgent, NOW, ran, reached, secondsAgo, nodeOp } from '../../../builders.js';
import { emptyCaches } from '../../../fakes/caches.js';

/** What control plane `mine` is told of control plane `other`, which another operation holds. */
function toldOf(held: Operation | undefined) {
  const caches = emptyCaches();
  for (const name of ['mine', 'other']) caches.nodes.put(node(name, { controlPlane: true }));
  const agent = nodeAgent({}, held && { ...held, nodeOp: { namespace: 'infra', name: 'theirs', uid: 'theirs' } });
  caches.nodeAgents.put({ ...agent, metadata: { ...agent.metadata, name: 'other' } });
  const evictions = { refusals: new Map(), isReplacement: () => false };
  const around = { refusedWrites: new Map(), defaultImage: 'tool', ownNamespace: 'operator-system', now: NOW };
  return observe(nodeOp({ cordon: true }), 'mine', gatherSharedFacts({ caches, evictions, ...around }))
    .otherControlPlanes.active;
}

const worked = { node: 'other', operation: 'infra/theirs' };
const reboots = ran('Reboot', { stepTimes: { Run: secondsAgo(9), Reboot: secondsAgo(1) } });

describe('Another control plane', () => {
  test.each<[string, Operation | undefined, typeof worked | undefined]>([
    ['is at rest when nobody holds it', undefined, undefined],
    ['is at rest while it waits for its turn', reached('ControlPlane'), undefined],
    ['is worked on from its turn on', reached('ControlPlane', { controlPlane: true }), worked],
    ['is worked on, too, when it became one after it was cordoned', reached('Cordon'), worked],
    ['is worked on, too, when it became one before its reboot', reboots, worked],
    ['is at rest when an earlier attempt left it cordoned', ledger({ cordoned: true }), undefined],
    ['is at rest while a command runs that disturbs nothing', ran('Run'), undefined],
  ])('%s', (_sentence, held, expected) => expect(toldOf(held)).toEqual(expected));
});
