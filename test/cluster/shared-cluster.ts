/** One real cluster for all test files of a worker: the first that asks starts it, the others use it, the run's end stops it. */
import { auditFlags } from './audit-trail.js';
import type { NodePlan } from './layout.js';
import { RealCluster } from './real-cluster.js';

/** Another one lets a run by hand live beside the run of a whole suite. */
const FIRST = Number(process.env['CLUSTER_INDEX'] ?? '0');
/** Each worker of the test runner has its own. */
const INDEX = FIRST + Number(process.env['JEST_WORKER_ID'] ?? '1') - 1;
const MOST_WORKERS = 4;

export interface SharedShape {
  /** That many nodes, n1 and so on; n1 is the control plane. */
  nodes: number;
  images?: readonly string[];
}

/** The worker's cluster with all nodes calm. */
export async function sharedCluster(shape: SharedShape): Promise<RealCluster> {
  const running = RealCluster.isOurs(INDEX) ? RealCluster.attach(INDEX) : undefined;
  const plan = nodePlans(shape.nodes);
  if (running !== undefined && JSON.stringify(running.nodes) === JSON.stringify(plan)) {
    await running.calm();
    await running.importImages(shape.images ?? []);
    return running;
  }
  return await RealCluster.start({ index: INDEX, nodes: plan, images: shape.images, apiServer: auditFlags() });
}

/** Ends what this process or its workers, which have ended, have started. */
export async function stopSharedClusters(): Promise<void> {
  for (let index = FIRST; index < FIRST + MOST_WORKERS; index += 1)
    if (RealCluster.isOurs(index) || RealCluster.isAbandoned(index)) await RealCluster.clear(index);
}

/** n1 with the control plane's label, n2, n3 and so on. */
export function nodePlans(count: number): NodePlan[] {
  return Array.from({ length: count }, (_, position) => ({ name: `n${position + 1}`, controlPlane: position === 0 }));
}
