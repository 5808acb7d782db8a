/** The controllers that run while this program is the leader. */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Kube } from '../kube/kube.js';
import { recorder } from '../kube/event-recorder.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import type { Tools } from './artifact/build/container.js';
import { runArtifactController } from './artifact/informers.js';
import { workerFile, workerRenderer } from './artifact/rendering/renderer.js';
import { allSynced, cachesOf, createInformers } from './cluster/informers.js';
import { legacyController } from './legacy/controller.js';
import { waitForLegacyOperatorToEnd } from './legacy/legacy-operator.js';
import { onLegacyReturn } from './legacy/scale-down.js';
import { nodeAgentController } from './nodeagents/controller.js';
import { NodeOpController, type NodeOpDeps } from './nodeop/controller.js';
import { jobFinalizerController } from './nodeop/job-finalizer.js';
import { parseNodeOp } from './nodeop/facts/parsed-nodeop.js';
import { operationStatus } from './nodeop/status/operation-status.js';
import { upgradeController } from './upgrade/controller.js';

export interface ControllerSettings
  extends Pick<NodeOpDeps, 'defaultImage' | 'sentinel' | 'ownNamespace' | 'ownNode' | 'allowedNamespaces'> {
  log: Log;
  clock: Clock;
  /** `reportingInstance` of Events. */
  identity: string;
  /** Images for building OSArtifacts; absent when they are disabled. */
  tools?: Tools;
}

const RENDERING = { render: workerRenderer(workerFile()), run: randomUUID() };

/**
 * Runs all controllers until `leading` aborts. `kube` must refuse requests from then on, so that a former leader writes nothing.
 * When the legacy operator is scaled up again, everything stops and starts over once it has ended: it may have started operations meanwhile.
 */
export async function runControllers(kube: Kube, settings: ControllerSettings, leading: AbortSignal): Promise<void> {
  while (!leading.aborted) {
    const restart = new AbortController();
    const signal = AbortSignal.any([leading, restart.signal]);
    /* Every request and loop of the leader adds a listener; Node warns from the eleventh on. */
    setMaxListeners(0, signal);
    await runUntilLegacyReturns(kube, settings, { signal, onReturn: () => restart.abort() });
  }
}

async function runUntilLegacyReturns(
  kube: Kube,
  { identity, tools, ...settings }: ControllerSettings,
  { signal, onReturn }: { signal: AbortSignal; onReturn: () => void },
): Promise<void> {
  const { log, clock } = settings;
  const informers = createInformers(kube, { log, clock });
  const watching = Object.values(informers).map(informer => informer.run(signal));
  await allSynced(informers, signal);
  const caches = cachesOf(informers);
  const context = { ...settings, kube, caches, recorder: recorder(kube, { log, clock, instance: identity }) };
  const legacy = await waitForLegacyOperatorToEnd(context, signal);
  const deps = { ...context, legacy };
  onLegacyReturn(caches, settings, onReturn);
  await Promise.all([
    ...watching,
    legacyController({ ...deps, parseNodeOp, operationStatus }, signal),
    nodeAgentController(deps, signal),
    new NodeOpController(deps).run(signal),
    jobFinalizerController(deps, signal),
    upgradeController({ ...deps, ...deps.caches }, signal),
    ...(tools ? [runArtifactController({ ...deps, ...RENDERING, pods: deps.caches.pods, tools }, signal)] : []),
  ]);
}
