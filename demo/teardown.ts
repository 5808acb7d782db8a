/** Removes the cluster of a run, or prints how to use one that is kept. */
import { clusterKey, leakedResources } from '../test/cluster/cleanup.js';
import { runFolder } from '../test/cluster/paths.js';
import { RealCluster } from '../test/cluster/real-cluster.js';
import type { TourOptions } from './flags.js';

/** A process may start another one while both are being stopped, so a single pass can leave something behind. */
const MAX_ATTEMPTS = 3;

/** Removes the cluster and prints what is left of it. Returns whether nothing is left. */
export async function takeDown(index: number, print: (line: string) => void): Promise<boolean> {
  let leftovers: string[] = [];
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    await RealCluster.clear(index);
    leftovers = await leakedResources(index, runFolder(clusterKey(index)));
    if (leftovers.length === 0) break;
  }
  if (leftovers.length === 0)
    print('The cluster was removed; no process, mount, network link or control group of it is left.');
  else
    print(
      `The cluster was removed, but the following is left of it:\n${leftovers.map(line => `- ${line}`).join('\n')}`,
    );
  return leftovers.length === 0;
}

/** How to use a cluster that keeps running, and how to remove it. */
export function usageLines(kubeconfig: string, options: TourOptions): string[] {
  const indexFlag = options.index === 0 ? '' : ` --index ${options.index}`;
  return [
    'The cluster keeps running. To use it:',
    `  export KUBECONFIG=${kubeconfig}`,
    '  kubectl get nodeopupgrades,nodeops,nodeagents --all-namespaces',
    'To remove it:',
    `  npm run demo -- --down${indexFlag}`,
  ];
}
