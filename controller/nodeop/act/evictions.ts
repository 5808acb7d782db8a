/** Evicts pods through the Eviction API and remembers refusals for a while. Losing this memory costs one repeated request per pod. */
import { isConflict, isNotFound, isTooManyRequests, KubeError } from '../../../kube/errors.js';
import type { Kube } from '../../../kube/kube.js';
import type { Recorder } from '../../../kube/event-recorder.js';
import { PODS } from '../../../kube/resources.js';
import { after } from '../../../program/clock.js';
import type { Caches } from '../../cluster/informers.js';
import type { CachedPod } from '../../cluster/pod.js';
import type { Action, Facts, EvictionRefusal } from '../facts/facts.js';
import { controllerOf, podName } from '../steps/drainable-pods.js';
import { drainBlocked } from './events.js';

/** A disruption budget may refuse evictions for as long as it likes; they are repeated, and the pod is never deleted instead. */
const PAUSE_SECONDS = 5;

type Evict = Extract<Action, { do: 'evict' }>;

interface EvictionDeps {
  kube: Kube;
  caches: Pick<Caches, 'pods'>;
  recorder: Recorder;
}

export class Evictions {
  readonly #refusals = new Map<string, EvictionRefusal>();
  /** By node and controller: uids of its pods on the node when the first of them was evicted. */
  readonly #podsBefore = new Map<string, ReadonlySet<string>>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
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
    for (const key of [...this.#podsBefore.keys()]) if (key.startsWith(`${node}/`)) this.#podsBefore.delete(key);
  }

  /** Whether its controller created the pod on a node from which another pod of that controller was evicted. */
  isReplacement(pod: CachedPod): boolean {
    const before = this.#podsBefore.get(originOf(pod));
    return before !== undefined && !before.has(pod.metadata.uid);
  }

  async evict(facts: Facts, { pods, bypassing }: Evict, { kube, caches, recorder }: EvictionDeps): Promise<void> {
    const grace = facts.nodeOp.spec.drainOptions?.gracePeriodSeconds ?? -1;
    const gracePeriodSeconds = grace < 0 ? undefined : grace;
    const evictOne = async (pod: CachedPod) => {
      const { name, namespace, uid } = pod.metadata;
      try {
        if (bypassing === 'budgets') await kube.delete(PODS, { name, namespace }, { uid, gracePeriodSeconds });
        else await kube.evict({ name, namespace }, { uid, gracePeriodSeconds });
        this.#rememberSiblings(pod, facts.pods);
        this.#pause(pod, `${podName(pod)} is terminating`);
      } catch (error) {
        if (isNotFound(error)) return caches.pods.remove(pod);
        const message = this.#noteRefusal(pod, error);
        if (message !== undefined) recorder.record(drainBlocked(facts, message));
      }
    };
    await Promise.all(pods.map(evictOne));
  }

  #rememberSiblings(pod: CachedPod, onNode: readonly CachedPod[]): void {
    const key = originOf(pod);
    if (controllerOf(pod) === undefined || this.#podsBefore.has(key)) return;
    const siblings = onNode.filter(each => originOf(each) === key);
    this.#podsBefore.set(key, new Set([pod, ...siblings].map(each => each.metadata.uid)));
  }

  /** Returns why the drain is blocked; undefined for a pod that merely changed. Rethrows errors that do not concern the pod. */
  #noteRefusal(pod: CachedPod, error: unknown): string | undefined {
    if (isConflict(error)) {
      this.#pause(pod, `${podName(pod)} has changed`);
      return undefined;
    }
    if (!(error instanceof KubeError)) throw error;
    const { code, message } = error;
    const budget = error.causes.find(cause => cause.reason === 'DisruptionBudget')?.message;
    if (isTooManyRequests(error)) {
      const seconds = budget === undefined ? error.retryAfterSeconds : undefined;
      return this.#pause(pod, `${podName(pod)}: ${budget ?? message}`, seconds);
    }
    if (code === 500 || code === 403) return this.#pause(pod, `${podName(pod)}: ${message}`);
    throw error;
  }

  #pause(pod: CachedPod, message: string, seconds = PAUSE_SECONDS): string {
    const at = this.#now();
    this.#refusals.set(pod.metadata.uid, { at, notBefore: after(at, Math.max(seconds, 1)), message });
    return message;
  }
}

const originOf = (pod: CachedPod) => `${pod.spec.nodeName}/${controllerOf(pod)?.uid}`;
