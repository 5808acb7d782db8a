/**
 * A dry run of the Job and of its Pod before any node is disturbed. PodSecurity, a quota or an admission policy of the namespace may
 * refuse them; without the dry run that would show only when the node is already drained and the Job controller fails to create it.
 */
import { FALLBACK_STATE_DIR } from '../../../api/names.js';
import { isAlreadyExists, isRefusal } from '../../../kube/errors.js';
import type { Kube } from '../../../kube/kube.js';
import { JOBS, PODS } from '../../../kube/resources.js';
import type { Clock } from '../../../program/clock.js';
import type { Facts, PodRefusal } from '../facts/facts.js';
import { jobFor, type JobSettings } from '../facts/manifests.js';
import type { ParsedNodeOp } from '../facts/parsed-nodeop.js';

/** A dry run that was refused is repeated soon, because many a quota is raised soon, and then less and less often. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/** The Job controller tries again by itself; its Pod is asked about as often as that, at most. */
const POD_RETRY_MS = 10_000;

/** The API server cuts a generateName to this length before it appends five random characters. */
const MAX_GENERATED_PREFIX = 58;

interface Answer {
  refusal: PodRefusal | undefined;
  at: number;
}

interface Rehearsed extends Answer {
  namespace: string;
  /** How long the answer holds. */
  pauseMs: number;
}

interface AdmissionRehearsalDeps {
  kube: Pick<Kube, 'dryRun'>;
  clock: Clock;
  defaultImage: string;
  sentinel: JobSettings['sentinel'];
}

export class AdmissionRehearsal {
  readonly #deps: AdmissionRehearsalDeps;
  /** By uid of the operation. */
  readonly #answers = new Map<string, Rehearsed>();
  /** By uid of the operation. */
  readonly #podAnswers = new Map<string, Answer>();

  constructor(deps: AdmissionRehearsalDeps) {
    this.#deps = deps;
  }

  /** Undefined once the Pod was admitted, and where no node is left to start: then nothing is asked. */
  async refusal(nodeOp: ParsedNodeOp, nextNode: string | undefined): Promise<PodRefusal | undefined> {
    const { uid } = nodeOp.meta;
    const known = this.#answers.get(uid);
    const now = this.#deps.clock.monotonic();
    if (nextNode === undefined || nodeOp.isDeleting || (known && known.refusal === undefined)) return undefined;
    if (known && now < known.at + known.pauseMs) return this.#dated(known, now);
    const refusal = (await this.#dryRun(nodeOp, nextNode, 'pod')) ?? (await this.#dryRun(nodeOp, nextNode, 'job'));
    const pauseMs = known === undefined ? FIRST_PAUSE_MS : Math.min(2 * known.pauseMs, LONGEST_PAUSE_MS);
    const answer = { refusal, at: now, namespace: nodeOp.namespace, pauseMs };
    this.#answers.set(uid, answer);
    return this.#dated(answer, now);
  }

  /** Adds when the API server is asked again. */
  #dated({ refusal, at, pauseMs }: Rehearsed, now: number): PodRefusal | undefined {
    return refusal && { ...refusal, retryAt: new Date(this.#deps.clock.now().getTime() + at + pauseMs - now) };
  }

  /** Something in the namespace has ended, which may have made room within its quota: the pauses start anew. False if nothing is refused there. */
  retrySoon(namespace: string): boolean {
    const refused = [...this.#answers.values()].filter(each => each.namespace === namespace && each.refusal);
    for (const answer of refused) answer.pauseMs = FIRST_PAUSE_MS;
    return refused.length > 0;
  }

  /**
   * Why a Job that was resumed has no Pod: the API server's answer to the Job controller is in Events only. One node is asked about for all,
   * since a policy that refuses the Pod of one usually refuses the others.
   */
  async refusalOfPod({ nodeOp, name }: Facts): Promise<PodRefusal | undefined> {
    const { uid } = nodeOp.meta;
    const known = this.#podAnswers.get(uid);
    const now = this.#deps.clock.monotonic();
    if (known && now < known.at + POD_RETRY_MS) return known.refusal;
    const refusal = await this.#dryRun(nodeOp, name, 'pod');
    this.#podAnswers.set(uid, { refusal, at: now });
    return refusal;
  }

  forget(uid: string): void {
    this.#answers.delete(uid);
    this.#podAnswers.delete(uid);
  }

  async #dryRun(nodeOp: ParsedNodeOp, node: string, kind: 'job' | 'pod'): Promise<PodRefusal | undefined> {
    const { kube, defaultImage, sentinel } = this.#deps;
    const image = nodeOp.spec.image ?? defaultImage;
    const job = jobFor(nodeOp, node, { image, sentinel, stateDir: FALLBACK_STATE_DIR });
    const { metadata, spec } = job.spec.template;
    /* Named as the Job controller does it: a name that we cut ourselves could end in a dot, which is invalid for a Pod. */
    const generateName = `${job.metadata.name}-`;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, generateName }, spec };
    try {
      await (kind === 'pod' ? kube.dryRun(PODS, pod, nodeOp.namespace) : kube.dryRun(JOBS, job, nodeOp.namespace));
      return undefined;
    } catch (error) {
      /* A Job of this name is there already, so it was admitted. */
      if (isAlreadyExists(error)) return undefined;
      const message = error instanceof Error ? error.message : String(error);
      if (!isRefusal(error)) return { is: 'unanswered', message };
      return { is: 'refused', message: withoutRandomSuffix(message, generateName.slice(0, MAX_GENERATED_PREFIX)) };
    }
  }
}

/** The message must stay the same from one dry run to the next, or each would look like a change of the status. */
const withoutRandomSuffix = (message: string, prefix: string): string =>
  message.replaceAll(new RegExp(`${prefix}\\w+`, 'g'), `${prefix}...`);
