/** What a scenario is: a cluster, and what happens on it, told by conditions and never by the second, so that it can be told again with mishaps. */
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { ClusterOptions } from '../fakes/cluster/object-builders.js';

export interface Scenario {
  /** A sentence. */
  name: string;
  cluster: ClusterOptions;
  /** From the first object to the last: `settle` comes after. */
  run(cluster: FakeCluster): Promise<void> | void;
  /** What must come out, in the words of `endingOf`, as far as the story is about it. */
  expected: object;
}
