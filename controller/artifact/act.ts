/** Performs the actions of a plan. */
import { OS_ARTIFACT } from '../../api/kinds.js';
import type { OSArtifact } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import { isAlreadyExists } from '../../kube/errors.js';
import type { DeleteOptions, Kube, Name, Resource, Stored } from '../../kube/kube.js';
import { ignoreNotFound } from '../../kube/ignore-not-found.js';
import { mergeChange } from '../../kube/patch.js';
import type { Recorder } from '../../kube/event-recorder.js';
import { CONFIG_MAPS, JOBS, PODS, SECRETS, VOLUME_CLAIMS } from '../../kube/resources.js';
import type { Log } from '../../program/log.js';
import type { CachedJob } from '../cluster/job.js';
import type { CachedPod } from '../cluster/pod.js';
import { builderPod } from './build/builder-pod.js';
import type { Tools } from './build/container.js';
import { exporterJob } from './build/exporter-job.js';
import { configMap, isClaimFor, type Rendered, renderedSecret, volumeClaim } from './build/volume-objects.js';
import { hasConfig, needsSecret } from './build/volumes.js';
import { RenderingFailedError, startedRendering } from './decide/rendering.js';
import { claimKept, warningEvent } from './events.js';
import { type Action, type Facts, LEGACY_FINALIZER } from './facts.js';
import { dockerfileOf } from './inputs/dockerfile.js';
import { artifactNameOf, isOwnOf } from './ownership.js';
import type { RenderTemplate } from './rendering/renderer.js';
import { isTerminating } from '../cluster/metadata.js';

export interface ActDeps {
  kube: Kube;
  artifacts: Pick<Cache<OSArtifact>, 'put'>;
  pods: Pick<Cache<CachedPod>, 'put'>;
  exports: Pick<Cache<CachedJob>, 'put'>;
  tools: Tools;
  render: RenderTemplate;
  recorder: Recorder;
  log: Log;
}

/** The name of an object to create is taken by a terminating object, or by one that does not belong to this OSArtifact. */
export class NameTakenError extends Error {}

export async function act(facts: Facts, action: Action, deps: ActDeps): Promise<void> {
  const { kube } = deps;
  switch (action.do) {
    case 'build':
      return startBuild(facts, action, deps);
    case 'export':
      return startExporter(facts, action, deps);
    case 'deletePod':
      return ignoreNotFound(kube.delete(PODS, nameOf(action.pod), onlyThisUid(action.pod)));
    case 'deleteJob':
      /* The Job stays until its Pods, which may be reading the files, are deleted. */
      return ignoreNotFound(
        kube.delete(JOBS, nameOf(action.job), { ...onlyThisUid(action.job), propagation: 'Foreground' }),
      );
    case 'removeLegacyFinalizer':
      return removeLegacyFinalizer(facts, deps);
    default:
      return unreachable(action);
  }
}

const nameOf = ({ metadata: { name, namespace } }: Stored): Name => ({ name, namespace });
const onlyThisUid = ({ metadata: { uid } }: Stored): DeleteOptions => ({ uid, propagation: 'Background' });

/** The Pod is created last: where it exists, its volumes exist, too. */
async function startBuild(facts: Facts, action: Extract<Action, { do: 'build' }>, deps: ActDeps): Promise<void> {
  const { id, attempt, inputs } = action;
  const { artifact, build } = facts;
  const rendered = await renderedOf(facts, action, deps);
  const { kube, pods, tools, recorder, log } = deps;
  const { metadata } = artifact;
  const create = creatorFor(facts, deps);
  if (hasConfig(build)) {
    const wanted = configMap(metadata, build);
    const { existing } = await create<WithData>(CONFIG_MAPS, wanted);
    if (existing) await mergeChange(kube, CONFIG_MAPS, existing, { to: { ...existing, data: wanted.data } });
  }
  if (needsSecret(build)) {
    const wanted = renderedSecret(metadata, rendered);
    const { existing } = await create<WithData>(SECRETS, wanted);
    if (existing) await mergeChange(kube, SECRETS, existing, { to: { ...existing, data: wanted.data } });
  }
  const claim = volumeClaim(metadata, build);
  if (claim) {
    const { existing } = await create(VOLUME_CLAIMS, claim);
    if (existing && !isClaimFor(claim.metadata, existing.metadata))
      recorder.record(claimKept(artifact, claim.metadata.name));
  }
  const { created, existing } = await create<CachedPod>(PODS, builderPod(metadata, build, { id, attempt }, tools));
  pods.put(existing ?? created);
  if (created) for (const message of inputs.warnings) recorder.record(warningEvent(artifact, 'InputIgnored', message));
  log.info({ pod: (existing ?? created).metadata.name }, 'building');
}

