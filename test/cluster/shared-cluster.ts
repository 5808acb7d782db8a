/** One real cluster for all test files of a run: the first that asks starts it, the others use it, the run's end stops it. */
import { auditFlags } from './audit-trail.js';
import type { NodePlan } from './layout.js';
import { RealCluster } from './real-cluster.js';

/** Another one lets a run by hand live beside the run of a whole suite. */
const INDEX = Number(process.env['CLUSTER_INDEX'] ?? '0');

export interface SharedShape {
  /** That many nodes, n1 and so on; n1 is the control plane. */
  nodes: number;
  images?: readonly string[];
}

/** The shared cluster with all nodes calm. Test files must run one after the other in one process (`--runInBand`). */
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

/** Ends the shared cluster if this process started it. */
export async function stopSharedCluster(): Promise<void> {
  if (!RealCluster.isOurs(INDEX)) return;
  await RealCluster.clear(INDEX);
}

/** n1 with the control plane's label, n2, n3 and so on. */
export function nodePlans(count: number): NodePlan[] {
  return Array.from({ length: count }, (_, position) => ({ name: `n${position + 1}`, controlPlane: position === 0 }));
}
