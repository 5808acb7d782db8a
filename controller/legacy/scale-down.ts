/**
 * The earlier operator holds the lease as long as it runs, so whoever wants the lease scales it down first. It is done by every replica, not
 * by the leader alone, and again now and then: somebody's GitOps tool may bring it back, and it would wait for the lease beside us.
 */
import { apiVersion } from '../../api/kinds.js';
import { isForbidden, isNotFound } from '../../kube/errors.js';
import type { Kube, Stored } from '../../kube/kube.js';
import { withResourceVersion } from '../../kube/patch.js';
import type { Recorder } from '../../kube/recorder.js';
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

export interface RetireDeps {
  kube: Pick<Kube, 'get' | 'patch'>;
  recorder: Recorder;
  log: Log;
  clock: Clock;
  ownNamespace: string;
}

const RECHECK_MS = 10 * 60_000;
const RETRY_MS = 5_000;
/** Somebody did not give us the right, or not yet. */
const REFUSED_MS = 60_000;

/** Where it may be: beside us, or where its published manifests put it. */
export const formerNamespaces = (ownNamespace: string): string[] => [...new Set([ownNamespace, LEGACY_NAMESPACE])];

/** Keeps the earlier operator scaled to 0 until the signal aborts. Never throws. */
export async function keepScaledDown(deps: RetireDeps, signal: AbortSignal): Promise<void> {
  const { log, clock } = deps;
  while (!signal.aborted) {
    const pauseMs = await retire(deps).then(
      () => RECHECK_MS,
      (error: unknown) => {
        log.warn({ err: error, deployment: LEGACY_DEPLOYMENT }, 'it is not known whether an earlier operator runs');
        return isForbidden(error) ? REFUSED_MS : RETRY_MS;
      },
    );
    await clock.sleep(pauseMs, signal);
  }
}

/** One look: what runs is told to stop. True when nothing is left of it, as the Deployment itself says. */
export async function retire({ kube, recorder, log, ownNamespace }: Omit<RetireDeps, 'clock'>): Promise<boolean> {
  let isQuiet = true;
  for (const namespace of formerNamespaces(ownNamespace)) {
    const at = { namespace, name: LEGACY_DEPLOYMENT };
    const found = await kube.get<Deployment>(DEPLOYMENTS, at).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (found === undefined) continue;
    if (!isAtRest(found)) isQuiet = false;
    if (found.spec?.replicas === 0) continue;
    const patch = withResourceVersion({ spec: { replicas: 0 } }, found);
    await kube.patch<Deployment>(DEPLOYMENTS, at, patch);
    log.warn(at, 'an earlier operator is installed; it was scaled to 0');
    recorder.record(scaledDown({ apiVersion: apiVersion(DEPLOYMENTS), kind: DEPLOYMENTS.kind, ...found.metadata }));
  }
  return isQuiet;
}

/** Before its controller has seen the 0, it may still make a Pod of which no watch has told us. */
const isAtRest = ({ metadata: { generation = 0 }, spec, status }: Deployment): boolean =>
  spec?.replicas === 0 && (status?.observedGeneration ?? 0) >= generation && (status?.replicas ?? 0) === 0;

/** Like a look of `keepRetired`, and never throws. Without the right to look, its Pods are all that we go by. */
export const isScaledDown = (deps: Omit<RetireDeps, 'clock'>): Promise<boolean> =>
  retire(deps).catch((error: unknown) => {
    deps.log.warn({ err: error, deployment: LEGACY_DEPLOYMENT }, 'it is not known whether an earlier operator runs');
    return isForbidden(error);
  });

/** A leader that lost its API server gives up by itself long before; a Pod on a node that is gone is not waited for without end. */
const SILENT_MS = 60_000;

const POD_NAME = new RegExp(`^${LEGACY_DEPLOYMENT}-[a-z0-9]+-[a-z0-9]+$`);

/** Pods of the earlier operator that may still write. Losing the lease, or being told to stop, does not end a process at once. */
export const legacyPods = (pods: readonly CachedPod[], ownNamespace: string, now: Date): CachedPod[] => {
  const namespaces = formerNamespaces(ownNamespace);
  return pods.filter(({ metadata, status }) => {
    if (!namespaces.includes(metadata.namespace ?? '') || !POD_NAME.test(metadata.name)) return false;
    if (status.phase === 'Succeeded' || status.phase === 'Failed') return false;
    const leaving = metadata.deletionTimestamp;
    return leaving === undefined || now.getTime() < Date.parse(leaving) + SILENT_MS;
  });
};

/** Calls back once when one appears: somebody brought the earlier operator back. */
export function onLegacyReturn(
  { pods }: Pick<Caches, 'pods'>,
  deps: Pick<RetireDeps, 'ownNamespace' | 'clock'>,
  call: () => void,
): void {
  let isBack = false;
  const look = (seen: readonly CachedPod[]) => {
    if (isBack || legacyPods(seen, deps.ownNamespace, deps.clock.now()).length === 0) return;
    isBack = true;
    call();
  };
  pods.onChange(({ new: pod }) => pod && look([pod]));
  look(pods.list());
}
