/** What the leading controller does, from its first look at the cluster until `leading` aborts. */
import type { Kube } from '../kube/kube.js';
import { recorder } from '../kube/recorder.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import type { Tools } from './artifact/container.js';
import { artifactsWatched } from './artifact/watched.js';
import { allSynced, cachesOf, createInformers } from './caches.js';
import { migrationController } from './migration/controller.js';
import { afterFormer } from './migration/former.js';
import { nodeAgentController } from './nodeagents/controller.js';
import { NodeOpController, type NodeOpDeps } from './nodeop/controller.js';
import { upgradeController } from './upgrade/controller.js';

export interface Leading
  extends Pick<NodeOpDeps, 'defaultImage' | 'sentinel' | 'ownNamespace' | 'ownNode' | 'allowedNamespaces'> {
  log: Log;
  clock: Clock;
  /** Who speaks in Events. */
  identity: string;
  /** What OSArtifacts are built with; absent, they are left alone. */
  tools?: Tools;
}

/** `kube` must stop answering when `leading` aborts, so that nothing is written after the end. */
export async function lead(kube: Kube, { identity, tools, ...settings }: Leading, leading: AbortSignal): Promise<void> {
  const { log, clock } = settings;
  const informers = createInformers(kube, { log, clock });
  const watching = Object.values(informers).map(each => each.run(leading));
  await allSynced(informers, leading);
  const caches = cachesOf(informers);
  const deps = {
    ...settings,
    kube,
    caches,
    former: await afterFormer({ ...settings, kube, caches }, leading),
    recorder: recorder(kube, { log, clock, instance: identity }),
  };
  await Promise.all([
    ...watching,
    migrationController(deps, leading),
    nodeAgentController(deps, leading),
    new NodeOpController(deps).run(leading),
    upgradeController({ ...deps, ...deps.caches }, leading),
    ...(tools ? [artifactsWatched({ ...deps, pods: deps.caches.pods, tools }, leading)] : []),
  ]);
}
