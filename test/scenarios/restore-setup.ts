/** Setup of the scenarios about objects that are restored from a backup. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS, CONTAINERS } from '../../api/names.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Name, Resource } from '../../kube/kube.js';
import type { Backup, RestoreOptions } from '../fakes/cluster/backup.js';
import { type FakeCluster, fakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { commandLasting, nodesNamed } from './lifecycle-setup.js';

export const OP = { name: 'op', namespace: 'default' };
export const UP = { name: 'up', namespace: 'default' };

const OLD = { '/etc/kairos-release': KAIROS_RELEASE };
const IMAGE = 'registry.example/kairos:2';

export async function started(): Promise<FakeCluster> {
  const nodes = nodesNamed('n1', 'n2').map(node => ({ ...node, files: OLD }));
  const images = { [IMAGE]: { release: KAIROS_RELEASE.replace('v3.5.0', 'v3.6.0') } };
  const cluster = fakeCluster({ nodes, images, ...commandLasting(60) });
  await cluster.start();
  return cluster;
}

export const applyOp = (cluster: FakeCluster, spec: object = {}, metadata: object = {}): void =>
  void cluster.apply(NODE_OP, { ...nodeOp('op', spec), metadata: { ...OP, ...metadata } });

export const applyUpgrade = (cluster: FakeCluster): void =>
  void cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('up', { image: IMAGE, concurrency: 1 }));

export const commandsRun = ({ containerRuns }: FakeCluster): number =>
  containerRuns.filter(({ container }) => container === CONTAINERS.work).length;

export const reboots = ({ machines }: FakeCluster): number =>
  [...machines.values()].reduce((sum, { shutdowns }) => sum + shutdowns.length, 0);

/** The objects are gone, as in a lost namespace, and nothing of them is left after a minute. */
export async function lose(cluster: FakeCluster): Promise<void> {
  for (const kind of [NODE_OP_UPGRADE, NODE_OP])
    for (const { metadata } of cluster.api.all(kind)) cluster.api.forceRemove(kind, metadata);
  await cluster.runFor(60);
}

/** Restores everything, and runs until the cluster is settled. */
export async function restored(cluster: FakeCluster, backup: Backup, options?: RestoreOptions): Promise<boolean> {
  cluster.restore(backup, options);
  return cluster.runUntilSettled();
}

const annotate = ({ api }: FakeCluster, kind: Resource, at: Name, annotations: object): void =>
  void api.patch(kind, at, { metadata: { annotations } });

/** Sets or removes the mark of the NodeOp, as a user or a GitOps tool does. */
export const setMark = (cluster: FakeCluster, value: string | null): void =>
  annotate(cluster, NODE_OP, OP, { [ANNOTATIONS.started]: value });

export const retryWith = (cluster: FakeCluster, value: string, kind: Resource = NODE_OP, at: Name = OP): void =>
  annotate(cluster, kind, at, { [ANNOTATIONS.retry]: value });

/** Phase and reason of the object, and whether it has the mark of its own uid. */
export function summaryOf(
  object: NodeOp | NodeOpUpgrade | undefined,
): [string | undefined, string | undefined, boolean] {
  const { metadata, status } = object ?? {};
  const reason = status?.conditions?.find(({ type }) => type === 'Complete')?.reason;
  return [status?.phase, reason, metadata?.annotations?.[ANNOTATIONS.started] === metadata?.uid];
}

/** A cluster after this NodeOp has completed on both nodes. */
export async function completed(spec: object = {}, metadata: object = {}): Promise<FakeCluster> {
  const cluster = await started();
  applyOp(cluster, spec, metadata);
  if (!(await cluster.runUntilSettled())) throw new Error('the operation does not end');
  return cluster;
}
