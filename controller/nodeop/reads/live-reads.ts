/**
 * What a watch has told is believed, but not for ever: a node of which nothing was heard for a while is read from the API server itself.
 * An event that never came would otherwise be waited for without end. Nothing is asked while there is nothing to wait for.
 */
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { keyOf } from '../../../kube/key.js';
import type { Kube } from '../../../kube/kube.js';
import { refreshObject, STALE_AFTER_MS } from '../../../kube/live-read.js';
import { JOBS, NODES, PODS } from '../../../kube/resources.js';
import { isLater } from '../../../kube/resource-version.js';
import type { Clock } from '../../../program/clock.js';
import type { Caches } from '../../cluster/informers.js';
import { isReady } from '../../cluster/node.js';
import type { CachedPod } from '../../cluster/pod.js';
import type { Facts } from '../facts/facts.js';
import { isFinal } from '../../cluster/phases.js';
import type { ParsedNodeOp } from '../facts/parsed-nodeop.js';

/** Of one operation, in one pass: a thousand silent nodes are read in turn. */
const MOST_AT_ONCE = 20;

interface Heard {
  /** What the report said of it. */
  as: string;
  at: number;
}

interface LiveReadsDeps {
  kube: Pick<Kube, 'get' | 'list'>;
  caches: Caches;
  clock: Clock;
}

export class LiveReads {
  readonly #deps: LiveReadsDeps;
  /** By operation and node. */
  readonly #heard = new Map<string, Map<string, Heard>>();

  constructor(deps: LiveReadsDeps) {
    this.#deps = deps;
  }

  forget(uid: string): void {
    this.#heard.delete(uid);
  }

  /** Reads into the caches what was silent for too long; what is news there rings by itself. */
  async refreshStale(nodeOp: ParsedNodeOp, all: readonly Facts[]): Promise<void> {
    const silent = this.#silent(nodeOp, all).slice(0, MOST_AT_ONCE);
    if (silent.length === 0) return;
    const { kube, caches } = this.#deps;
    const now = this.#deps.clock.monotonic();
    for (const facts of silent) {
      await this.#readNode(facts);
      this.#heard.get(nodeOp.meta.uid)?.set(facts.name, { as: toldOf(facts), at: now });
    }
    await refreshObject(kube, NODE_OP, caches.nodeOps, { namespace: nodeOp.namespace, name: nodeOp.meta.name });
  }

  /** Is there anything that the caches have not heard yet? A final word is not taken from caches that may be behind. */
  async hasChanged(facts: Facts): Promise<boolean> {
    const before = this.#versions(facts);
    await this.#readNode(facts);
    return this.#versions(facts) !== before;
  }

  /** What was decided on is not what is there: the watch is late, or it never told. */
  async refreshAfterConflict({ name }: Facts): Promise<void> {
    try {
      await this.#readClaim(name);
    } catch {
      /* The next pass meets the same conflict, and asks again. */
    }
  }

  /** Of Pods only what a walk reads: one that crashes again and again would be news for ever. */
  #versions({ name, ledger, nodeOp }: Facts): string {
    const { nodeAgents, nodes, jobs, pods } = this.#deps.caches;
    const job = ledger?.job && jobs.get({ namespace: nodeOp.namespace, name: ledger.job.name });
    const objects = [nodeAgents.get({ name }), nodes.get({ name }), job];
    return JSON.stringify([
      ...objects.map(each => each?.metadata.resourceVersion),
      ...pods
        .byIndex('node', name)
        .map(({ metadata, status }) => [metadata.uid, metadata.deletionTimestamp, status?.phase].join(' '))
        .toSorted(),
    ]);
  }

  #silent(nodeOp: ParsedNodeOp, all: readonly Facts[]): Facts[] {
    const now = this.#deps.clock.monotonic();
    const known = this.#heard.get(nodeOp.meta.uid) ?? new Map<string, Heard>();
    this.#heard.set(nodeOp.meta.uid, known);
    return all.filter(facts => {
      if (!waitsForNews(facts)) return void known.delete(facts.name);
      const heard = known.get(facts.name);
      if (heard?.as === toldOf(facts)) return now - heard.at >= STALE_AFTER_MS;
      known.set(facts.name, { as: toldOf(facts), at: now });
      return false;
    });
  }

  async #readNode({ name, ledger, nodeOp }: Facts): Promise<void> {
    const { kube, caches } = this.#deps;
    await this.#readClaim(name);
    if (ledger?.job)
      await refreshObject(kube, JOBS, caches.jobs, { namespace: nodeOp.namespace, name: ledger.job.name });
    if (ledger) await this.#readPods(name);
  }

  async #readClaim(name: string): Promise<void> {
    const { kube, caches } = this.#deps;
    await refreshObject(kube, NODE_AGENT, caches.nodeAgents, { name });
    await refreshObject(kube, NODES, caches.nodes, { name });
  }

  async #readPods(node: string): Promise<void> {
    const { kube, caches } = this.#deps;
    const { items, resourceVersion } = await kube.list<CachedPod>(PODS, { fieldSelector: `spec.nodeName=${node}` });
    const there = new Set(items.map(({ metadata }) => keyOf(metadata)));
    for (const pod of caches.pods.byIndex('node', node))
      if (!there.has(keyOf(pod.metadata)) && !isLater(pod.metadata.resourceVersion, resourceVersion))
        caches.pods.remove(pod);
    for (const pod of items) caches.pods.putLive(pod);
  }
}

/** Under way, or kept from starting by something that a watch must tell of. */
const waitsForNews = ({ ledger, heldBy, node, agent, nodeOp, name }: Facts): boolean =>
  ledger !== undefined ||
  (!isFinal(nodeOp.status.nodeStatuses?.[name]) && (heldBy !== undefined || agent === undefined || !isReady(node)));

const toldOf = ({ nodeOp, name }: Facts): string => {
  const { lastUpdated = '', step = '' } = nodeOp.status.nodeStatuses?.[name] ?? {};
  return `${step} ${lastUpdated}`;
};
