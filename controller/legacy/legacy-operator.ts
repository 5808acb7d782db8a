/**
 * What an earlier operator has under way, as long as we have not taken it over. Read once, when we begin to lead and it has ended: after that
 * nobody makes more of it. Other operations leave these nodes alone meanwhile.
 */
import { NODE_OP } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { keyOf } from '../../kube/key.js';
import type { Kube } from '../../kube/kube.js';
import type { Recorder } from '../../kube/recorder.js';
import { JOBS } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import { isFinal } from '../cluster/phases.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import { pruneJob, type CachedJob } from '../cluster/job.js';
import { isAdopted } from '../cluster/adopted-job.js';
import { isCalled, isFinishedForLegacy } from './decide-node.js';
import { isRebootPod } from './reboot-pod.js';
import { legacyPods, isScaledDown } from './scale-down.js';

export interface LegacyOperatorDeps {
  kube: Pick<Kube, 'list' | 'get' | 'patch'>;
  recorder: Recorder;
  caches: Caches;
  log: Log;
  clock: Clock;
  ownNamespace: string;
}

/** Its Jobs have its label, and not yet ours. */
const ITS_JOBS = `${LABELS.nodeOp},!${LABELS.nodeOpUid}`;

const RECHECK_MS = 2_000;
const SAY_MS = 30_000;

export class LegacyOperator {
  readonly #caches: Caches;
  /** By their NodeOp. */
  readonly #jobs = new Map<string, CachedJob[]>();
  readonly #rebootPods = new Map<string, CachedPod>();
  readonly since: Date;

  constructor(caches: Caches, jobs: readonly CachedJob[], since: Date) {
    this.#caches = caches;
    this.since = since;
    for (const job of jobs) this.know(job);
    for (const pod of caches.pods.list()) this.#note(pod);
    caches.pods.onChange(({ old, new: now }) => {
      if (old) this.#rebootPods.delete(old.metadata.uid);
      if (now) this.#note(now);
    });
  }

  #note(pod: CachedPod): void {
    if (isRebootPod(pod)) this.#rebootPods.set(pod.metadata.uid, pod);
  }

  /** As it was just read: nothing tells of changes of a Job before it carries our label. */
  know(job: CachedJob): void {
    this.#jobs.set(whose(job), [...this.#without(job), job]);
  }

  /** It is gone, or watched from now on. */
  drop(job: CachedJob): void {
    this.#jobs.set(whose(job), this.#without(job));
  }

  #without(job: CachedJob): CachedJob[] {
    const known = this.#jobs.get(whose(job)) ?? [];
    return known.filter(each => each.metadata.uid !== job.metadata.uid);
  }

  /** Begun by it, not ended, and not ours yet: not to be begun by us. */
  holds(op: NodeOp): boolean {
    const { status } = op;
    if (status?.startedAt !== undefined || isFinishedForLegacy(op)) return false;
    return status?.phase !== undefined || this.jobsOf(op).length > 0 || this.rebootPodsOf(op).some(isAlive);
  }

  /** As they are now, those that carry our mark already included. */
  jobsOf(op: NodeOp): CachedJob[] {
    const seen = this.#caches.jobs.byIndex('owner', op.metadata.uid).filter(isAdopted);
    const known = new Set(seen.map(job => job.metadata.uid));
    const others = [op.metadata.uid, keyOf(op.metadata)].flatMap(key => this.#jobs.get(key) ?? []);
    return [...seen, ...others.filter(job => !known.has(job.metadata.uid))];
  }

  rebootPodsOf(op: NodeOp): CachedPod[] {
    return [...this.#rebootPods.values()].filter(pod => isOf(pod, op));
  }

  rebootPods(): CachedPod[] {
    return [...this.#rebootPods.values()];
  }

  /** Nodes that it may still disturb, and for which operation. */
  nodes(): Map<string, string> {
    const held = new Map<string, string>();
    for (const pod of this.#rebootPods.values())
      if (isAlive(pod) && (!isCalled(pod) || pod.metadata.deletionTimestamp !== undefined))
        held.set(nodeOf(pod), nameOf(pod));
    for (const op of this.#caches.nodeOps.list()) {
      if (!this.holds(op)) continue;
      const entries = Object.entries(op.status?.nodeStatuses ?? {});
      const open = entries.filter(([, entry]) => !isFinal(entry) || entry.rebootStatus === 'pending');
      const jobs = this.jobsOf(op).map(job => job.metadata.labels?.[LABELS.node] ?? '');
      for (const node of [...open.map(([name]) => name), ...jobs]) held.set(node, keyOf(op.metadata));
    }
    return held;
  }
}

type Made = CachedJob | CachedPod;

/** Uid of the NodeOp it belongs to, or else its namespace and name. */
const whose = (made: Made): string =>
  made.metadata.ownerReferences?.find(owner => owner.kind === NODE_OP.kind)?.uid ?? nameOf(made);

const nameOf = ({ metadata }: Made): string =>
  keyOf({ namespace: metadata.namespace, name: metadata.labels?.[LABELS.nodeOp] ?? '' });

/** Where a Pod of it is, or is to be. */
export const nodeOf = ({ metadata, spec }: CachedPod): string => spec.nodeName ?? metadata.labels?.[LABELS.node] ?? '';

/** Does it belong to this operation? */
export const isOf = (made: Made, { metadata }: NodeOp): boolean =>
  [metadata.uid, keyOf(metadata)].includes(whose(made));

/** Waits until no Pod of the earlier operator can write any more, and reads what it has made. */
export async function waitForLegacyOperatorToEnd(
  deps: LegacyOperatorDeps,
  leading: AbortSignal,
): Promise<LegacyOperator> {
  const { clock, log, caches, ownNamespace } = deps;
  let saidAt: number | undefined;
  while (!leading.aborted) {
    const pods = legacyPods(caches.pods.list(), ownNamespace, clock.now()).map(pod => pod.metadata.name);
    /* Asked for each time: it may be brought back while we wait. */
    const retired = await isScaledDown(deps);
    if (pods.length === 0 && retired) {
      const jobs = await jobsLeft(deps);
      if (jobs !== undefined) return new LegacyOperator(caches, jobs, clock.now());
    } else if (saidAt === undefined || clock.monotonic() - saidAt >= SAY_MS) {
      saidAt = clock.monotonic();
      log.warn({ pods }, 'nothing is done before the earlier operator has ended');
    }
    await clock.sleep(RECHECK_MS, leading);
  }
  return new LegacyOperator(caches, [], clock.now());
}

/** Undefined: no answer. */
async function jobsLeft({ kube, log }: LegacyOperatorDeps): Promise<CachedJob[] | undefined> {
  const jobs: CachedJob[] = [];
  try {
    let next: string | undefined;
    do {
      const page = await kube.list<CachedJob>(JOBS, { labelSelector: ITS_JOBS, limit: 500, continue: next });
      jobs.push(...page.items.map(pruneJob));
      next = page.continue;
    } while (next);
    return jobs;
  } catch (error) {
    log.warn({ err: error }, 'Jobs of an earlier operator cannot be listed');
    return undefined;
  }
}
