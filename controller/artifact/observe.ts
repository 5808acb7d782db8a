/** Gathers what the caches know of an OSArtifact; Secrets, which nobody watches, are read where a build may begin. */
import { ANNOTATIONS } from '../../api/names.js';
import type { OSArtifactSpec } from '../../api/os-artifact.js';
import type { OSArtifact } from '../../api/objects.js';
import { shortHash } from '../../api/resource-name.js';
import type { Cache } from '../../kube/cache.js';
import type { Kube, Stored } from '../../kube/kube.js';
import { isControlledBy } from '../../kube/owner.js';
import type { SeenJob, SeenPod } from '../seen.js';
import { type Build, buildOf } from './build.js';
import type { Facts, Input } from './facts.js';
import { isOf, readInput } from './inputs.js';

export interface View {
  kube: Pick<Kube, 'get'>;
  /** With an index `owner`: uids of the owners. */
  pods: Pick<Cache<SeenPod>, 'by'>;
  /** Of exporters; with the same index. */
  exports: Pick<Cache<SeenJob>, 'by'>;
}

const buildOfChild = ({ metadata }: Stored): string | undefined => metadata.annotations?.[ANNOTATIONS.build];

/** Another spec is another build; so is the same one, asked for again. */
const specIdOf = ({ metadata }: OSArtifact, spec: OSArtifactSpec): string =>
  shortHash(JSON.stringify(spec), metadata.annotations?.[ANNOTATIONS.retry] ?? '');

export async function observe(artifact: OSArtifact, spec: OSArtifactSpec, now: Date, view: View): Promise<Facts> {
  const { status, metadata } = artifact;
  const build = buildOf(metadata.name, spec);
  const specId = specIdOf(artifact, spec);
  const pods = view.pods.by('owner', metadata.uid).filter(pod => isControlledBy(pod, artifact));
  const jobs = view.exports.by('owner', metadata.uid).filter(job => isControlledBy(job, artifact));
  const known = [status?.build, ...pods.map(buildOfChild)].find(id => isOf(specId, id));
  const input = await inputOf({ artifact, known, build, specId }, view);
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
    jobs: new Map(jobs.filter(job => !isStale(job)).map(job => [indexOf(job), job])),
    stale: { pods: pods.filter(isStale), jobs: jobs.filter(isStale) },
  };
}

const indexOf = ({ metadata }: SeenJob) => Number(metadata.annotations?.[ANNOTATIONS.exportIndex] ?? -1);

interface Asked {
  artifact: OSArtifact;
  known: string | undefined;
  build: Build;
  specId: string;
}

/** A build that has begun goes on with what it began with; one that failed may be begun anew with something better. */
async function inputOf({ artifact, known, build, specId }: Asked, { kube, pods }: View): Promise<Input> {
  const { metadata, status } = artifact;
  if (metadata.deletionTimestamp !== undefined) return { is: 'unread' };
  const isOfStatus = known !== undefined && status?.build === known;
  const hasPod = pods.by('owner', metadata.uid).some(pod => buildOfChild(pod) === known);
  const isPast = isOfStatus && (status?.phase === 'Ready' || status?.phase === 'Exporting');
  const hasFailed = isOfStatus && status?.phase === 'Error';
  if (known !== undefined && (isPast || (hasPod && !hasFailed))) return { is: 'unread' };
  return readInput(build, specId, { kube, namespace: metadata.namespace });
}
