/**
 * Before any node is touched: would the API server let the Pods of the Jobs in? A level of PodSecurity, a quota or a policy of the
 * namespace may be against them, and the Job controller would only be told so when the node is empty already.
 */
import { isRefusal } from '../../../kube/errors.js';
import type { Kube } from '../../../kube/kube.js';
import { PODS } from '../../../kube/resources.js';
import type { Clock } from '../../../program/clock.js';
import { PLAIN_STATE_DIR } from '../../../api/names.js';
import { jobFor, type JobSettings } from '../facts/manifests.js';
import type { ParsedNodeOp } from '../facts/parsed-nodeop.js';

/** How the words begin where the server gave none. */
export const NO_ANSWER = 'no answer: ';

/** What was refused is not asked for again at once. */
const PAUSE_MS = 10_000;

interface Heard {
  words?: string;
  at: number;
}

interface RehearsalDeps {
  kube: Pick<Kube, 'dryRun'>;
  clock: Clock;
  defaultImage: string;
  sentinel: JobSettings['sentinel'];
}

export class AdmissionRehearsal {
  readonly #deps: RehearsalDeps;
  readonly #heard = new Map<string, Heard>();

  constructor(deps: RehearsalDeps) {
    this.#deps = deps;
  }

  /** The server's words, without the name that it makes up anew each time; that it did not answer; or undefined when it has let the Pod in once. `node`: one that is yet to start; where there is none, nothing is asked. */
  async refusal(nodeOp: ParsedNodeOp, node: string | undefined): Promise<string | undefined> {
    const { uid } = nodeOp.meta;
    const heard = this.#heard.get(uid);
    const now = this.#deps.clock.monotonic();
    if (node === undefined || nodeOp.deleting || (heard && heard.words === undefined)) return undefined;
    if (heard && now < heard.at + PAUSE_MS) return heard.words;
    const words = await this.#ask(nodeOp, node);
    this.#heard.set(uid, { words, at: now });
    return words;
  }

  forget(uid: string): void {
    this.#heard.delete(uid);
  }

  async #ask(nodeOp: ParsedNodeOp, node: string): Promise<string | undefined> {
    const { kube, defaultImage, sentinel } = this.#deps;
    const around = { image: nodeOp.spec.image ?? defaultImage, sentinel, stateDir: PLAIN_STATE_DIR };
    const job = jobFor(nodeOp, node, around);
    const { metadata, spec } = job.spec.template;
    const generateName = `${job.metadata.name}-`;
    /* What the API server keeps of it before it adds five characters. */
    const made = generateName.slice(0, 58);
    /* As the Job controller names it: in a name cut by ourselves a dot could stand last, which no Pod may have. */
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, generateName },
      spec,
    };
    try {
      await kube.dryRun(PODS, pod, nodeOp.namespace);
      return undefined;
    } catch (error) {
      if (isRefusal(error)) return error.message.replaceAll(new RegExp(`${made}\\w+`, 'g'), `${made}...`);
      return `${NO_ANSWER}${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
