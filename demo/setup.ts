/** Everything that stands before the curtain opens: programs, images, cluster, operator, sample. */
import { findBinary } from '../test/cluster/binaries.js';
import { kairosImage } from '../test/cluster/images.js';
import { install } from '../test/cluster/install.js';
import { ensurePackages, REAL_NODE_TOOLS } from '../test/cluster/packages.js';
import { repository } from '../test/cluster/places.js';
import { IMAGE_TOOLS, productImages } from '../test/cluster/product-images.js';
import { RealCluster } from '../test/cluster/real-cluster.js';
import { mustRun } from '../test/cluster/run-command.js';
import { nodePlans } from '../test/cluster/shared-cluster.js';
import { costLines, lookAtCache } from './cost.js';
import type { TourWish } from './flags.js';
import { NAMESPACE, REPLICAS, sample, SAMPLE, TARGET } from './workload.js';

type Say = (line: string) => void;

/** A cluster with the operator and the sample on it, each Pod Ready. */
export async function setUp(wish: TourWish, say: Say): Promise<RealCluster> {
  for (const line of costLines(lookAtCache())) say(line);
  await ensurePackages([...REAL_NODE_TOOLS, ...IMAGE_TOOLS], indented(say));
  say('Bundling the three programs ...');
  await mustRun(process.execPath, [`${repository}/node_modules/tsx/dist/cli.mjs`, 'build.ts'], { cwd: repository });
  say('Building the two images ...');
  const images = await productImages(indented(say));
  const target = await kairosImage(TARGET);
  say(
    `Starting Kubernetes with ${wish.nodes === 1 ? 'one node' : `${wish.nodes} nodes`}; each boots its own system ...`,
  );
  const cluster = await RealCluster.start({
    index: wish.index,
    nodes: nodePlans(wish.nodes),
    images: [images.operator, images.agent, target].map(image => image.tar),
    onProgress: indented(say),
  });
  say('Installing the operator from its manifests ...');
  await install(cluster, images);
  say(`Starting the sample: ${REPLICAS} Pods of a web server, and a budget that wants one of them to answer ...`);
  await cluster.kubectl.apply(sample());
  const rollout = ['rollout', 'status', `deployment/${SAMPLE}`, '--namespace', NAMESPACE, '--timeout', '90s'];
  await cluster.kubectl.do(rollout);
  return cluster;
}

/** The kubectl that fits the cluster. */
export function kubectlProgram(): string {
  const program = findBinary('kubectl');
  if (program === undefined) throw new Error('there is no kubectl beside the other programs');
  return program;
}

const indented =
  (say: Say): Say =>
  line =>
    say(`  ${line}`);
