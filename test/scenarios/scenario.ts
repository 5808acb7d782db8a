/** A scenario: a cluster and what happens on it. It waits for conditions and not for points in time, so that it can run again with injected faults. */
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { ClusterOptions } from '../fakes/cluster/object-builders.js';

export interface Scenario {
  /** For test titles. */
  name: string;
  cluster: ClusterOptions;
  /** Runs the scenario; afterwards the cluster runs until it is settled. */
  run(cluster: FakeCluster): Promise<void> | void;
  /** The part of the outcome that this scenario is about. */
  expected: object;
}
