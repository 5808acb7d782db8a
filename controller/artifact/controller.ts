/** What is watched for OSArtifacts, and the loop over one of them: observe, decide, report, act. */
import { OS_ARTIFACT } from '../../api/kinds.js';
import { OSArtifactSpec } from '../../api/os-artifact.js';
import { osArtifactFaults } from '../../api/os-artifact-rules.js';
import type { OSArtifact } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import { isForbidden, isInvalid } from '../../kube/errors.js';
import { keyOf, parseKey } from '../../kube/key.js';
import type { Kube, Name, Stored } from '../../kube/kube.js';
import { StalenessTracker } from '../../kube/live-read.js';
import { ignoreNotFound } from '../../kube/ignore-not-found.js';
import { ownerNameOf } from '../../kube/owner.js';
import { mergeStatus } from '../../kube/patch.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import type { Recorder } from '../../kube/recorder.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import { namespaceRefusal } from '../cluster/allowed-namespaces.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import type { CachedJob } from '../cluster/job.js';
import { act, NameTaken } from './act.js';
import type { Tools } from './build/container.js';
import { decide } from './decide/decide.js';
import { warn } from './events.js';
import type { Facts, Plan } from './facts.js';
import { observe } from './observe.js';
import { artifactNameOf, isOwnOf } from './ownership.js';
import { refreshStale } from './live-reads.js';
import { lackingFor, told, type Told } from './status.js';

export interface ArtifactDeps {
  kube: Kube;
  artifacts: Cache<OSArtifact>;
  /** With an index `owner`: uids of a Pod's owners. */
  pods: Cache<CachedPod>;
  /** Jobs with the label of an OSArtifact; with the same index. */
  exports: Cache<CachedJob>;
  tools: Tools;
  recorder: Recorder;
  log: Log;
  clock: Clock;
  /** Where builds are begun; everywhere when absent or empty. */
  allowedNamespaces?: readonly string[];
}

/** Nothing is heard of a broken promise, nor of a Secret put right: look at whatever is not Ready now and then. */
const RESYNC_MS = 60_000;
const BLOCKER_RECHECK_MS = 5_000;

/** Works while this replica leads. */
export async function artifactController(deps: ArtifactDeps, leading: AbortSignal): Promise<void> {
  const { artifacts, pods, exports, log, clock } = deps;
  const staleness = new StalenessTracker(clock);
  const reconcile = async (key: string) => {
    const artifact = artifacts.get(parseKey(key));
    if (artifact) await refreshStale(artifact, staleness, deps);
    return reconcileArtifact(parseKey(key), deps);
  };
  const loop = reconciler({ name: 'artifact', reconcile, log, clock, workers: 2 });
  const ofChild = (child: Stored | undefined) => {
    const owner = child && artifactNameOf(child);
    if (owner) loop.enqueue(keyOf(owner));
  };
  /* Its Job knows the object. */
  const ofExport = (pod: Stored | undefined) => {
    const job = pod && ownerNameOf(JOBS, pod);
    if (job) ofChild(exports.get(job));
  };
  artifacts.onChange(({ old, new: now }) => {
    if (now) loop.enqueue(keyOf(now.metadata));
    else if (old) staleness.forget(old.metadata.uid);
  });
  pods.onChange(({ old, new: now }) => {
    ofChild(now ?? old);
    ofExport(now ?? old);
  });
  exports.onChange(({ old, new: now }) => ofChild(now ?? old));
  for (const artifact of artifacts.list()) loop.enqueue(keyOf(artifact.metadata));
  await loop.run(leading);
}

/** What was built under older rules stays built. */
const isBuilt = ({ metadata, status }: OSArtifact): boolean =>
  status?.phase === 'Ready' && (status.observedGeneration ?? metadata.generation) === metadata.generation;

/** One pass over one OSArtifact. */
export async function reconcileArtifact(at: Name, deps: ArtifactDeps): Promise<Outcome> {
  const artifact = deps.artifacts.get(at);
  if (artifact === undefined) return { then: 'settled' };
  const now = deps.clock.now();
  const spec = OSArtifactSpec.safeParse(artifact.spec);
  const faults = spec.success ? osArtifactFaults(spec.data) : spec.error.issues;
  const isDeleted = artifact.metadata.deletionTimestamp !== undefined;
  const isLeft = !spec.success || namespaceRefusal(at.namespace, deps.allowedNamespaces) !== undefined;
  if (!isDeleted && isBuilt(artifact) && isLeft) return { then: 'settled' };
  const refused = isDeleted || isBuilt(artifact) ? undefined : refusal(artifact, faults, deps);
  if (refused) {
    await report(artifact, failing(artifact, refused, now), deps);
    await stopBuilding(artifact, deps);
    return { then: 'settled' };
  }
  const facts = await observe(artifact, spec.data ?? {}, now, deps);
  return carryOut(facts, decide(facts), { ...deps, log: deps.log.child({ object: keyOf(artifact.metadata) }) });
}

