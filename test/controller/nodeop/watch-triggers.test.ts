import { describe, expect, test } from '@jest/globals';
import type { NodeOp } from '../../../api/objects.js';
import { enqueueOnChanges, enqueueOnRoom } from '../../../controller/nodeop/watch-triggers.js';
import type { Stored } from '../../../kube/kube.js';
import { emptyCaches } from '../../fakes/caches.js';
import { job, ledger, node, nodeAgent, op, pod, reached, type NodeTraits, type PodTraits } from '../../builders.js';

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

/** Keys that a change enqueues in a cluster where `op` has claimed n1, `open` waits and `done` is finished. */
function enqueued(change: (caches: AllCaches) => void): string[] {
  const caches = emptyCaches();
  caches.nodeOps.applyEvent('ADDED', next(op()));
  caches.nodeOps.applyEvent('ADDED', next(another('open')));
  caches.nodeOps.applyEvent('ADDED', next(another('done', 'Completed')));
  caches.nodes.applyEvent('ADDED', next(node('n1')));
  caches.nodes.applyEvent('ADDED', next(node('n2')));
  caches.nodeAgents.applyEvent('ADDED', next(nodeAgent({}, ledger())));
  caches.pods.applyEvent('ADDED', next(pod('web')));
  const keys = new Set<string>();
  let isStarted = false;
  enqueueOnChanges(caches, key => {
    if (isStarted) keys.add(key);
  });
  isStarted = true;
  change(caches);
  return [...keys].toSorted();
}

const etcd = (ready: boolean) => {
  const mirror = pod('etcd-n9', { ready, annotations: { 'kubernetes.io/config.mirror': 'hash' } });
  return { ...mirror, spec: { nodeName: 'n9' } };
};

const nodeBecomes = (traits: NodeTraits) => (caches: AllCaches) =>
  caches.nodes.applyEvent('MODIFIED', next(node('n1', traits)));

describe('enqueueOnChanges', () => {
  const CLAIMANT = 'default/op';
  const OPEN = 'default/open';
  test.each<[string, (caches: AllCaches) => void, string[]]>([
    [
      'enqueues the NodeOp of a Job whose annotations were stripped',
      c => {
        const owner = { apiVersion: 'operator.kairos.io/v1alpha1', kind: 'NodeOp', name: 'op', uid: 'uid-op' };
        const metadata = { ...job('complete').metadata, labels: OURS.labels, ownerReferences: [owner] };
        c.jobs.applyEvent('ADDED', next({ ...job('complete'), metadata }));
      },
      [CLAIMANT],
    ],
    [
      'enqueues the claimant when DaemonSets may want the verified node no longer',
      c => {
        c.nodeAgents.put(next(nodeAgent({}, reached('Verify'))));
        nodeBecomes({ labels: { driver: 'new' } })(c);
      },
      [CLAIMANT],
    ],
    [
      'enqueues the operations that may wait for a static pod when its readiness changes',
      c => {
        c.pods.applyEvent('ADDED', next(etcd(false)));
        c.pods.applyEvent('MODIFIED', next(etcd(true)));
      },
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues no waiting operation when the readiness of a static pod stays',
      c => {
        c.pods.applyEvent('ADDED', next(etcd(false)));
        c.pods.applyEvent('MODIFIED', next(etcd(false)));
      },
      [],
    ],
    ['enqueues a NodeOp that changed', c => c.nodeOps.applyEvent('MODIFIED', next(another('done'))), ['default/done']],
    [
      'enqueues nothing when a NodeOp is deleted',
      c => c.nodeOps.applyEvent('DELETED', next(another('done', 'Completed'))),
      [],
    ],
    [
      'enqueues the claimant when its agent answers',
      c => c.nodeAgents.applyEvent('MODIFIED', next(nodeAgent({ contract: 1 }, ledger()))),
      [CLAIMANT],
    ],
    [
      'enqueues the operations that may wait for an unfinished one when that one is deleted',
      c => c.nodeOps.applyEvent('DELETED', next(another('open'))),
      [CLAIMANT],
    ],
    [
      'enqueues the operations that may wait for an unfinished one when that one has finished a node',
      c =>
        c.nodeOps.applyEvent('MODIFIED', next({ ...another('open'), status: { nodes: { completed: 1 } } } as NodeOp)),
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues every unfinished operation when a node is released',
      c => c.nodeAgents.applyEvent('MODIFIED', next(nodeAgent())),
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues every unfinished operation when a NodeAgent is created',
      c =>
        c.nodeAgents.applyEvent(
          'ADDED',
          next({ ...nodeAgent(), metadata: { ...nodeAgent().metadata, name: 'n2', uid: 'n2' } }),
        ),
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues both operations when another one claims the node',
      c =>
        c.nodeAgents.applyEvent(
          'MODIFIED',
          next(nodeAgent({}, ledger({ nodeOp: { namespace: 'default', name: 'open', uid: 'uid-open' } }))),
        ),
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues the owner of a Job',
      c => c.jobs.applyEvent('ADDED', next({ ...job('running'), metadata: { ...job('running').metadata, ...OURS } })),
      [CLAIMANT],
    ],
    ['enqueues nothing for a foreign Job', c => c.jobs.applyEvent('ADDED', next(job('running'))), []],
    [
      'enqueues the claimant when a pod is bound to its node',
      c => c.pods.applyEvent('ADDED', next(pod('new'))),
      [CLAIMANT],
    ],
    [
      'enqueues the claimant when a pod of its node is deleted',
      c => c.pods.applyEvent('DELETED', next(pod('web'))),
      [CLAIMANT],
    ],
    [
      'enqueues nothing when a pod is bound to an unclaimed node',
      c => c.pods.applyEvent('ADDED', next({ ...pod('new'), spec: { nodeName: 'n2' } })),
      [],
    ],
    [
      'enqueues the owner of a preflight Pod that is not bound yet',
      c => c.pods.applyEvent('ADDED', next({ ...pod('pre'), metadata: { ...pod('pre').metadata, ...OURS }, spec: {} })),
      [CLAIMANT],
    ],
    ['enqueues nothing for a heartbeat of a node', nodeBecomes({}), []],
    ['enqueues nothing for a label of a node', nodeBecomes({ labels: { zone: 'a' } }), []],
    [
      'enqueues claimant and unfinished operations when a node is not Ready',
      nodeBecomes({ ready: false }),
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues claimant and unfinished operations when a node has rebooted',
      nodeBecomes({ bootId: 'boot-2' }),
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues claimant and unfinished operations when a node is cordoned',
      nodeBecomes({ cordoned: true }),
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues claimant and unfinished operations when a cordon mark changes',
      nodeBecomes({ mark: 'x/y@z' }),
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues claimant and unfinished operations when a node is replaced',
      nodeBecomes({ uid: 'new' }),
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues claimant and unfinished operations when a node is deleted',
      c => c.nodes.applyEvent('DELETED', next(node('n1'))),
      [CLAIMANT, OPEN],
    ],
    [
      'enqueues every unfinished operation when a node joins',
      c => c.nodes.applyEvent('ADDED', next(node('n3'))),
      [CLAIMANT, OPEN],
    ],
  ])('%s', (_sentence, change, keys) => expect(enqueued(change)).toEqual(keys));

  test('enqueues every NodeOp at the start', () => {
    const caches = emptyCaches();
    caches.nodeOps.applyEvent('ADDED', next(op()));
    caches.nodeOps.applyEvent('ADDED', next(another('done', 'Completed')));
    const keys: string[] = [];
    enqueueOnChanges(caches, key => keys.push(key));
    expect(keys).toEqual(['default/op', 'default/done']);
  });
});

