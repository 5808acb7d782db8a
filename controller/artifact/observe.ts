/** Gathers what the caches know of an OSArtifact; Secrets, which nobody watches, are read where a build may begin. */
import { ANNOTATIONS } from '../../api/names.js';
import type { OSArtifactSpec } from '../../api/os-artifact.js';
import type { OSArtifact } from '../../api/objects.js';
import { shortHash } from '../../api/resource-name.js';
import type { Cache } from '../../kube/cache.js';
import type { Kube, Stored } from '../../kube/kube.js';
import type { CachedJob } from '../cluster/job.js';
import type { CachedPod } from '../cluster/pod.js';
import { type Build, buildOf } from './build/build.js';
import type { Export } from './progress/exporter-progress.js';
import type { Facts, Input } from './facts.js';
import { isOf, readInput } from './inputs/inputs.js';
import { namesFor } from './build/object-names.js';
import { isOwnOf } from './ownership.js';

export interface View {
  kube: Pick<Kube, 'get'>;
  /** With an index `owner`: uids of the owners. */
  pods: Pick<Cache<CachedPod>, 'byIndex'>;
  /** Of exporters; with the same index. */
  exports: Pick<Cache<CachedJob>, 'byIndex'>;
}

const buildOfChild = ({ metadata }: Stored): string | undefined => metadata.annotations?.[ANNOTATIONS.build];

/** Whatever the order of the fields. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([key, one]) => [key, sorted(one)]));
}

/** Another spec is another build; so is the same one, asked for again. */
const specIdOf = ({ metadata }: OSArtifact, spec: OSArtifactSpec): string =>
  shortHash(JSON.stringify(sorted(spec)), metadata.annotations?.[ANNOTATIONS.retry] ?? '');

export async function observe(artifact: OSArtifact, spec: OSArtifactSpec, now: Date, view: View): Promise<Facts> {
  const { status, metadata } = artifact;
  const build = buildOf(metadata.name, spec);
  const specId = specIdOf(artifact, spec);
  const pods = view.pods.byIndex('owner', metadata.uid).filter(pod => isOwnOf(pod, artifact));
  const jobs = view.exports.byIndex('owner', metadata.uid).filter(job => isOwnOf(job, artifact));
  /* What is being deleted stands for nothing: it may be that of an earlier input. */
  const staying = pods.filter(pod => pod.metadata.deletionTimestamp === undefined).map(buildOfChild);
  const known = [status?.build, ...staying].find(id => isOf(specId, id));
  const hasPod = known !== undefined && staying.includes(known);
  const input = await inputOf({ artifact, known, hasPod, build, specId }, view);
  const id = input.is === 'ready' ? input.id : known;
  const isStale = (child: Stored) => buildOfChild(child) !== id;
  return {
    now,
    artifact,
    build,
    specId,
    id,
    input,
    pod: pods.find(pod => !isStale(pod)),
    exporters: exportersOf(
      artifact,
      build,
      jobs.filter(job => !isStale(job)),
      view,
    ),
    stale: { pods: pods.filter(isStale), jobs: jobs.filter(isStale) },
  };
}

const indexOf = ({ metadata }: CachedJob) => Number(metadata.annotations?.[ANNOTATIONS.exportIndex] ?? -1);

function exportersOf({ metadata }: OSArtifact, build: Build, jobs: readonly CachedJob[], { pods }: View): Export[] {
  const names = namesFor(metadata.name);
  return build.exporters.map((_, index) => {
    const job = jobs.find(each => indexOf(each) === index);
    return { name: names.exporter(index), job, pods: job ? pods.byIndex('owner', job.metadata.uid) : [] };
  });
}

interface Asked {
  artifact: OSArtifact;
  known: string | undefined;
  hasPod: boolean;
  build: Build;
  specId: string;
}

/** A build that has begun goes on with what it began with; one that failed may be begun anew with something better. */
async function inputOf({ artifact, known, hasPod, build, specId }: Asked, { kube }: View): Promise<Input> {
  const { metadata, status } = artifact;
  if (metadata.deletionTimestamp !== undefined) return { is: 'unread' };
  const phase = status?.build === known ? status?.phase : undefined;
  const isPast = phase === 'Ready' || phase === 'Exporting';
  if (known !== undefined && (isPast || (hasPod && phase !== 'Error'))) return { is: 'unread' };
  return readInput(build, specId, { kube, namespace: metadata.namespace });
}
