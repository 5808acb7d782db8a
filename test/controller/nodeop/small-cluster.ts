/** A cluster of a few nodes with agents and a simulated Job controller, and the NodeOp controller, which runs one pass per second. */
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import type { NodeAgent, NodeOp } from '../../../api/objects.js';
import { NodeOpController } from '../../../controller/nodeop/controller.js';
import { jobFinalizerController } from '../../../controller/nodeop/job-finalizer.js';
import type { CachedJob } from '../../../controller/cluster/job.js';
import type { CachedNode } from '../../../controller/cluster/node.js';
import type { Event } from '../../../kube/event-recorder.js';
import { JOBS, NODES } from '../../../kube/resources.js';
import { silentLog } from '../../../program/log.js';
import { type FakeClock, fakeClock } from '../../fakes/clock.js';
import { cachesFollowing } from '../../fakes/caches.js';
import { collectionOf, FakeKube } from '../../fakes/kube.js';
import { node, nodeAgent, op } from '../../builders.js';

const OPERATION = { namespace: 'default', name: 'op' };

export interface SmallCluster {
  kube: FakeKube;
  /** How the Job of each node ends; a Job without a result keeps running. */
  jobResults: Record<string, 'Complete' | 'Failed' | undefined>;
  /** Every recorded Event. */
  events: Event[];
  /** Runs passes until the operation is settled or `until` holds, with `restart` by a new controller each. Returns the number of passes. */
  run(options?: { restart?: boolean; until?: () => boolean }): Promise<number>;
  op(): NodeOp;
  node(name: string): CachedNode | undefined;
  agents(): NodeAgent[];
  /** Names of all Jobs that were ever created. */
  createdJobs(): string[];
}

/** Thrown by a write to stop the controller right after it. */
class CrashError extends Error {}

function startController(kube: FakeKube, clock: FakeClock, events: Event[]) {
  const { caches, stop } = cachesFollowing(kube);
  const recorder = { record: (event: Event) => void events.push(event) };
  const sentinel = { image: 'registry.example/agent:1', command: [] };
  const settings = { defaultImage: 'tool', sentinel, ownNamespace: 'operator-system' };
  const controller = new NodeOpController({ kube, caches, clock, recorder, log: silentLog, ...settings });
  /** A crash ends the pass without an outcome. */
  const pass = async () => {
    try {
      return await controller.reconcile(OPERATION);
    } catch (error) {
      if (error instanceof CrashError) return undefined;
      throw error;
    }
  };
  const leading = new AbortController();
  const finalizers = jobFinalizerController({ kube, caches, clock, log: silentLog }, leading.signal);
  const stopAll = async () => {
    leading.abort();
    stop();
    await finalizers;
  };
  return { pass, stop: stopAll };
}

const runner =
  ({ kube, jobResults, events }: Pick<SmallCluster, 'kube' | 'jobResults' | 'events'>): SmallCluster['run'] =>
  async ({ restart = false, until = () => false } = {}) => {
    const clock = fakeClock();
    let controller = startController(kube, clock, events);
    for (let passes = 1; passes < 200; passes += 1) {
      const outcome = await controller.pass();
      if (outcome?.then === 'settled' || until()) {
        await controller.stop();
        return passes;
      }
      endJobs(kube, jobResults);
      await clock.advance(1_000);
      if (restart) {
        await controller.stop();
        controller = startController(kube, clock, events);
      }
    }
    throw new Error(`the operation does not finish: ${JSON.stringify(kube.all<NodeOp>(NODE_OP)[0]?.status)}`);
  };

export function smallCluster(spec: object, names: readonly string[] = ['n1', 'n2']): SmallCluster {
  const kube = new FakeKube();
  for (const name of names) {
    kube.seed(NODES, node(name, { images: ['registry.example/tool:1', 'registry.example/agent:1'] }));
    kube.seed(NODE_AGENT, { ...nodeAgent(), metadata: { name, uid: `agent-${name}`, resourceVersion: '1' } });
  }
  kube.seed(NODE_OP, op(spec));
  const jobResults: SmallCluster['jobResults'] = {};
  const events: Event[] = [];
  return {
    kube,
    jobResults,
    events,
    run: runner({ kube, jobResults, events }),
    op: () => kube.all<NodeOp>(NODE_OP)[0] ?? op(),
    node: name => kube.all<CachedNode>(NODES).find(each => each.metadata.name === name),
    agents: () => kube.all<NodeAgent>(NODE_AGENT),
    createdJobs: () =>
      kube.store
        .history(collectionOf(JOBS))
        .filter(({ type }) => type === 'ADDED')
        .map(({ object }) => object.metadata.name),
  };
}

/** From now on the controller crashes after each of its writes. */
export function crashAfterEachWrite({ kube }: SmallCluster): void {
  kube.onWrite = () => () => {
    throw new CrashError();
  };
}

/** What the Job controller and the kubelets do: Jobs that are not suspended end with their result. */
function endJobs({ store }: FakeKube, results: SmallCluster['jobResults']): void {
  const collection = collectionOf(JOBS);
  for (const object of store.all({ collection })) {
    const job: Partial<CachedJob> & { metadata: typeof object.metadata } = { ...object };
    const result = results[String(job.metadata.labels?.['kairos.io/node'])];
    if (job.spec?.suspend === true || job.status?.conditions !== undefined || result === undefined) continue;
    const { name, namespace } = job.metadata;
    const body = { status: { conditions: [{ type: result, status: 'True', reason: 'Simulated' }] } };
    store.patch({ collection, name, namespace, subresource: 'status' }, body, 'application/merge-patch+json');
  }
}
