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

/** A dry run that failed is repeated after this time, not with every pass. */
const RETRY_MS = 10_000;

/** The API server cuts a generateName to this length before it appends five random characters. */
const MAX_GENERATED_PREFIX = 58;

interface Answer {
  refusal: PodRefusal | undefined;
  at: number;
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
  readonly #answers = new Map<string, Answer>();
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
    if (known && now < known.at + RETRY_MS) return known.refusal;
    const refusal = (await this.#dryRun(nodeOp, nextNode, 'pod')) ?? (await this.#dryRun(nodeOp, nextNode, 'job'));
    this.#answers.set(uid, { refusal, at: now });
    return refusal;
  }

  /**
   * Why a Job that was resumed has no Pod: the API server's answer to the Job controller is in Events only. One node is asked about for all,
   * since a policy that refuses the Pod of one usually refuses the others.
   */
  async refusalOfPod({ nodeOp, name }: Facts): Promise<PodRefusal | undefined> {
    const { uid } = nodeOp.meta;
    const known = this.#podAnswers.get(uid);
    const now = this.#deps.clock.monotonic();
    if (known && now < known.at + RETRY_MS) return known.refusal;
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
