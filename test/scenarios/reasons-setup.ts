/** A short scenario, and every reason that is reported during it: for nodes, in conditions and in Events. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS, CONTAINERS } from '../../api/names.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import { PODS } from '../../kube/resources.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import type { ContainerBehavior, BehaviorOverride } from '../fakes/cluster/container-behavior.js';
import { type ClusterOptions, nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { withSeededRandom } from '../fakes/cluster/seeded-random.js';
import { KAIROS_RELEASE } from '../fakes/host.js';

export interface ReasonScenario {
  cluster: ClusterOptions;
  run(cluster: FakeCluster): Promise<void> | void;
}

const ONE = [{ name: 'n1' }];
const TWO = [{ name: 'n1' }, { name: 'n2' }];

export const NEW_IMAGE = 'registry.example/kairos:2';
export const IMAGES = { [NEW_IMAGE]: { release: KAIROS_RELEASE.replaceAll('v3.5.0', 'v3.6.0') } };

const withDefaults = (options: Partial<ClusterOptions>): ClusterOptions => ({ nodes: ONE, images: IMAGES, ...options });

/** A scenario on one node. */
export const onOne = (run: ReasonScenario['run'], options: Partial<ClusterOptions> = {}): ReasonScenario => ({
  cluster: withDefaults(options),
  run,
});
/** A scenario on two nodes. */
export const onTwo = (run: ReasonScenario['run'], options: Partial<ClusterOptions> = {}): ReasonScenario => ({
  cluster: withDefaults({ nodes: TWO, ...options }),
  run,
});

/** Creates a NodeOp named `op`. */
export const createNodeOp = (cluster: FakeCluster, spec: object = {}): void =>
  void cluster.apply(NODE_OP, nodeOp('op', spec));
/** Creates a NodeOpUpgrade named `up`. */
export const createUpgrade = (cluster: FakeCluster, spec: object = {}): void =>
  void cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('up', { image: NEW_IMAGE, ...spec }));

/** Sets what the command does. */
export const withCommand = (containerBehavior: ContainerBehavior): { behavior: BehaviorOverride } => ({
  behavior: ({ container }) => (container.name === CONTAINERS.work ? containerBehavior : undefined),
});
/** Sets what the preflight command does. */
export const withPreflight = (containerBehavior: ContainerBehavior): { behavior: BehaviorOverride } => ({
  behavior: ({ container }) => (container.name === CONTAINERS.preflight ? containerBehavior : undefined),
});

export const HANGS: ContainerBehavior = { seconds: undefined };
export const FAILS: ContainerBehavior = { seconds: 1, exitCode: 1, message: 'no' };

/** Runs until the command runs on the node. */
export async function untilCommandRuns(cluster: FakeCluster, node = 'n1'): Promise<void> {
  if (!(await cluster.runUntil(() => cluster.isRunning(node, CONTAINERS.work), 300)))
    throw new Error('the command never ran');
}

/** Runs until the operation `op` has finished. */
export async function untilFinished(cluster: FakeCluster): Promise<void> {
  const hasFinished = () => ['Completed', 'Failed'].includes(cluster.nodeOp('op')?.status?.phase ?? '');
  if (!(await cluster.runUntil(hasFinished, 3600))) throw new Error('the operation never finished');
}

/** Requests another attempt. */
export const retry = (cluster: FakeCluster): void =>
  void cluster.api.patch(
    NODE_OP,
    { name: 'op', namespace: 'default' },
    {
      metadata: { annotations: { [ANNOTATIONS.retry]: '1' } },
    },
  );

/** Creates a Pod without a controller. */
export function barePod({ api }: FakeCluster, node = 'n1'): void {
  const spec = {
    nodeName: node,
    restartPolicy: 'Always',
    containers: [{ name: 'main', image: 'registry.example/bare:1' }],
  };
  api.put(PODS, { metadata: { name: 'bare', namespace: 'default' }, spec, status: { phase: 'Pending' } });
}

/** Longer than any of these scenarios takes to finish; some never do. */
const LONG_SECONDS = 3600;

export const reasonsIn = (scenario: ReasonScenario): Promise<ReadonlySet<string>> =>
  withSeededRandom(1, async () => {
    const cluster = fakeCluster(scenario.cluster);
    await cluster.start();
    const seen = new Set<string>();
    const record = (reason: string | undefined) => reason !== undefined && seen.add(reason);
    cluster.api.onChange((plural, { object }) => {
      if (plural !== NODE_OP.plural && plural !== NODE_OP_UPGRADE.plural) return;
      const { status } = object as object as NodeOp | NodeOpUpgrade;
      for (const { reason } of status?.conditions ?? []) record(reason);
      for (const { reason } of Object.values(status?.nodeStatuses ?? {})) record(reason);
    });
    await scenario.run(cluster);
    await cluster.runUntilSettled({ within: LONG_SECONDS, then: 5 });
    for (const { reason } of cluster.api.events) record(reason);
    return seen;
  });
