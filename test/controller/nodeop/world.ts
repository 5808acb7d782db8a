/** A small cluster with nodes, their agents and a Job controller, and the NodeOp controller driven by hand over it. */
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import type { NodeAgent, NodeOp } from '../../../api/objects.js';
import { NodeOpController } from '../../../controller/nodeop/controller.js';
import type { CachedJob } from '../../../controller/cluster/job.js';
import type { CachedNode } from '../../../controller/cluster/node.js';
import type { Event } from '../../../kube/recorder.js';
import { JOBS, NODES } from '../../../kube/resources.js';
import { silentLog } from '../../../program/log.js';
import { type FakeClock, fakeClock } from '../../fakes/clock.js';
import { cachesFollowing } from '../../fakes/caches.js';
import { collectionOf, FakeKube } from '../../fakes/kube.js';
import { node, nodeAgent, op } from '../../builders.js';

const AT = { namespace: 'default', name: 'op' };

export interface World {
  kube: FakeKube;
  /** How Jobs on a node end; they go on running where nothing is said. */
  jobs: Record<string, 'Complete' | 'Failed' | undefined>;
  /** Every Event. */
  told: Event[];
  /** Passes until the operation is settled, each by a new controller when `reborn`. Answers how many there were. */
  run(options?: { reborn?: boolean; until?: () => boolean }): Promise<number>;
  op(): NodeOp;
  node(name: string): CachedNode | undefined;
  agents(): NodeAgent[];
  /** Names of all Jobs that were ever made. */
  jobsMade(): string[];
}

/** One life of the program, over what the cluster holds. */
function life(kube: FakeKube, clock: FakeClock, told: Event[]) {
  const { caches, stop } = cachesFollowing(kube);
  const deps = { kube, caches, clock, recorder: { record: (event: Event) => void told.push(event) }, log: silentLog };
  const around = { defaultImage: 'tool', sentinel: { image: 'agent', command: [] }, ownNamespace: 'operator-system' };
  const controller = new NodeOpController({ ...deps, ...around });
  /** A program that dies in its pass is as good as one that had no more to do. */
  const pass = async () => {
    try {
      return await controller.reconcile(AT);
    } catch (error) {
      if (error instanceof Killed) return undefined;
      throw error;
    }
  };
  return { pass, stop };
}

const runner =
  ({ kube, jobs, told }: Pick<World, 'kube' | 'jobs' | 'told'>): World['run'] =>
  async ({ reborn = false, until = () => false } = {}) => {
    const clock = fakeClock();
    let current = life(kube, clock, told);
    for (let passes = 1; passes < 200; passes += 1) {
      const outcome = await current.pass();
      if (outcome?.then === 'settled' || until()) {
        current.stop();
        return passes;
      }
      endJobs(kube, jobs);
      await clock.advance(1_000);
      if (reborn) {
        current.stop();
        current = life(kube, clock, told);
      }
    }
    throw new Error(`the operation does not come to an end: ${JSON.stringify(kube.all<NodeOp>(NODE_OP)[0]?.status)}`);
  };

export function world(spec: object, names: readonly string[] = ['n1', 'n2']): World {
  const kube = new FakeKube();
  for (const name of names) {
    kube.seed(NODES, node(name, { images: ['registry.example/tool:1'] }));
    kube.seed(NODE_AGENT, { ...nodeAgent(), metadata: { name, uid: `agent-${name}`, resourceVersion: '1' } });
  }
  kube.seed(NODE_OP, op(spec));
  const jobs: World['jobs'] = {};
  const told: Event[] = [];
  return {
    kube,
    jobs,
    told,
    run: runner({ kube, jobs, told }),
    op: () => kube.all<NodeOp>(NODE_OP)[0] ?? op(),
    node: name => kube.all<CachedNode>(NODES).find(each => each.metadata.name === name),
    agents: () => kube.all<NodeAgent>(NODE_AGENT),
    jobsMade: () =>
      kube.store
        .history(collectionOf(JOBS))
        .filter(({ type }) => type === 'ADDED')
        .map(({ object }) => object.metadata.name),
  };
}

/** The program was killed just after a write. */
export class Killed extends Error {}

/** Every write is the last act of its program. */
export function killAfterEachWrite({ kube }: World): void {
  kube.onWrite = () => () => {
    throw new Killed();
  };
}

/** What the Job controller and the kubelets make of Jobs that may run. */
function endJobs({ store }: FakeKube, ends: World['jobs']): void {
  const collection = collectionOf(JOBS);
  for (const object of store.all({ collection })) {
    const job: Partial<CachedJob> & { metadata: typeof object.metadata } = { ...object };
    const end = ends[String(job.metadata.labels?.['kairos.io/node'])];
    if (job.spec?.suspend === true || job.status?.conditions !== undefined || end === undefined) continue;
    const { name, namespace } = job.metadata;
    const body = { status: { conditions: [{ type: end, status: 'True', reason: 'Told' }] } };
    store.patch({ collection, name, namespace, subresource: 'status' }, body, 'application/merge-patch+json');
  }
}
