/** The cluster of a case, what its commands do there, and how each run of them came out. */
import { CONTAINERS, LABELS } from '../../api/names.js';
import { NODES, PODS } from '../../kube/resources.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import type { Errand, Running } from '../fakes/cluster/pending-work.js';
import type { NodeObject } from '../fakes/cluster/kinds.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import type { Case } from './property-case.js';

export const NEW_RELEASE = KAIROS_RELEASE.replaceAll('v3.5.0', 'v3.6.0');

export interface World {
  cluster: FakeCluster;
  /** By node: the boot in which a command came to its good end. */
  succeeded: Map<string, string>;
  /** By node: starts of the command. */
  runs: Map<string, number>;
  /** By node: the boot that it had at the beginning. */
  boots: Map<string, string>;
}

export const nameOf = (index: number): string => `n${index + 1}`;

const PREFLIGHTS: Readonly<Record<Case['preflight'], Errand>> = {
  go: { seconds: 1 },
  skip: { seconds: 1, message: 'nothing to do' },
  refuse: { seconds: 1, exitCode: 3 },
  hang: { seconds: undefined },
};

function workOf({ command }: Case, { succeeded, runs }: World, { machine, image }: Running): Errand {
  const run = (runs.get(machine.name) ?? 0) + 1;
  runs.set(machine.name, run);
  if (command.is === 'hangs') return { seconds: undefined };
  if (command.is === 'fails' && run <= command.times) return { seconds: 2, exitCode: 1, message: 'it did not work' };
  const done = () => {
    succeeded.set(machine.name, machine.bootId);
    if (image.release !== undefined) machine.nextRelease = image.release;
  };
  return { seconds: command.is === 'succeeds' ? command.seconds : 2, done };
}

/** With nothing asked of it yet. */
export async function worldOf(drawn: Case): Promise<World> {
  const error = drawn.image === 'missing' ? 'manifest unknown' : undefined;
  const errands = (running: Running): Errand | undefined => {
    if (running.container.name === CONTAINERS.work) return workOf(drawn, world, running);
    return running.container.name === CONTAINERS.preflight ? PREFLIGHTS[drawn.preflight] : undefined;
  };
  const cluster = fakeCluster({
    nodes: drawn.nodes.map(({ controlPlane }, index) => ({ name: nameOf(index), controlPlane })),
    workloads: drawn.workloads.map(({ maxUnavailable: _budget, ...traits }, index) => ({
      name: `web-${index}`,
      ...traits,
    })),
    budgets: drawn.workloads.flatMap(({ maxUnavailable }, index) =>
      maxUnavailable === undefined ? [] : [{ name: `web-${index}`, guards: `web-${index}`, maxUnavailable }],
    ),
    daemonSets: drawn.daemonSet ? ['proxy'] : [],
    images: {
      'registry.example/tool:1': { error },
      'registry.example/kairos:2': { error, release: NEW_RELEASE },
    },
    errands,
  });
  const world: World = { cluster, succeeded: new Map(), runs: new Map(), boots: new Map() };
  await cluster.begin();
  drawn.nodes.forEach(({ cordonedBefore }, index) => furnish(cluster, nameOf(index), { ...drawn, cordonedBefore }));
  await cluster.run(20);
  for (const { name, bootId } of cluster.machines.values()) world.boots.set(name, bootId);
  cluster.countFromHere();
  return world;
}

function furnish(
  { api }: FakeCluster,
  name: string,
  { cordonedBefore, barePods }: { cordonedBefore: boolean; barePods: boolean },
) {
  if (cordonedBefore)
    api.change<NodeObject>(NODES, { name }, node => ({ ...node, spec: { ...node.spec, unschedulable: true } }));
  if (!barePods) return;
  const containers = [{ name: 'main', image: 'registry.example/bare:1' }];
  const spec = { nodeName: name, restartPolicy: 'Always', containers };
  api.put(PODS, { metadata: { name: `bare-${name}`, namespace: 'default' }, spec, status: { phase: 'Pending' } });
}

/** Whose Job or Pod an object is. */
export const operationOf = (object: { metadata: { labels?: Record<string, string> } }) =>
  object.metadata.labels?.[LABELS.nodeOpUid];
