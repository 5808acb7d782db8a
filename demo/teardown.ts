/** How the tour goes away: nothing is left unless that was asked for. */
import { clusterKey, leftoversOf } from '../test/cluster/leftovers.js';
import { runFolder } from '../test/cluster/places.js';
import { RealCluster } from '../test/cluster/real-cluster.js';
import type { TourWish } from './flags.js';

/** Something may be started in the very moment in which everything is ended, so once is not always enough. */
const TRIES = 3;

/** Takes the cluster down, and says what is left of it. True when that is nothing. */
export async function takeDown(index: number, say: (line: string) => void): Promise<boolean> {
  let left: string[] = [];
  for (let tries = 0; tries < TRIES; tries += 1) {
    await RealCluster.clear(index);
    left = await leftoversOf(index, runFolder(clusterKey(index)));
    if (left.length === 0) break;
  }
  if (left.length === 0) say('The cluster is down; no process, mount, network link or control group of it is left.');
  else say(`The cluster is down, but this is left of it:\n${left.map(line => `- ${line}`).join('\n')}`);
  return left.length === 0;
}

/** How to use a cluster that stays up, and how to end it. */
export function keptLines(kubeconfig: string, wish: TourWish): string[] {
  const which = wish.index === 0 ? '' : ` --index ${wish.index}`;
  return [
    'The cluster stays up. To use it:',
    `  export KUBECONFIG=${kubeconfig}`,
    '  kubectl get nodeopupgrades,nodeops,nodeagents --all-namespaces',
    'To take it down:',
    `  npm run demo -- --down${which}`,
  ];
}
