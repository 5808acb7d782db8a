/**
 * Scales the legacy operator to 0. It holds the leader election lease as long as it runs, so every replica does this, not the leader alone.
 * The check is repeated because a GitOps tool may scale it up again, and it would then compete for the lease.
 */
import { apiVersion } from '../../api/kinds.js';
import { isForbidden, isNotFound } from '../../kube/errors.js';
import type { Kube, Stored } from '../../kube/kube.js';
import { withResourceVersion } from '../../kube/patch.js';
import type { Recorder } from '../../kube/event-recorder.js';
import { DEPLOYMENTS } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import type { CachedPod } from '../cluster/pod.js';
import { scaledDown } from './events.js';
import { LEGACY_DEPLOYMENT, LEGACY_NAMESPACE } from './names.js';

interface Deployment extends Stored {
  spec?: { replicas?: number };
  status?: { observedGeneration?: number; replicas?: number };
}

export interface ScaleDownDeps {
  kube: Pick<Kube, 'get' | 'patch'>;
  recorder: Recorder;
  log: Log;
  clock: Clock;
  ownNamespace: string;
}

const RECHECK_MS = 10 * 60_000;
const RETRY_MS = 5_000;
/** The permission may be granted later. */
const FORBIDDEN_RETRY_MS = 60_000;

/** Namespaces that the legacy operator may be installed in: the one of this operator, and the one of its published manifests. */
export const legacyNamespaces = (ownNamespace: string): string[] => [...new Set([ownNamespace, LEGACY_NAMESPACE])];

/** Keeps the legacy operator scaled to 0 until the signal aborts. Never throws. */
export async function keepScaledDown(deps: ScaleDownDeps, signal: AbortSignal): Promise<void> {
  const { clock } = deps;
  while (!signal.aborted) {
    const pauseMs = await scaleDown(deps).then(
      () => RECHECK_MS,
      (error: unknown) => {
        logUnknown(deps, error);
        return isForbidden(error) ? FORBIDDEN_RETRY_MS : RETRY_MS;
      },
    );
    await clock.sleep(pauseMs, signal);
  }
}

const logUnknown = ({ log }: Pick<ScaleDownDeps, 'log'>, error: unknown): void =>
  log.warn({ err: error, deployment: LEGACY_DEPLOYMENT }, 'cannot tell whether the Go operator runs');

/** Scales down what runs. True when nothing of it is left, according to the status of the Deployment. */
export async function scaleDown({ kube, recorder, log, ownNamespace }: Omit<ScaleDownDeps, 'clock'>): Promise<boolean> {
  let isDown = true;
  for (const namespace of legacyNamespaces(ownNamespace)) {
    const at = { namespace, name: LEGACY_DEPLOYMENT };
    const found = await kube.get<Deployment>(DEPLOYMENTS, at).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (found === undefined) continue;
    if (!hasStopped(found)) isDown = false;
    if (found.spec?.replicas === 0) continue;
    const patch = withResourceVersion({ spec: { replicas: 0 } }, found);
    await kube.patch<Deployment>(DEPLOYMENTS, at, patch);
    log.warn(at, 'the Go operator is installed; scaled its Deployment to 0');
    recorder.record(scaledDown({ apiVersion: apiVersion(DEPLOYMENTS), kind: DEPLOYMENTS.kind, ...found.metadata }));
  }
  return isDown;
}

/** Until the Deployment controller has observed the 0, it may still create a Pod that no watch has reported yet. */
const hasStopped = ({ metadata: { generation = 0 }, spec, status }: Deployment): boolean =>
  spec?.replicas === 0 && (status?.observedGeneration ?? 0) >= generation && (status?.replicas ?? 0) === 0;

/** Like `scaleDown`, but never throws. Without the permission to read the Deployment, only its Pods can be considered, so it counts as stopped. */
export const isScaledDown = (deps: Omit<ScaleDownDeps, 'clock'>): Promise<boolean> =>
  scaleDown(deps).catch((error: unknown) => {
    logUnknown(deps, error);
    return isForbidden(error);
  });

/** A leader that cannot reach its API server gives up long before. A Pod on a lost node would otherwise be waited for indefinitely. */
const TERMINATING_LIMIT_MS = 60_000;

const POD_NAME = new RegExp(`^${LEGACY_DEPLOYMENT}-[a-z0-9]+-[a-z0-9]+$`);

/** Pods of the legacy operator that may still write: a process does not end at once when it loses the lease or is terminated. */
export const runningLegacyPods = (pods: readonly CachedPod[], ownNamespace: string, now: Date): CachedPod[] => {
  const namespaces = legacyNamespaces(ownNamespace);
  return pods.filter(({ metadata, status }) => {
    if (!namespaces.includes(metadata.namespace ?? '') || !POD_NAME.test(metadata.name)) return false;
    if (status.phase === 'Succeeded' || status.phase === 'Failed') return false;
    const { deletionTimestamp } = metadata;
    return deletionTimestamp === undefined || now.getTime() < Date.parse(deletionTimestamp) + TERMINATING_LIMIT_MS;
  });
};

/** Calls back once, when a Pod of the legacy operator appears because someone has scaled it up again. */
export function onLegacyReturn(
  { pods }: Pick<Caches, 'pods'>,
  deps: Pick<ScaleDownDeps, 'ownNamespace' | 'clock'>,
  callback: () => void,
): void {
  let hasReturned = false;
  const check = (changed: readonly CachedPod[]) => {
    if (hasReturned || runningLegacyPods(changed, deps.ownNamespace, deps.clock.now()).length === 0) return;
    hasReturned = true;
    callback();
  };
  pods.onChange(({ new: pod }) => pod && check([pod]));
  check(pods.list());
}
