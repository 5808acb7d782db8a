/** Prepares the demo: programs, images, cluster, operator and the sample workload. */
import { findBinary } from '../test/cluster/binaries.js';
import { kairosImage } from '../test/cluster/images.js';
import { install } from '../test/cluster/install.js';
import { ensurePackages, REAL_NODE_TOOLS } from '../test/cluster/packages.js';
import { repository } from '../test/cluster/paths.js';
import { IMAGE_TOOLS, productImages } from '../test/cluster/product-images.js';
import { RealCluster } from '../test/cluster/real-cluster.js';
import { mustRun } from '../test/cluster/run-command.js';
import { nodePlans } from '../test/cluster/shared-cluster.js';
import { firstRunLines, inspectCache } from './first-run.js';
import type { TourOptions } from './flags.js';
import { MIN_AVAILABLE, NAMESPACE, REPLICAS, sample, SAMPLE, TARGET } from './workload.js';

type Print = (line: string) => void;

/** Resolves when the operator is installed and every Pod of the sample is Ready. */
export async function setUp(options: TourOptions, print: Print): Promise<RealCluster> {
  for (const line of firstRunLines(inspectCache())) print(line);
  await ensurePackages([...REAL_NODE_TOOLS, ...IMAGE_TOOLS], indented(print));
  print('Bundling the controller, the webhook and the agent ...');
  await mustRun(process.execPath, [`${repository}/node_modules/tsx/dist/cli.mjs`, 'build.ts'], { cwd: repository });
  print('Building the two images of the operator ...');
  const images = await productImages(indented(print));
  const target = await kairosImage(TARGET);
  print(
    `Starting Kubernetes with ${options.nodes === 1 ? 'one node' : `${options.nodes} nodes`}; each node boots its own system ...`,
  );
  const cluster = await RealCluster.start({
    index: options.index,
    nodes: nodePlans(options.nodes),
    images: [images.operator, images.agent, target].map(image => image.tar),
    onProgress: indented(print),
  });
  print('Installing the operator from its manifests ...');
  await install(cluster, images);
  print(
    `Starting the sample workload: a web server with ${REPLICAS} Pods and a PodDisruptionBudget with minAvailable ${MIN_AVAILABLE} ...`,
  );
  await cluster.kubectl.apply(sample());
  const rollout = ['rollout', 'status', `deployment/${SAMPLE}`, '--namespace', NAMESPACE, '--timeout', '90s'];
  await cluster.kubectl.do(rollout);
  return cluster;
}

/** Path of the kubectl that was compiled with the other programs of the cluster. */
export function kubectlProgram(): string {
  const program = findBinary('kubectl');
  if (program === undefined) throw new Error('the cache has no kubectl although the cluster is running');
  return program;
}

const indented =
  (print: Print): Print =>
  line =>
    print(`  ${line}`);
