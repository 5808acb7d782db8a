/**
 * The operations that the legacy operator has started and that are not migrated yet. They are read once, when this replica leads and the
 * legacy operator has stopped: after that no new ones appear. Until they are migrated, other operations leave their nodes alone.
 */
import { NODE_OP } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { keyOf } from '../../kube/object-key.js';
import type { Kube } from '../../kube/kube.js';
import { listAll } from '../../kube/list-pages.js';
import { JOBS } from '../../kube/resources.js';
import { isAdopted } from '../cluster/adopted-job.js';
import { ownedBy, ownerIndexKey } from '../cluster/owner-index.js';
import type { Caches } from '../cluster/informers.js';
import { pruneJob, type CachedJob } from '../cluster/job.js';
import { isFinal } from '../cluster/phases.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import { isFinishedForLegacy } from './decide-node.js';
import { isBeingDeleted, isRebootPod, isWaitingToReboot } from './reboot-pod.js';
import { isScaledDown, runningLegacyPods, type ScaleDownDeps } from './scale-down.js';

export interface LegacyOperatorDeps extends ScaleDownDeps {
  kube: Pick<Kube, 'list' | 'get' | 'patch'>;
  caches: Caches;
}

/** Its Jobs carry its label, and the one of this operator only once they are adopted. */
const NOT_ADOPTED = `${LABELS.nodeOp},!${LABELS.nodeOpUid}`;

const RECHECK_MS = 2_000;
const LOG_INTERVAL_MS = 30_000;
/** Beyond that, a reboot Pod that no scheduler has given to a node holds none. */
const SCHEDULING_LIMIT_MS = 10 * 60_000;

export class LegacyOperator {
  readonly #caches: Caches;
  /** Jobs that are not adopted yet, by the key of their NodeOp. */
  readonly #jobs = new Map<string, CachedJob[]>();
  /** By uid. Only those that were there at the start: the legacy operator had stopped, so a later one is not its own. */
  readonly #rebootPods = new Map<string, CachedPod>();
  /** Uids of those of a NodeOp that was not migrated then. Labels and owner references prove nothing: anyone who may create Pods can write them. */
  readonly #podsOfNodeOps = new Set<string>();
  readonly leadingSince: Date;
  readonly #schedulingDeadline: Date;

  constructor(caches: Caches, jobs: readonly CachedJob[], leadingSince: Date) {
    this.#caches = caches;
    this.leadingSince = leadingSince;
    this.#schedulingDeadline = new Date(leadingSince.getTime() + SCHEDULING_LIMIT_MS);
    for (const job of jobs) this.rememberJob(job);
    for (const pod of caches.pods.list().filter(isRebootPod)) this.#rememberPod(pod);
    caches.pods.onChange(({ old, new: now }) => {
      if (now && this.#rebootPods.has(now.metadata.uid)) this.#rebootPods.set(now.metadata.uid, now);
      else if (old) this.#rebootPods.delete(old.metadata.uid);
    });
  }

  #rememberPod(pod: CachedPod): void {
    this.#rebootPods.set(pod.metadata.uid, pod);
    const op = this.#nodeOpOf(pod);
    if (op !== undefined && mayBeLegacy(op)) this.#podsOfNodeOps.add(pod.metadata.uid);
  }

  /** In the namespace of the Pod, as an owner always is. */
  #nodeOpOf(pod: CachedPod): NodeOp | undefined {
    const { namespace, labels, ownerReferences = [] } = pod.metadata;
    const names = [labels?.[LABELS.nodeOp] ?? '', ...ownerReferences.map(owner => owner.name)];
    return names
      .map(name => this.#caches.nodeOps.get({ namespace, name }))
      .find(op => op !== undefined && belongsTo(pod, op));
  }

  #claimsNode(pod: CachedPod, now: Date): boolean {
    const isUnscheduled = pod.spec.nodeName === undefined;
    if (!this.#podsOfNodeOps.has(pod.metadata.uid) || (isUnscheduled && now >= this.#schedulingDeadline)) return false;
    if (isBeingDeleted(pod, now)) return true;
    /* A migration deletes the Pods of its NodeOp first, so that one which waits longer reboots for no operation. */
    const op = this.#nodeOpOf(pod);
    return isWaitingToReboot(pod) && (op === undefined || mayBeLegacy(op));
  }

  /** Takes a Job as it was just read: the informer sees Jobs only once they carry the label of this operator. */
  rememberJob(job: CachedJob): void {
    this.#jobs.set(ownerKey(job), [...this.#otherJobs(job), job]);
  }

  /** To be called for a Job that is deleted, or adopted and thereby in the cache. */
  forgetJob(job: CachedJob): void {
    this.#jobs.set(ownerKey(job), this.#otherJobs(job));
  }

