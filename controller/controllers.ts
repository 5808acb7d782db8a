/** What the leading controller does, from its first look at the cluster until `leading` aborts. */
import { setMaxListeners } from 'node:events';
import type { Kube } from '../kube/kube.js';
import { recorder } from '../kube/recorder.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import type { Tools } from './artifact/build/container.js';
import { runArtifactController } from './artifact/informers.js';
import { allSynced, cachesOf, createInformers } from './cluster/informers.js';
import { legacyController } from './legacy/controller.js';
import { waitForLegacyOperatorToEnd } from './legacy/legacy-operator.js';
import { onLegacyReturn } from './legacy/scale-down.js';
import { nodeAgentController } from './nodeagents/controller.js';
import { NodeOpController, type NodeOpDeps } from './nodeop/controller.js';
import { parseNodeOp } from './nodeop/facts/parsed-nodeop.js';
import { operationStatus } from './nodeop/status/operation-status.js';
import { upgradeController } from './upgrade/controller.js';

export interface ControllerSettings
  extends Pick<NodeOpDeps, 'defaultImage' | 'sentinel' | 'ownNamespace' | 'ownNode' | 'allowedNamespaces'> {
  log: Log;
  clock: Clock;
  /** Who speaks in Events. */
  identity: string;
  /** What OSArtifacts are built with; absent, they are left alone. */
  tools?: Tools;
}

/**
 * `kube` must stop answering when `leading` aborts, so that nothing is written after the end.
 * When somebody brings an earlier operator back, everything stops, and begins anew after it has ended: it may have begun something meanwhile.
 */
export async function runControllers(kube: Kube, settings: ControllerSettings, leading: AbortSignal): Promise<void> {
  while (!leading.aborted) {
    const back = new AbortController();
    const alone = AbortSignal.any([leading, back.signal]);
    /* Every call and loop of the leader listens. */
    setMaxListeners(0, alone);
    await runUntilLegacyReturns(kube, settings, { alone, back: () => back.abort() });
  }
}

async function runUntilLegacyReturns(
  kube: Kube,
  { identity, tools, ...settings }: ControllerSettings,
  { alone, back }: { alone: AbortSignal; back: () => void },
): Promise<void> {
  const { log, clock } = settings;
  const informers = createInformers(kube, { log, clock });
  const watching = Object.values(informers).map(each => each.run(alone));
  await allSynced(informers, alone);
  const caches = cachesOf(informers);
  const around = { ...settings, kube, caches, recorder: recorder(kube, { log, clock, instance: identity }) };
  const legacy = await waitForLegacyOperatorToEnd(around, alone);
  const deps = { ...around, legacy };
  onLegacyReturn(caches, settings, back);
  await Promise.all([
    ...watching,
    legacyController({ ...deps, parseNodeOp, operationStatus }, alone),
    nodeAgentController(deps, alone),
    new NodeOpController(deps).run(alone),
    upgradeController({ ...deps, ...deps.caches }, alone),
    ...(tools ? [runArtifactController({ ...deps, pods: deps.caches.pods, tools }, alone)] : []),
  ]);
}
