/** Ends the clusters that the run's test files shared. Loaded by the test runner without its transforms, hence plain JavaScript here. */
import { tsImport } from 'tsx/esm/api';

export default async function stop() {
  const { stopSharedClusters } = await tsImport('./shared-cluster.ts', import.meta.url);
  await stopSharedClusters();
}
