/** The controller of OSArtifacts: observe, decide, act and report, one object at a time. */
import { OS_ARTIFACT } from '../../api/kinds.js';
import type { OSArtifact } from '../../api/objects.js';
import { OSArtifactSpec } from '../../api/os-artifact.js';
import { osArtifactFaults } from '../../api/os-artifact-rules.js';
import type { Cache } from '../../kube/cache.js';
import { isForbidden, isInvalid } from '../../kube/errors.js';
import { keyOf, parseKey } from '../../kube/object-key.js';
import type { Kube, Name, Stored } from '../../kube/kube.js';
import { StalenessTracker } from '../../kube/live-read.js';
import { ignoreNotFound } from '../../kube/ignore-not-found.js';
import { ownerNameOf } from '../../kube/owner.js';
import { mergeChange, mergeStatus } from '../../kube/patch.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import type { Recorder } from '../../kube/event-recorder.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import { cutText } from '../../program/cut-text.js';
import type { Log } from '../../program/log.js';
import { namespaceRefusal } from '../cluster/allowed-namespaces.js';
import { ownedBy } from '../cluster/owner-index.js';
import type { CachedJob } from '../cluster/job.js';
import { type CachedPod, isAlive } from '../cluster/pod.js';
import { withWholeSpec } from '../cluster/large-spec.js';
import { withMark } from '../cluster/started-mark.js';
import { act, NameTakenError } from './act.js';
import type { Tools } from './build/container.js';
import { decide } from './decide/decide.js';
import { restoredPlan, shouldMark } from './decide/restored.js';
import { warningEvent } from './events.js';
import type { Facts, Plan } from './facts.js';
import { refreshStale } from './live-reads.js';
import { observe } from './observe.js';
import { RenderingFailedError } from './decide/rendering.js';
import { artifactNameOf, isOwnOf } from './ownership.js';
import type { RenderTemplate } from './rendering/renderer.js';
import { RenderTurns } from './rendering/turns.js';
import { type BuildDetails, newStatus, type StatusSummary, waitingPeriod } from './status.js';
import { isTerminating } from '../cluster/metadata.js';

export interface ArtifactDeps {
  kube: Kube;
  artifacts: Cache<OSArtifact>;
  /** With an index `owner` (`owner-index.ts`). */
  pods: Cache<CachedPod>;
  /** Jobs with the label of an OSArtifact, with the same index. */
  exports: Cache<CachedJob>;
  tools: Tools;
  render: RenderTemplate;
  turns: RenderTurns;
  /** Identifies this run of the controller. */
  run: string;
  recorder: Recorder;
  log: Log;
  clock: Clock;
  /** Namespaces in which builds may start; all when absent or empty. */
  allowedNamespaces?: readonly string[];
}

/** Changes of Secrets and of some inputs cause no watch event, so objects that are not Ready are resynced. */
const RESYNC_MS = 60_000;
const BLOCKED_RECHECK_MS = 5_000;

/** Runs while this replica is the leader. */
export async function artifactController(shared: Omit<ArtifactDeps, 'turns'>, leading: AbortSignal): Promise<void> {
  const { artifacts, pods, exports, log, clock } = shared;
  const deps: ArtifactDeps = { ...shared, turns: new RenderTurns(key => loop.enqueue(key)) };
  const staleness = new StalenessTracker(clock);
  const reconcile = async (key: string) => {
    const artifact = artifacts.get(parseKey(key));
    try {
      if (artifact) await refreshStale(artifact, staleness, deps);
    } catch (error) {
      deps.turns.end(key);
      throw error;
    }
    return reconcileArtifact(parseKey(key), deps);
  };
  const loop = reconciler({ name: 'artifact', reconcile, log, clock, workers: 3 });
  const enqueueOwner = (child: Stored | undefined) => {
    const owner = child && artifactNameOf(child);
    if (owner) loop.enqueue(keyOf(owner));
  };
  /* A Pod of an exporter is owned by a Job, and the Job by the OSArtifact. */
  const enqueueOwnerOfJob = (pod: Stored | undefined) => {
    const job = pod && ownerNameOf(JOBS, pod);
    if (job) enqueueOwner(exports.get(job));
  };
  artifacts.onChange(({ old, new: current }) => {
    if (current) loop.enqueue(keyOf(current.metadata));
    else if (old) staleness.forget(old.metadata.uid);
  });
  pods.onChange(({ old, new: current }) => {
    enqueueOwner(current ?? old);
    enqueueOwnerOfJob(current ?? old);
  });
  exports.onChange(({ old, new: current }) => enqueueOwner(current ?? old));
  for (const artifact of artifacts.list()) loop.enqueue(keyOf(artifact.metadata));
  await loop.run(leading);
}

