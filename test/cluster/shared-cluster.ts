/** One real cluster for all test files of a jest worker: the first file starts it, the others reuse it, and the end of the run stops it. */
import { auditFlags } from './audit-log.js';
import type { NodePlan } from './layout.js';
import { RealCluster } from './real-cluster.js';

/** Another index allows a second run beside that of the whole suite. */
const FIRST_INDEX = Number(process.env['CLUSTER_INDEX'] ?? '0');
/** Each jest worker has a cluster of its own. */
const INDEX = FIRST_INDEX + Number(process.env['JEST_WORKER_ID'] ?? '1') - 1;
const MAX_WORKERS = 4;

export interface SharedClusterOptions {
  /** Number of nodes, named n1, n2 and so on; n1 is the control plane. */
  nodes: number;
  images?: readonly string[];
}

/** The worker's cluster, with all nodes Ready and uncordoned. */
export async function sharedCluster(options: SharedClusterOptions): Promise<RealCluster> {
  const running = RealCluster.isOurs(INDEX) ? RealCluster.attach(INDEX) : undefined;
  const plan = nodePlans(options.nodes);
  if (running !== undefined && JSON.stringify(running.nodes) === JSON.stringify(plan)) {
    await running.restoreNodes();
    await running.importImages(options.images ?? []);
    return running;
  }
  return await RealCluster.start({ index: INDEX, nodes: plan, images: options.images, apiServer: auditFlags() });
}

/** Stops the clusters of this process and of its workers, which have ended by then. */
export async function stopSharedClusters(): Promise<void> {
  for (let index = FIRST_INDEX; index < FIRST_INDEX + MAX_WORKERS; index += 1)
    if (RealCluster.isOurs(index) || RealCluster.isAbandoned(index)) await RealCluster.clear(index);
}

/** Plans for the nodes n1, n2 and so on; n1 has the control plane's label. */
export function nodePlans(count: number): NodePlan[] {
  return Array.from({ length: count }, (_, position) => ({ name: `n${position + 1}`, controlPlane: position === 0 }));
}