  #otherJobs(job: CachedJob): CachedJob[] {
    const jobs = this.#jobs.get(ownerKey(job)) ?? [];
    return jobs.filter(each => each.metadata.uid !== job.metadata.uid);
  }

  /** The legacy operator started this operation, which is neither finished nor migrated. Other controllers must not start it. */
  owns(op: NodeOp): boolean {
    if (!mayBeLegacy(op)) return false;
    return op.status?.phase !== undefined || this.jobsOf(op).length > 0 || this.rebootPodsOf(op).some(isAlive);
  }

  /** The current state of its Jobs, adopted ones included. */
  jobsOf(op: NodeOp): CachedJob[] {
    const adopted = ownedBy(this.#caches.jobs, op).filter(isAdopted);
    const adoptedUids = new Set(adopted.map(job => job.metadata.uid));
    const others = keysOf(op).flatMap(key => this.#jobs.get(key) ?? []);
    return [...adopted, ...others.filter(job => !adoptedUids.has(job.metadata.uid))];
  }

  rebootPodsOf(op: NodeOp): CachedPod[] {
    return this.rebootPods().filter(pod => belongsTo(pod, op));
  }

  rebootPods(): CachedPod[] {
    return [...this.#rebootPods.values()];
  }

  /** Nodes that what the legacy operator left may still disturb, each with namespace and name of the operation. */
  claimedNodes(now: Date): Map<string, string> {
    const nodes = new Map<string, string>();
    for (const pod of this.#rebootPods.values())
      if (this.#claimsNode(pod, now)) nodes.set(nodeNameOf(pod), nodeOpKey(pod));
    for (const op of this.#caches.nodeOps.list()) {
      if (!this.owns(op)) continue;
      const entries = Object.entries(op.status?.nodeStatuses ?? {});
      const unfinished = entries.filter(([, entry]) => !isFinal(entry) || entry.rebootStatus === 'pending');
      const jobNodes = this.jobsOf(op).map(job => job.metadata.labels?.[LABELS.node] ?? '');
      for (const node of [...unfinished.map(([name]) => name), ...jobNodes]) nodes.set(node, keyOf(op.metadata));
    }
    return nodes;
  }
}

/** Neither finished by the legacy operator, nor started or migrated by this one, which records when. */
const mayBeLegacy = (op: NodeOp): boolean => op.status?.startedAt === undefined && !isFinishedForLegacy(op);

type OwnedObject = CachedJob | CachedPod;

/** Namespace and uid of the NodeOp that owns the object, or else namespace and name of the NodeOp in its labels. */
function ownerKey(object: OwnedObject): string {
  const { namespace, ownerReferences } = object.metadata;
  const owner = ownerReferences?.find(({ kind }) => kind === NODE_OP.kind);
  return owner ? ownerIndexKey({ namespace, uid: owner.uid }) : nodeOpKey(object);
}

/** The keys under which its objects may be found. */
const keysOf = ({ metadata }: NodeOp): string[] => [ownerIndexKey(metadata), keyOf(metadata)];

const nodeOpKey = ({ metadata }: OwnedObject): string =>
  keyOf({ namespace: metadata.namespace, name: metadata.labels?.[LABELS.nodeOp] ?? '' });

/** The node that a Pod runs on, or is meant for. */
export const nodeNameOf = ({ metadata, spec }: CachedPod): string =>
  spec.nodeName ?? metadata.labels?.[LABELS.node] ?? '';

export const belongsTo = (object: OwnedObject, op: NodeOp): boolean => keysOf(op).includes(ownerKey(object));

/** Waits until no Pod of the legacy operator can write any more, and then reads what it has created. */
export async function waitForLegacyOperatorToEnd(
  deps: LegacyOperatorDeps,
  leading: AbortSignal,
): Promise<LegacyOperator> {
  const { clock, log, caches, ownNamespace } = deps;
  let loggedAt: number | undefined;
  while (!leading.aborted) {
    const pods = runningLegacyPods(caches.pods.list(), ownNamespace, clock.now()).map(pod => pod.metadata.name);
    /* Scaled down on every check: its Deployment may be scaled up again during the wait. */
    const isDown = await isScaledDown(deps);
    if (pods.length === 0 && isDown) {
      const jobs = await listJobs(deps);
      if (jobs !== undefined) return new LegacyOperator(caches, jobs, clock.now());
    } else if (loggedAt === undefined || clock.monotonic() - loggedAt >= LOG_INTERVAL_MS) {
      loggedAt = clock.monotonic();
      log.warn({ pods }, 'waiting for the Go operator to stop');
    }
    await clock.sleep(RECHECK_MS, leading);
  }
  return new LegacyOperator(caches, [], clock.now());
}

/** Its Jobs that are not adopted yet; undefined if the API server did not answer. */
async function listJobs({ kube, log }: LegacyOperatorDeps): Promise<CachedJob[] | undefined> {
  try {
    return (await listAll<CachedJob>(kube, JOBS, { labelSelector: NOT_ADOPTED, reduce: pruneJob })).items;
  } catch (error) {
    log.warn({ err: error }, 'cannot list the Jobs of the Go operator');
    return undefined;
  }
}