const isBuilt = ({ metadata, status }: OSArtifact): boolean =>
  status?.phase === 'Ready' && (status.observedGeneration ?? metadata.generation) === metadata.generation;

/** One pass over one OSArtifact. */
export async function reconcileArtifact(at: Name, deps: ArtifactDeps): Promise<Outcome> {
  try {
    const artifact = await withWholeSpec(deps.kube, OS_ARTIFACT, deps.artifacts.get(at));
    return artifact === undefined ? { then: 'settled' } : await reconcileExisting(artifact, deps);
  } finally {
    /* Also without an object: its turn to render may have come after it was deleted. */
    deps.turns.end(keyOf(at));
  }
}

async function reconcileExisting(artifact: OSArtifact, deps: ArtifactDeps): Promise<Outcome> {
  const restored = isTerminating(artifact) ? undefined : restoredPlan(artifact, deps.clock.now());
  if (restored === undefined)
    return reconcileMarked(shouldMark(artifact) ? await mark(artifact, deps) : artifact, deps);
  await report(artifact, restored, deps);
  return { then: 'settled' };
}

/** Returns the object as it is stored then. A policy that strips annotations leaves it without the mark, which prevents nothing. */
async function mark(artifact: OSArtifact, { kube, artifacts }: ArtifactDeps): Promise<OSArtifact> {
  const to = withMark(artifact);
  const saved = await mergeChange(kube, OS_ARTIFACT, artifact, { to, onlyIfUnchanged: true });
  artifacts.put(saved);
  return saved;
}

async function reconcileMarked(artifact: OSArtifact, deps: ArtifactDeps): Promise<Outcome> {
  const now = deps.clock.now();
  const spec = OSArtifactSpec.safeParse(artifact.spec);
  const faults = spec.success ? osArtifactFaults(spec.data) : spec.error.issues;
  const isLive = !isTerminating(artifact);
  /* A finished build stays Ready even if today's rules would not accept it. */
  const isAllowed = spec.success && namespaceRefusal(artifact.metadata.namespace, deps.allowedNamespaces) === undefined;
  if (isLive && isBuilt(artifact) && !isAllowed) return { then: 'settled' };
  const rejection = isLive && !isBuilt(artifact) ? rejectionOf(artifact, faults, deps) : undefined;
  if (rejection) {
    await report(artifact, rejectedPlan(artifact, rejection, now), deps);
    await deleteBuilderPods(artifact, deps);
    return { then: 'settled' };
  }
  const facts = await observe(artifact, spec.data ?? {}, now, deps);
  return applyPlan(facts, decide(facts), { ...deps, log: deps.log.child({ object: keyOf(artifact.metadata) }) });
}

type Problem = Omit<StatusSummary, 'phase'>;

/** Why the object is not built at all; undefined if it may be. */
function rejectionOf(
  { metadata, status }: OSArtifact,
  faults: readonly { path: readonly PropertyKey[]; message: string }[],
  { allowedNamespaces }: ArtifactDeps,
): Problem | undefined {
  if (faults.length > 0) {
    const message = faults
      .map(({ path, message: fault }) => cutText(`spec.${path.join('.')}: ${fault}`, 256))
      .join('; ');
    return { reason: 'InvalidSpec', message: cutText(message) };
  }
  const hasStarted = status?.phase === 'Building' || status?.phase === 'Exporting';
  const message = hasStarted ? undefined : namespaceRefusal(metadata.namespace, allowedNamespaces);
  return message === undefined ? undefined : { reason: 'NamespaceNotAllowed', message };
}

/** Rendering is by turns. What needs no template is not delayed. */
const mayRender = ({ artifact: { metadata } }: Facts, { actions }: Plan, { turns }: ArtifactDeps): boolean =>
  !actions.some(action => action.do === 'build' && action.inputs.template !== undefined) ||
  turns.take(keyOf(metadata), metadata.namespace ?? '');

const QUEUED: Refusal = { reason: 'Waiting', message: 'waiting until other definitions are rendered' };

