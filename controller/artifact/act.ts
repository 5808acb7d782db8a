/** Performs one action. */
import { OS_ARTIFACT } from '../../api/kinds.js';
import type { OSArtifact } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/errors.js';
import type { Kube, Resource, Stored } from '../../kube/kube.js';
import { controllerOf, isControlledBy } from '../../kube/owner.js';
import { mergeChange } from '../../kube/patch.js';
import { CONFIG_MAPS, JOBS, PODS, SECRETS, VOLUME_CLAIMS } from '../../kube/resources.js';
import type { Log } from '../../program/log.js';
import type { SeenJob, SeenPod } from '../seen.js';
import { builderPod } from './builder-pod.js';
import type { Tools } from './container.js';
import { OBSOLETE_FINALIZER } from './decide.js';
import { exporterJob } from './exporter-job.js';
import type { Action, Facts } from './facts.js';
import { claim, configMap, renderedSecret } from './files.js';
import { hasConfig, needsSecret } from './volumes.js';

export interface Hands {
  kube: Kube;
  artifacts: Pick<Cache<OSArtifact>, 'put'>;
  pods: Pick<Cache<SeenPod>, 'put'>;
  exports: Pick<Cache<SeenJob>, 'put'>;
  tools: Tools;
  log: Log;
}

/** A name that is needed is taken: by what is leaving, or by something of somebody else's. */
export class NameTaken extends Error {}

export async function act(facts: Facts, action: Action, hands: Hands): Promise<void> {
  switch (action.do) {
    case 'build':
      return build(facts, action, hands);
    case 'export':
      return exportBuilt(facts, action, hands);
    case 'deletePod':
      return remove(PODS, action.pod, hands);
    case 'deleteJob':
      return remove(JOBS, action.job, hands);
    case 'dropFinalizer':
      return dropFinalizer(facts, hands);
    default:
      return unreachable(action);
  }
}

/** Files first: the Pod is the last, so that where it is, all is. */
async function build(
  { artifact, build: wanted }: Facts,
  { id, rendered }: Extract<Action, { do: 'build' }>,
  hands: Hands,
) {
  const { metadata: meta } = artifact;
  const place = claim(meta, wanted);
  if (hasConfig(wanted)) await ensure(CONFIG_MAPS, configMap(meta, wanted), artifact, hands);
  if (needsSecret(wanted)) await ensure(SECRETS, renderedSecret(meta, rendered), artifact, hands);
  if (place) await ensure(VOLUME_CLAIMS, place, artifact, hands);
  const pod = await ensure<SeenPod>(PODS, builderPod(meta, wanted, id, hands.tools), artifact, hands);
  hands.pods.put(pod);
  hands.log.info({ pod: pod.metadata.name }, 'building');
}

async function exportBuilt(
  { artifact, build: wanted }: Facts,
  { id, index }: Extract<Action, { do: 'export' }>,
  hands: Hands,
) {
  const job = await ensure<SeenJob>(JOBS, exporterJob(artifact.metadata, wanted, id, index), artifact, hands);
  hands.exports.put(job);
  hands.log.info({ job: job.metadata.name }, 'exporting');
}

interface Made {
  kind: string;
  metadata: { name: string; namespace?: string };
  /** Of ConfigMaps and Secrets. */
  data?: Record<string, string>;
}

/** Makes it, or finds that it is there. What of it may change is brought up to date. */
async function ensure<T extends Stored>(
  resource: Resource,
  wanted: Made,
  artifact: OSArtifact,
  { kube }: Hands,
): Promise<T> {
  const { name, namespace } = wanted.metadata;
  try {
    return await kube.create<T>(resource, wanted, namespace);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const found = await kube.get<T & { data?: Record<string, string> }>(resource, { name, namespace });
  refuseForeign(wanted.kind, found, artifact);
  if (wanted.data === undefined) return found;
  return mergeChange(kube, resource, found, { to: { ...found, data: wanted.data } });
}

function refuseForeign(kind: string, found: Stored, artifact: OSArtifact): void {
  const { name, deletionTimestamp } = found.metadata;
  const owner = controllerOf(found);
  const ofNamesake = owner?.kind === OS_ARTIFACT.kind && owner.name === artifact.metadata.name;
  if (deletionTimestamp !== undefined || (ofNamesake && !isControlledBy(found, artifact)))
    throw new NameTaken(`waiting for the ${kind} "${name}" of an earlier object to be gone`);
  if (!isControlledBy(found, artifact))
    throw new NameTaken(`a ${kind} named "${name}" exists and was not made for this object`);
}

async function remove(
  resource: Resource,
  { metadata: { name, namespace, uid } }: Stored,
  { kube }: Hands,
): Promise<void> {
  try {
    await kube.delete(resource, { name, namespace }, { uid, propagation: 'Background' });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

async function dropFinalizer({ artifact }: Facts, { kube, artifacts }: Hands): Promise<void> {
  const finalizers = artifact.metadata.finalizers?.filter(each => each !== OBSOLETE_FINALIZER);
  const to = { ...artifact, metadata: { ...artifact.metadata, finalizers } };
  artifacts.put(await mergeChange(kube, OS_ARTIFACT, artifact, { to, onlyIfUnchanged: true }));
}

function unreachable(action: never): never {
  throw new Error(`no such action: ${JSON.stringify(action)}`);
}
