/** Evicts pods through the Eviction API and remembers refusals for a while. Losing this memory costs one repeated request per pod. */
import { isNotFound, isTooManyRequests, KubeError } from '../../../kube/errors.js';
import type { Kube } from '../../../kube/kube.js';
import type { Recorder } from '../../../kube/event-recorder.js';
import { PODS } from '../../../kube/resources.js';
import { after, type Clock } from '../../../program/clock.js';
import type { Caches } from '../../cluster/informers.js';
import type { CachedPod } from '../../cluster/pod.js';
import type { Action, Facts, EvictionRefusal } from '../facts/facts.js';
import { podName } from '../steps/drainable-pods.js';
import { drainBlocked } from './events.js';
import { Replacements } from './replacements.js';

/** A disruption budget may refuse evictions for as long as it likes; they are repeated, and the pod is never deleted instead. */
const PAUSE_SECONDS = 5;

/** A webhook may ask for any pause; what it waits for may be over long before. */
const MAX_PAUSE_SECONDS = 60;

/** Half of the connections for writes to Pods and Jobs: a slow admission webhook must not keep other nodes from their Jobs. */
const MAX_IN_FLIGHT = 8;

/** After this time the pass sends no further evictions, which stay due for the next one: the other nodes and the status must not wait. */
const PASS_MS = 5_000;

type Evict = Extract<Action, { do: 'evict' }>;

interface EvictionDeps {
  kube: Kube;
  caches: Pick<Caches, 'pods'>;
  recorder: Recorder;
}

export class Evictions {
  readonly #refusals = new Map<string, EvictionRefusal>();
  readonly #replacements = new Replacements();
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  #inFlight = 0;
  readonly #waiting: { askedAt: number; start: () => void }[] = [];

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#clock = clock;
  }

  /** By uid of the pod. */
  get refusals(): ReadonlyMap<string, EvictionRefusal> {
    return this.#refusals;
  }

  forget(uid: string): void {
    this.#refusals.delete(uid);
  }

  /** To be called when the drain of the node is finished. */
  forgetNode(node: string): void {
    this.#replacements.forgetNode(node);
  }

  /** Whether what created the pod put it on a node from which its other pods were evicted. */
  isReplacement(pod: CachedPod): boolean {
    return this.#replacements.has(pod);
  }

  /** Throws the first error that does not concern a pod, after all evictions have ended. */
  async evict(facts: Facts, { pods, bypassing }: Evict, deps: EvictionDeps): Promise<void> {
    const until = this.#clock.monotonic() + PASS_MS;
    const evictInTurn = async (pod: CachedPod) => {
      await this.#acquireSlot(pod);
      try {
        if (this.#clock.monotonic() < until) await this.#evictOne(facts, pod, { ...deps, bypassing });
      } finally {
        this.#releaseSlot();
      }
    };
    const results = await Promise.allSettled(pods.map(evictInTurn));
    const failed = results.find(result => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #acquireSlot({ metadata: { uid } }: CachedPod): Promise<void> {
    const askedAt = this.#refusals.get(uid)?.at.getTime() ?? 0;
    if (this.#inFlight >= MAX_IN_FLIGHT) return new Promise(start => this.#waiting.push({ askedAt, start }));
    this.#inFlight += 1;
  }

  /** The pod that was asked about least recently goes next: slow refusals of one node must not starve the other nodes. */
  #releaseSlot(): void {
    const next = this.#waiting.toSorted((a, b) => a.askedAt - b.askedAt)[0];
    if (next === undefined) {
      this.#inFlight -= 1;
      return;
    }
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    next.start();
  }

  async #evictOne(facts: Facts, pod: CachedPod, deps: EvictionDeps & Pick<Evict, 'bypassing'>): Promise<void> {
    const { kube, caches, recorder, bypassing } = deps;
    const { name, namespace, uid } = pod.metadata;
    const grace = facts.nodeOp.spec.drainOptions?.gracePeriodSeconds ?? -1;
    const gracePeriodSeconds = grace < 0 ? undefined : grace;
    try {
      if (bypassing === 'budgets') await kube.delete(PODS, { name, namespace }, { uid, gracePeriodSeconds });
      else await kube.evict({ name, namespace }, { uid, gracePeriodSeconds });
      this.#replacements.noteEviction(pod, facts.pods);
      this.#pause(pod, `${podName(pod)} is terminating`);
    } catch (error) {
      if (isNotFound(error) && !(await exists(kube, pod))) return caches.pods.remove(pod);
      const message = this.#noteRefusal(pod, error);
      if (message !== undefined) recorder.record(drainBlocked(facts, { uid, message }));
    }
  }

  /**
   * Returns why the drain is blocked; undefined for a pod that merely changed. Admission webhooks refuse with any status code, so every
   * answer about the pod is waited for like one of a budget. Rethrows errors that do not concern the pod, which is not asked for at once.
   */
  #noteRefusal(pod: CachedPod, error: unknown): string | undefined {
    if (!(error instanceof KubeError) || (error.code === 401 && error.reason === 'Unauthorized')) {
      this.#pause(pod, `${podName(pod)}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
    const { message, causes } = error;
    /* A webhook may deny with this code too, so the words are kept; that the pod has changed is no obstacle and needs no Event. */
    if (error.code === 409 && error.reason === 'Conflict') {
      this.#pause(pod, `${podName(pod)}: ${message}`);
      return undefined;
    }
    const budget = causes.find(cause => cause.reason === 'DisruptionBudget')?.message;
    const seconds = isTooManyRequests(error) && budget === undefined ? error.retryAfterSeconds : undefined;
    return this.#pause(pod, `${podName(pod)}: ${budget ?? message}`, seconds);
  }

  #pause(pod: CachedPod, message: string, seconds = PAUSE_SECONDS): string {
    const at = this.#clock.now();
    this.#refusals.set(pod.metadata.uid, {
      at,
      notBefore: after(at, Math.min(Math.max(seconds, 1), MAX_PAUSE_SECONDS)),
      message,
    });
    return message;
  }
}

/** A webhook may refuse with 404 as well, and a pod that counts as gone while it runs would end the drain. */
async function exists(kube: Pick<Kube, 'get'>, { metadata: { name, namespace, uid } }: CachedPod): Promise<boolean> {
  try {
    return (await kube.get(PODS, { name, namespace })).metadata.uid === uid;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
