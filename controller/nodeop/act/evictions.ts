/** Asks the API server to evict pods, and remembers for a while what it refused. Nothing is lost when this memory is: it asks again. */
import { isConflict, isNotFound, isTooManyRequests, KubeError } from '../../../kube/errors.js';
import type { Kube } from '../../../kube/kube.js';
import type { Recorder } from '../../../kube/recorder.js';
import { PODS } from '../../../kube/resources.js';
import type { Caches } from '../../cluster/informers.js';
import type { CachedPod } from '../../cluster/pod.js';
import { controllerOf, podName } from '../steps/drainable-pods.js';
import * as events from './events.js';
import { after } from '../../../program/clock.js';
import type { Action, Facts, Refusal } from '../facts/facts.js';

/** Evictions may be refused for as long as a disruption budget says so; we ask again, we never delete. */
const PAUSE_SECONDS = 5;

type Evict = Extract<Action, { do: 'evict' }>;

export class Evictions {
  readonly #refusals = new Map<string, Refusal>();
  /** By node and controller: the pods that were there when the first of them was evicted. */
  readonly #before = new Map<string, ReadonlySet<string>>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  get refusals(): ReadonlyMap<string, Refusal> {
    return this.#refusals;
  }

  forget(uid: string): void {
    this.#refusals.delete(uid);
  }

  /** The drain of the node is over. */
  forgetNode(node: string): void {
    for (const key of [...this.#before.keys()]) if (key.startsWith(`${node}/`)) this.#before.delete(key);
  }

  /** Did its controller put it back on a node that another of its pods was evicted from? */
  isReplacement(pod: CachedPod): boolean {
    const before = this.#before.get(originOf(pod));
    return before !== undefined && !before.has(pod.metadata.uid);
  }

  async evict(
    facts: Facts,
    { pods, past }: Evict,
    { kube, caches, recorder }: { kube: Kube; caches: Pick<Caches, 'pods'>; recorder: Recorder },
  ): Promise<void> {
    const grace = facts.nodeOp.spec.drainOptions?.gracePeriodSeconds;
    const options = grace === undefined || grace < 0 ? {} : { gracePeriodSeconds: grace };
    await Promise.all(
      pods.map(async pod => {
        const { name, namespace, uid } = pod.metadata;
        try {
          if (past === 'budgets') await kube.delete(PODS, { name, namespace }, { uid, ...options });
          else await kube.evict({ name, namespace }, { uid, ...options });
          this.#remember(pod, facts.pods);
          this.#refuse(pod, `${podName(pod)} is leaving`);
        } catch (error) {
          if (isNotFound(error)) return caches.pods.remove(pod);
          const message = this.#told(pod, error);
          if (message !== undefined) recorder.record(events.drainBlocked(message)(facts));
        }
      }),
    );
  }

  #remember(pod: CachedPod, onNode: readonly CachedPod[]): void {
    const key = originOf(pod);
    if (controllerOf(pod) === undefined || this.#before.has(key)) return;
    const siblings = onNode.filter(each => originOf(each) === key);
    this.#before.set(key, new Set([pod, ...siblings].map(each => each.metadata.uid)));
  }

  /** What the answer means; undefined when the pod changed meanwhile, and is asked for again a little later. Throws what is no answer about this pod. */
  #told(pod: CachedPod, error: unknown): string | undefined {
    if (isConflict(error)) {
      this.#refuse(pod, `${podName(pod)} has changed`);
      return undefined;
    }
    if (!(error instanceof KubeError)) throw error;
    const { code, message: words } = error;
    const budget = error.causes.find(cause => cause.reason === 'DisruptionBudget')?.message;
    if (isTooManyRequests(error)) {
      const message = budget === undefined ? `${podName(pod)}: ${error.message}` : `${podName(pod)}: ${budget}`;
      return this.#refuse(pod, message, budget === undefined ? error.retryAfterSeconds : undefined);
    }
    if (code === 500 || code === 403) return this.#refuse(pod, `${podName(pod)}: ${words}`);
    throw error;
  }

  #refuse(pod: CachedPod, message: string, seconds = PAUSE_SECONDS): string {
    const at = this.#now();
    this.#refusals.set(pod.metadata.uid, { at, notBefore: after(at, Math.max(seconds, 1)), message });
    return message;
  }
}

const originOf = (pod: CachedPod) => `${pod.spec.nodeName}/${controllerOf(pod)?.uid}`;
