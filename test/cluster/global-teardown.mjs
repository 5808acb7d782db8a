/** Stops the clusters that the test files shared. Plain JavaScript, because jest loads it without transforms. */
import { tsImport } from 'tsx/esm/api';

export default async function stop() {
  const { stopSharedClusters } = await tsImport('./shared-cluster.ts', import.meta.url);
  await stopSharedClusters();
}