/** Why nothing is built of it, whatever else there is. */
function refusal(
  { metadata, status }: OSArtifact,
  faults: readonly { path: readonly PropertyKey[]; message: string }[],
  { allowedNamespaces }: ArtifactDeps,
): Omit<Told, 'phase'> | undefined {
  if (faults.length > 0) {
    const message = faults.map(each => `spec.${each.path.join('.')}: ${each.message}`).join('; ');
    return { reason: 'InvalidSpec', message };
  }
  const isUnderWay = status?.phase === 'Building' || status?.phase === 'Exporting';
  const message = isUnderWay ? undefined : namespaceRefusal(metadata.namespace, allowedNamespaces);
  return message === undefined ? undefined : { reason: 'NamespaceNotAllowed', message };
}

async function carryOut(facts: Facts, plan: Plan, deps: ArtifactDeps): Promise<Outcome> {
  const { artifact } = facts;
  /* An end is told before what it ends is removed: else nobody would know why. */
  const ended = plan.status?.phase === 'Error' ? await report(artifact, plan, deps) : undefined;
  const obstacle = await actAll(facts, plan, deps);
  /* All else is told after the acts, and once: what a status says can be seen again from the Pod and the Jobs. */
  const reported = ended ?? (await report(artifact, obstacle ?? plan, deps));
  if (obstacle) return { then: 'requeue', afterMs: BLOCKER_RECHECK_MS };
  if (reported.status?.phase === 'Ready' && plan.actions.length === 0) return { then: 'settled' };
  return { then: 'requeue', afterMs: Math.min(plan.requeueAfterMs ?? RESYNC_MS, RESYNC_MS) };
}

/** Nobody can say what the Pod of a spec that is wrong now is good for. */
async function stopBuilding(artifact: OSArtifact, { kube, pods }: ArtifactDeps): Promise<void> {
  for (const pod of pods.byIndex('owner', artifact.metadata.uid)) {
    const { name, namespace, uid, deletionTimestamp } = pod.metadata;
    if (!isAlive(pod) || !isOwnOf(pod, artifact) || deletionTimestamp !== undefined) continue;
    await ignoreNotFound(kube.delete(PODS, { name, namespace }, { uid }));
  }
}

/** What keeps something from being made, as a status; undefined if all was made. */
async function actAll(facts: Facts, plan: Plan, deps: ArtifactDeps): Promise<Plan | undefined> {
  for (const action of plan.actions)
    try {
      await act(facts, action, deps);
    } catch (error) {
      if (error instanceof NameTaken) return hindered(facts, plan, { reason: 'Waiting', message: error.message });
      if (isForbidden(error)) return hindered(facts, plan, { reason: 'Refused', message: error.message });
      if (!isInvalid(error)) throw error;
      return hindered(facts, plan, { phase: 'Error', reason: 'Refused', message: error.message });
    }
  return undefined;
}

/** It may yet be let in, for an hour, unless it is said to be an error. What is known of the build stays known. */
function hindered(facts: Facts, { status }: Plan, words: Omit<Told, 'phase'> & Partial<Told>): Plan {
  const { artifact, now, id } = facts;
  const before = id !== undefined && artifact.status?.build === id ? artifact.status : {};
  const { waitingSince, isLate } = lackingFor(artifact, now);
  const phase = words.phase ?? (isLate ? 'Error' : (status?.phase ?? 'Pending'));
  const known = { ...(status ?? before), waitingSince };
  return { ...said(artifact, words), status: told(artifact, { ...words, phase }, now, known) };
}

const said = (artifact: OSArtifact, { reason, message }: Pick<Told, 'reason' | 'message'>): Plan => ({
  events: artifact.status?.message === message ? [] : [warn(artifact, reason, message)],
  actions: [],
});

function failing(artifact: OSArtifact, words: Omit<Told, 'phase'>, now: Date): Plan {
  return { ...said(artifact, words), status: told(artifact, { ...words, phase: 'Error' }, now) };
}

async function report(artifact: OSArtifact, { status, events }: Plan, deps: ArtifactDeps): Promise<OSArtifact> {
  if (status === undefined) return artifact;
  const saved = await mergeStatus(deps.kube, OS_ARTIFACT, artifact, { status });
  if (saved === artifact) return artifact;
  deps.artifacts.put(saved);
  for (const event of events) deps.recorder.record(event);
  return saved;
}
