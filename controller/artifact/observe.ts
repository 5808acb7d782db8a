/** Gathers what the caches have about an OSArtifact. Secrets are not watched: they are read when a build may start. */
import { ANNOTATIONS } from '../../api/names.js';
import type { OSArtifact } from '../../api/objects.js';
import type { OSArtifactSpec } from '../../api/os-artifact.js';
import { shortHash } from '../../api/resource-name.js';
import type { Cache } from '../../kube/cache.js';
import type { Kube, Stored } from '../../kube/kube.js';
import type { CachedJob } from '../cluster/job.js';
import { ownedBy } from '../cluster/owner-index.js';
import type { CachedPod } from '../cluster/pod.js';
import { type Build, buildOf } from './build/build.js';
import { namesFor } from './build/object-names.js';
import type { Facts, InputState } from './facts.js';
import { claimOf } from './build/volumes.js';
import { isExclusiveClaim } from './claim-access.js';
import { isBuildOf, readInput } from './inputs/inputs.js';
import { isOwnOf } from './ownership.js';
import { progressOf } from './progress/builder-progress.js';
import type { Exporter } from './progress/exporter-progress.js';
import { isTerminating } from '../cluster/metadata.js';

export interface View {
  kube: Pick<Kube, 'get'>;
  /** With an index `owner`: UIDs of the owners. */
  pods: Pick<Cache<CachedPod>, 'byIndex'>;
  /** Jobs of exporters, with the same index. */
  exports: Pick<Cache<CachedJob>, 'byIndex'>;
  /** Identifies this run of the controller. */
  run: string;
}

const buildIdOf = ({ metadata }: Stored): string | undefined => metadata.annotations?.[ANNOTATIONS.build];

/** Sorts fields by name, so that their order does not change a hash. */
function sortFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortFields);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([key, field]) => [key, sortFields(field)]));
}

/** Changes with the spec, and with the annotation that requests a retry. */
const specIdOf = ({ metadata }: OSArtifact, spec: OSArtifactSpec): string =>
  shortHash(JSON.stringify(sortFields(spec)), metadata.annotations?.[ANNOTATIONS.retry] ?? '');

export async function observe(artifact: OSArtifact, spec: OSArtifactSpec, now: Date, view: View): Promise<Facts> {
  const { status, metadata } = artifact;
  const build = buildOf(metadata.name, spec);
  const specId = specIdOf(artifact, spec);
  const pods = ownedBy(view.pods, artifact).filter(pod => isOwnOf(pod, artifact));
  const jobs = ownedBy(view.exports, artifact).filter(job => isOwnOf(job, artifact));
  /* A terminating Pod does not prove that its build is the current one: it may be deleted because an input changed. */
  const podBuilds = pods.filter(pod => !isTerminating(pod)).map(buildIdOf);
  const known = [status?.build, ...podBuilds].find(id => isBuildOf(specId, id));
  const hasPod = known !== undefined && podBuilds.includes(known);
  const input = await inputOf({ artifact, known, hasPod, build, specId }, view);
  const id = input.is === 'ready' ? input.id : known;
  const isStale = (child: Stored) => buildIdOf(child) !== id;
  const exporters = exportersOf(
    artifact,
    build,
    jobs.filter(job => !isStale(job)),
    view,
  );
  const pod = pods.find(each => !isStale(each));
  const isBuilt = status?.phase === 'Exporting' || (pod !== undefined && progressOf(pod, now, now).is === 'succeeded');
  return {
    now,
    run: view.run,
    artifact,
    build,
    specId,
    id,
    input,
    pod,
    exporters,
    isExclusive: isBuilt && (await isExclusive(artifact, build, exporters, view)),
    stale: { pods: pods.filter(isStale), jobs: jobs.filter(isStale) },
  };
}

const indexOf = ({ metadata }: CachedJob) => Number(metadata.annotations?.[ANNOTATIONS.exportIndex] ?? -1);

function exportersOf({ metadata }: OSArtifact, build: Build, jobs: readonly CachedJob[], { pods }: View): Exporter[] {
  const names = namesFor(metadata.name);
  return build.exporters.map((_, index) => {
    const job = jobs.find(each => indexOf(each) === index);
    return { name: names.exporter(index), job, pods: job ? ownedBy(pods, job) : [] };
  });
}

/** Only matters where a second exporter is yet to be started. */
async function isExclusive(
  { metadata: { name, namespace } }: OSArtifact,
  build: Build,
  exporters: readonly Exporter[],
  { kube }: View,
): Promise<boolean> {
  const claim = claimOf(build, namesFor(name));
  if (claim === undefined || exporters.length < 2 || exporters.every(({ job }) => job)) return false;
  return await isExclusiveClaim({ name: claim, namespace }, kube);
}

interface InputQuestion {
  artifact: OSArtifact;
  known: string | undefined;
  hasPod: boolean;
  build: Build;
  specId: string;
}

/** A running build keeps the inputs that it started with. A failed one reads them again, since changed inputs start another build. */
async function inputOf({ artifact, known, hasPod, build, specId }: InputQuestion, { kube }: View): Promise<InputState> {
  const { metadata, status } = artifact;
  if (isTerminating(artifact)) return { is: 'unread' };
  const phase = status?.build === known ? status?.phase : undefined;
  const isBuilt = phase === 'Ready' || phase === 'Exporting';
  if (known !== undefined && (isBuilt || (hasPod && phase !== 'Error'))) return { is: 'unread' };
  return readInput(build, specId, { kube, namespace: metadata.namespace });
}
