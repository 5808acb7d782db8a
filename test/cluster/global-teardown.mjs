/** Ends the cluster that the run's test files shared. Loaded by the test runner without its transforms, hence plain JavaScript here. */
import { tsImport } from 'tsx/esm/api';

export default async function stop() {
  const { stopSharedCluster } = await tsImport('./shared-cluster.ts', import.meta.url);
  await stopSharedCluster();
}
