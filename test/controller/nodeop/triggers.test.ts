import { describe, expect, test } from '@jest/globals';
import type { NodeOp } from '../../../api/objects.js';
import { enqueueOnChanges } from '../../../controller/nodeop/triggers.js';
import type { Stored } from '../../../kube/kube.js';
import { emptyCaches } from '../../fakes/caches.js';
import { job, ledger, node, nodeAgent, op, pod, type NodeTraits } from '../../builders.js';

type AllCaches = ReturnType<typeof emptyCaches>;

let version = 10;
const next = <T extends Stored>(object: T): T => {
  version += 1;
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
};

const OURS = {
  annotations: { 'operator.kairos.io/nodeop-name': 'op' },
  labels: { 'operator.kairos.io/nodeop-uid': 'uid-op' },
};
const another = (name: string, phase?: 'Completed'): NodeOp =>
  op({}, { metadata: { name, uid: `uid-${name}` }, status: phase && { phase } });

/** Keys that are looked at when `change` happens in a cluster where `op` holds n1, `open` waits and `over` is finished. */
function enqueued(change: (caches: AllCaches) => void): string[] {
  const caches = emptyCaches();
  caches.nodeOps.applyEvent('ADDED', next(op()));
  caches.nodeOps.applyEvent('ADDED', next(another('open')));
  caches.nodeOps.applyEvent('ADDED', next(another('over', 'Completed')));
  caches.nodes.applyEvent('ADDED', next(node('n1')));
  caches.nodes.applyEvent('ADDED', next(node('n2')));
  caches.nodeAgents.applyEvent('ADDED', next(nodeAgent({}, ledger())));
  caches.pods.applyEvent('ADDED', next(pod('web')));
  const keys = new Set<string>();
  let begun = false;
  enqueueOnChanges(caches, key => begun && keys.add(key));
  begun = true;
  change(caches);
  return [...keys].toSorted();
}

const nodeBecomes = (traits: NodeTraits) => (caches: AllCaches) =>
  caches.nodes.applyEvent('MODIFIED', next(node('n1', traits)));

describe('Looked at is', () => {
  const HOLDER = 'default/op';
  const OPEN = 'default/open';
  test.each<[string, (caches: AllCaches) => void, string[]]>([
    ['a NodeOp that changed', c => c.nodeOps.applyEvent('MODIFIED', next(another('over'))), ['default/over']],
    ['nobody, when a NodeOp is gone', c => c.nodeOps.applyEvent('DELETED', next(another('over', 'Completed'))), []],
    [
      'the holder, when its agent answers',
      c => c.nodeAgents.applyEvent('MODIFIED', next(nodeAgent({ contract: 1 }, ledger()))),
      [HOLDER],
    ],
    [
      'every open operation, when a node is let go',
      c => c.nodeAgents.applyEvent('MODIFIED', next(nodeAgent())),
      [HOLDER, OPEN],
    ],
    [
      'every open operation, when a node has got its NodeAgent',
      c =>
        c.nodeAgents.applyEvent(
          'ADDED',
          next({ ...nodeAgent(), metadata: { ...nodeAgent().metadata, name: 'n2', uid: 'n2' } }),
        ),
      [HOLDER, OPEN],
    ],
    [
      'both holders, when a node changes hands',
      c =>
        c.nodeAgents.applyEvent(
          'MODIFIED',
          next(nodeAgent({}, ledger({ nodeOp: { namespace: 'default', name: 'open', uid: 'uid-open' } }))),
        ),
      [HOLDER, OPEN],
    ],
    [
      'the owner of a Job',
      c => c.jobs.applyEvent('ADDED', next({ ...job('running'), metadata: { ...job('running').metadata, ...OURS } })),
      [HOLDER],
    ],
    ['nobody for a Job that is not ours', c => c.jobs.applyEvent('ADDED', next(job('running'))), []],
    ['the holder, when a pod comes to its node', c => c.pods.applyEvent('ADDED', next(pod('new'))), [HOLDER]],
    ['the holder, when a pod leaves its node', c => c.pods.applyEvent('DELETED', next(pod('web'))), [HOLDER]],
    [
      'nobody, when a pod comes to a free node',
      c => c.pods.applyEvent('ADDED', next({ ...pod('new'), spec: { nodeName: 'n2' } })),
      [],
    ],
    [
      'the owner of a preflight Pod, wherever it is',
      c => c.pods.applyEvent('ADDED', next({ ...pod('pre'), metadata: { ...pod('pre').metadata, ...OURS }, spec: {} })),
      [HOLDER],
    ],
    ['nobody for a heartbeat', nodeBecomes({}), []],
    ['nobody for a label', nodeBecomes({ labels: { zone: 'a' } }), []],
    ['holder and waiting, when a node is not Ready', nodeBecomes({ ready: false }), [HOLDER, OPEN]],
    ['holder and waiting, when a node has rebooted', nodeBecomes({ bootId: 'boot-2' }), [HOLDER, OPEN]],
    ['holder and waiting, when a node is cordoned', nodeBecomes({ cordoned: true }), [HOLDER, OPEN]],
    ['holder and waiting, when the mark of a cordon changes', nodeBecomes({ mark: 'x/y@z' }), [HOLDER, OPEN]],
    ['holder and waiting, when another node has the name', nodeBecomes({ uid: 'new' }), [HOLDER, OPEN]],
    ['holder and waiting, when a node is gone', c => c.nodes.applyEvent('DELETED', next(node('n1'))), [HOLDER, OPEN]],
    ['every open operation, when a node joins', c => c.nodes.applyEvent('ADDED', next(node('n3'))), [HOLDER, OPEN]],
  ])('%s', (_sentence, change, keys) => expect(enqueued(change)).toEqual(keys));

  test('every NodeOp at the beginning', () => {
    const caches = emptyCaches();
    caches.nodeOps.applyEvent('ADDED', next(op()));
    caches.nodeOps.applyEvent('ADDED', next(another('over', 'Completed')));
    const keys: string[] = [];
    enqueueOnChanges(caches, key => keys.push(key));
    expect(keys).toEqual(['default/op', 'default/over']);
  });
});