describe('enqueueOnRoom', () => {
  test.each<[string, (caches: AllCaches) => void, string, string[]]>([
    ['a Pod is deleted', c => c.pods.applyEvent('DELETED', next(pod('web'))), 'default', ['default/op']],
    [
      'a Pod has succeeded',
      c => c.pods.applyEvent('MODIFIED', next(pod('web', { phase: 'Succeeded' }))),
      'default',
      ['default/op'],
    ],
    ['a Job is deleted', c => c.jobs.applyEvent('DELETED', next(job('complete'))), 'default', ['default/op']],
    ['a Pod changes and does not end', c => c.pods.applyEvent('MODIFIED', next(pod('web'))), 'default', []],
    ['nothing is awaited in its namespace', c => c.pods.applyEvent('DELETED', next(pod('web'))), 'infra', []],
  ])('enqueues the unfinished operations of the namespace in which %s', (_title, change, awaited, expected) => {
    const caches = emptyCaches();
    caches.nodeOps.applyEvent('ADDED', next(op()));
    caches.nodeOps.applyEvent('ADDED', next(another('done', 'Completed')));
    caches.pods.applyEvent('ADDED', next(pod('web')));
    caches.jobs.applyEvent('ADDED', next(job('complete')));
    const keys: string[] = [];
    enqueueOnRoom(
      caches,
      key => keys.push(key),
      namespace => namespace === awaited,
    );
    change(caches);
    expect(keys).toEqual(expected);
  });
});

describe('the Pod of a command', () => {
  const owner = { kind: 'Job', apiVersion: 'batch/v1', uid: 'uid-job' };
  const labels = { ...OURS.labels, 'kairos.io/nodeop': 'op' };
  const command = (exitCode: number) => [{ name: 'nodeop', state: { terminated: { exitCode } } }];
  const waiting = [{ name: 'sentinel-creator', state: { waiting: { reason: 'PodInitializing' } } }];
  test.each<[string, PodTraits, number]>([
    ['gets time for its phase when its last container has ended', { containers: command(0) }, 1_000],
    [
      'gets time for its phase when its init container has failed',
      { initContainers: command(1), containers: waiting },
      1_000,
    ],
    ['is seen at once when another container follows', { initContainers: command(0), containers: waiting }, 10],
    ['is seen at once when its phase is reported', { containers: command(0), phase: 'Succeeded' }, 10],
  ])('%s', (_title, traits, afterMs) => {
    const caches = emptyCaches();
    caches.nodeAgents.applyEvent('ADDED', next(nodeAgent({}, ledger())));
    const delays = new Set<number | undefined>();
    enqueueOnChanges(caches, (_key, ms) => delays.add(ms));
    caches.pods.applyEvent('ADDED', next(pod('job-x', { ...OURS, owner, labels, ...traits })));
    expect([...delays]).toEqual([afterMs]);
  });
});