/** What the Secret of the build contains. Throws a `RenderingFailedError`. */
async function renderedOf(
  { artifact, build: { source }, run }: Facts,
  { id, inputs: { template, credentials } }: Extract<Action, { do: 'build' }>,
  { render, tools: { kairosInit } }: ActDeps,
): Promise<Rendered> {
  if (source.is !== 'dockerfile') return { credentials };
  if (!template) return { credentials, dockerfile: dockerfileOf(source, kairosInit, undefined) };
  const { what, ...job } = template;
  const outcome = await render(job);
  if (outcome.is === 'text') return { credentials, dockerfile: dockerfileOf(source, kairosInit, outcome.text) };
  const isFault = outcome.is === 'fault';
  const message = `${what}${isFault ? ', ' : ': the template '}${outcome.message}`;
  throw new RenderingFailedError(message, startedRendering(artifact.status, id, run), isFault);
}

async function startExporter(
  facts: Facts,
  { id, index, node }: Extract<Action, { do: 'export' }>,
  deps: ActDeps,
): Promise<void> {
  const { exports, log } = deps;
  const job = exporterJob(facts.artifact.metadata, facts.build, { id, index, node });
  const { created, existing } = await creatorFor(facts, deps)<CachedJob>(JOBS, job);
  exports.put(existing ?? created);
  log.info({ job: job.metadata.name }, 'exporting');
}

interface Wanted {
  kind: string;
  metadata: Name;
}

/** A ConfigMap or Secret. */
type WithData = Stored & { data?: Record<string, string> };

/** The new object, or the one that an earlier pass has created. */
type Creation<T> = { created: T; existing?: undefined } | { created?: undefined; existing: T };

/** Creates an object unless it exists. Throws a `NameTakenError` if the existing one does not belong to the OSArtifact. */
const creatorFor =
  ({ artifact }: Facts, { kube }: ActDeps) =>
  async <T extends Stored>(resource: Resource, wanted: Wanted): Promise<Creation<T>> => {
    const { name, namespace } = wanted.metadata;
    try {
      return { created: await kube.create<T>(resource, wanted, artifact.metadata.namespace) };
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const existing = await kube.get<T>(resource, { name, namespace });
    refuseForeign(wanted.kind, existing, artifact);
    return { existing };
  };

function refuseForeign(kind: string, existing: Stored, artifact: OSArtifact): void {
  const { name } = existing.metadata;
  const isOwn = isOwnOf(existing, artifact);
  const isOfNamesake = !isOwn && artifactNameOf(existing)?.name === artifact.metadata.name;
  if (isTerminating(existing) || isOfNamesake)
    throw new NameTakenError(`waiting for the ${kind} "${name}" of an earlier object to be deleted`);
  if (!isOwn) throw new NameTakenError(`a ${kind} named "${name}" exists and does not belong to this object`);
}

async function removeLegacyFinalizer({ artifact }: Facts, { kube, artifacts }: ActDeps): Promise<void> {
  const finalizers = artifact.metadata.finalizers?.filter(each => each !== LEGACY_FINALIZER);
  const to = { ...artifact, metadata: { ...artifact.metadata, finalizers } };
  artifacts.put(await mergeChange(kube, OS_ARTIFACT, artifact, { to, onlyIfUnchanged: true }));
}

function unreachable(action: never): never {
  throw new Error(`no such action: ${JSON.stringify(action)}`);
}