async function applyPlan(facts: Facts, plan: Plan, deps: ArtifactDeps): Promise<Outcome> {
  const { artifact } = facts;
  if (!mayRender(facts, plan, deps)) {
    await report(artifact, refusedPlan(facts, { ...plan, status: undefined }, QUEUED), deps);
    return { then: 'requeue', afterMs: RESYNC_MS };
  }
  /* A failure is reported before its objects are deleted: the reason could not be derived again without them. */
  const isFirst = plan.status?.phase === 'Error' || plan.reportFirst;
  const first = isFirst ? await report(artifact, plan, deps) : undefined;
  const recorded = { ...facts, artifact: first ?? artifact };
  const blocked = await performActions(recorded, plan, deps);
  /* Everything else is reported after the actions, in one write: the next pass could derive it from the Pod and the Jobs. */
  /* The reason of a failure stays, even if its objects cannot be deleted. */
  const isReported = first && (!blocked || !plan.reportFirst);
  const reported = isReported ? first : await report(recorded.artifact, blocked ?? plan, deps);
  if (blocked) return { then: 'requeue', afterMs: BLOCKED_RECHECK_MS };
  if (reported.status?.phase === 'Ready' && plan.actions.length === 0) return { then: 'settled' };
  return { then: 'requeue', afterMs: Math.min(plan.requeueAfterMs ?? RESYNC_MS, RESYNC_MS) };
}

/** For a spec that became invalid: there is no build that its Pod could belong to. */
async function deleteBuilderPods(artifact: OSArtifact, { kube, pods }: ArtifactDeps): Promise<void> {
  for (const pod of ownedBy(pods, artifact)) {
    const { name, namespace, uid } = pod.metadata;
    if (!isAlive(pod) || !isOwnOf(pod, artifact) || isTerminating(pod)) continue;
    await ignoreNotFound(kube.delete(PODS, { name, namespace }, { uid }));
  }
}

/** Performs the actions in order. A plan is returned if one was refused: it has the status that reports the refusal. */
async function performActions(facts: Facts, plan: Plan, deps: ArtifactDeps): Promise<Plan | undefined> {
  for (const action of plan.actions)
    try {
      await act(facts, action, deps);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return refusedPlan(facts, plan, refusal);
    }
  return undefined;
}

/** `phase`: present if waiting cannot help. */
type Refusal = Problem & { phase?: 'Error' } & Pick<BuildDetails, 'rendering'>;

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof RenderingFailedError) return renderingRefusal(error);
  if (error instanceof NameTakenError) return { reason: 'Waiting', message: error.message };
  if (isForbidden(error)) return { reason: 'Refused', message: error.message };
  return isInvalid(error) ? { phase: 'Error', reason: 'Refused', message: error.message } : undefined;
}

const renderingRefusal = ({ message, isFinal, rendering }: RenderingFailedError): Refusal =>
  isFinal ? { phase: 'Error', reason: 'InvalidInput', message, rendering } : { reason: 'Waiting', message, rendering };

/** A refusal for which waiting may help becomes an error after an hour. Details of the build are kept. */
function refusedPlan(facts: Facts, { status }: Plan, refusal: Refusal): Plan {
  const { artifact, now, id } = facts;
  const before = id !== undefined && artifact.status?.build === id ? artifact.status : {};
  const { waitingSince, isTooLong } = waitingPeriod(artifact, now);
  const phase = refusal.phase ?? (isTooLong ? 'Error' : (status?.phase ?? 'Pending'));
  const { rendering, ...problem } = refusal;
  const details = { ...(status ?? before), waitingSince, ...(rendering ? { rendering } : {}) };
  return problemPlan(artifact, problem, newStatus(artifact, { ...problem, phase }, now, details));
}

const rejectedPlan = (artifact: OSArtifact, rejection: Problem, now: Date): Plan =>
  problemPlan(artifact, rejection, newStatus(artifact, { ...rejection, phase: 'Error' }, now));

const problemPlan = (artifact: OSArtifact, { reason, message }: Problem, status: Plan['status']): Plan => ({
  status,
  events: artifact.status?.message === message ? [] : [warningEvent(artifact, reason, message)],
  actions: [],
});

async function report(artifact: OSArtifact, { status, events }: Plan, deps: ArtifactDeps): Promise<OSArtifact> {
  if (status === undefined) return artifact;
  const saved = await mergeStatus(deps.kube, OS_ARTIFACT, artifact, { status });
  if (saved === artifact) return artifact;
  deps.artifacts.put(saved);
  for (const event of events) deps.recorder.record(event);
  return saved;
}
