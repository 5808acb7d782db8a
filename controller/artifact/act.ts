/** Performs one action. */
import { OS_ARTIFACT } from '../../api/kinds.js';
import type { OSArtifact } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import { isAlreadyExists } from '../../kube/errors.js';
import type { DeleteOptions, Kube, Name, Resource, Stored } from '../../kube/kube.js';
import { ignoreNotFound } from '../../kube/ignore-not-found.js';
import { mergeChange } from '../../kube/patch.js';
import { CONFIG_MAPS, JOBS, PODS, SECRETS, VOLUME_CLAIMS } from '../../kube/resources.js';
import type { Recorder } from '../../kube/recorder.js';
import type { Log } from '../../program/log.js';
import type { CachedJob } from '../cluster/job.js';
import type { CachedPod } from '../cluster/pod.js';
import { builderPod } from './build/builder-pod.js';
import type { Tools } from './build/container.js';
import { OBSOLETE_FINALIZER } from './decide/decide.js';
import { claimKept } from './events.js';
import { exporterJob } from './build/exporter-job.js';
import type { Action, Facts } from './facts.js';
import { claim, configMap, isClaimFor, renderedSecret } from './build/volume-objects.js';
import { artifactNameOf, isOwnOf } from './ownership.js';
import { hasConfig, needsSecret } from './build/volumes.js';

export interface ActDeps {
  kube: Kube;
  artifacts: Pick<Cache<OSArtifact>, 'put'>;
  pods: Pick<Cache<CachedPod>, 'put'>;
  exports: Pick<Cache<CachedJob>, 'put'>;
  tools: Tools;
  recorder: Recorder;
  log: Log;
}

/** A name that is needed is taken: by what is leaving, or by something of somebody else's. */
export class NameTaken extends Error {}

export async function act(facts: Facts, action: Action, hands: ActDeps): Promise<void> {
  const { kube } = hands;
  switch (action.do) {
    case 'build':
      return build(facts, action, hands);
    case 'export':
      return exportBuilt(facts, action, hands);
    case 'deletePod':
      return ignoreNotFound(kube.delete(PODS, nameOf(action.pod), thisOne(action.pod)));
    case 'deleteJob':
      /* It stays until its Pods, which may be reading the files, are gone. */
      return ignoreNotFound(
        kube.delete(JOBS, nameOf(action.job), { ...thisOne(action.job), propagation: 'Foreground' }),
      );
    case 'dropFinalizer':
      return dropFinalizer(facts, hands);
    default:
      return unreachable(action);
  }
}

const nameOf = ({ metadata: { name, namespace } }: Stored): Name => ({ name, namespace });
const thisOne = ({ metadata: { uid } }: Stored): DeleteOptions => ({ uid, propagation: 'Background' });

/** Files first: the Pod is the last, so that where it is, all is. */
async function build(facts: Facts, action: Extract<Action, { do: 'build' }>, hands: ActDeps): Promise<void> {
  const { rendered, ...which } = action;
  const { artifact, build: wanted } = facts;
  const { kube, pods, tools, recorder, log } = hands;
  const { metadata: meta } = artifact;
  const unless = finderOf(facts, hands);
  if (hasConfig(wanted)) {
    const made = configMap(meta, wanted);
    const found = await unless(CONFIG_MAPS, made, kube.create(CONFIG_MAPS, made, meta.namespace));
    if (found) await mergeChange(kube, CONFIG_MAPS, found, { to: { ...found, data: made.data } });
  }
  if (needsSecret(wanted)) {
    const made = renderedSecret(meta, rendered);
    const found = await unless(SECRETS, made, kube.create(SECRETS, made, meta.namespace));
    if (found) await mergeChange(kube, SECRETS, found, { to: { ...found, data: made.data } });
  }
  const place = claim(meta, wanted);
  if (place) {
    const found = await unless(VOLUME_CLAIMS, place, kube.create(VOLUME_CLAIMS, place, meta.namespace));
    if (found && !isClaimFor(place.metadata, found.metadata)) recorder.record(claimKept(artifact, place.metadata.name));
  }
  const pod = builderPod(meta, wanted, which, tools);
  const making = kube.create<CachedPod>(PODS, pod, meta.namespace);
  pods.put((await unless(PODS, pod, making)) ?? (await making));
  log.info({ pod: pod.metadata.name }, 'building');
}

async function exportBuilt(
  facts: Facts,
  { id, index }: Extract<Action, { do: 'export' }>,
  hands: ActDeps,
): Promise<void> {
  const { kube, exports, log } = hands;
  const { metadata: meta } = facts.artifact;
  const job = exporterJob(meta, facts.build, id, index);
  const making = kube.create<CachedJob>(JOBS, job, meta.namespace);
  exports.put((await finderOf(facts, hands)(JOBS, job, making)) ?? (await making));
  log.info({ job: job.metadata.name }, 'exporting');
}

interface Wanted {
  kind: string;
  metadata: Name;
}

/** Of ConfigMaps and Secrets. */
type Found<T> = T & { data?: Record<string, string> };

/** Undefined once it is made; what is there already, if it is ours. */
const finderOf =
  ({ artifact }: Facts, { kube }: ActDeps) =>
  async <T extends Stored>(resource: Resource, wanted: Wanted, making: Promise<T>): Promise<Found<T> | undefined> => {
    try {
      await making;
      return undefined;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const { name, namespace } = wanted.metadata;
    const found = await kube.get<Found<T>>(resource, { name, namespace });
    refuseForeign(wanted.kind, found, artifact);
    return found;
  };

function refuseForeign(kind: string, found: Stored, artifact: OSArtifact): void {
  const { name, deletionTimestamp } = found.metadata;
  const isOwn = isOwnOf(found, artifact);
  const isOfNamesake = !isOwn && artifactNameOf(found)?.name === artifact.metadata.name;
  if (deletionTimestamp !== undefined || isOfNamesake)
    throw new NameTaken(`waiting for the ${kind} "${name}" of an earlier object to be gone`);
  if (!isOwn) throw new NameTaken(`a ${kind} named "${name}" exists and was not made for this object`);
}

async function dropFinalizer({ artifact }: Facts, { kube, artifacts }: ActDeps): Promise<void> {
  const finalizers = artifact.metadata.finalizers?.filter(each => each !== OBSOLETE_FINALIZER);
  const to = { ...artifact, metadata: { ...artifact.metadata, finalizers } };
  artifacts.put(await mergeChange(kube, OS_ARTIFACT, artifact, { to, onlyIfUnchanged: true }));
}

function unreachable(action: never): never {
  throw new Error(`no such action: ${JSON.stringify(action)}`);
}
