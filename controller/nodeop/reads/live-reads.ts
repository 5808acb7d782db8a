/**
 * Reads from the API server behind the caches. A watch may miss an event, and a pass that waits for that event would wait indefinitely:
 * a node that makes no progress for a while is read directly. Nodes that wait for no change are never read.
 */
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import { keyOf } from '../../../kube/object-key.js';
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
import { ownValue } from '../../../program/own-value.js';

/** Of one operation in one pass: a thousand stale nodes are read in turn. */
const MAX_NODES_PER_PASS = 20;

interface Progress {
  /** Step and last update of the node's status entry. */
  mark: string;
  /** When this mark was first seen, or the node was last read. */
  at: number;
}

interface LiveReadsDeps {
  kube: Pick<Kube, 'get' | 'list'>;
  caches: Caches;
  clock: Clock;
}

export class LiveReads {
  readonly #deps: LiveReadsDeps;
  /** By uid of the operation and name of the node. */
  readonly #progress = new Map<string, Map<string, Progress>>();

  constructor(deps: LiveReadsDeps) {
    this.#deps = deps;
  }

  forget(uid: string): void {
    this.#progress.delete(uid);
  }

  /** Reads stale nodes into the caches; a change that is found there triggers the next pass. */
  async refreshStale(nodeOp: ParsedNodeOp, all: readonly Facts[]): Promise<void> {
    const now = this.#deps.clock.monotonic();
    const progress = updatedProgress(this.#progress.get(nodeOp.meta.uid), all, now);
    this.#progress.set(nodeOp.meta.uid, progress);
    const isStale = ({ name }: Facts) => now - (progress.get(name)?.at ?? now) >= STALE_AFTER_MS;
    const stale = all.filter(isStale).slice(0, MAX_NODES_PER_PASS);
    if (stale.length === 0) return;
    for (const facts of stale) {
      await this.#readNode(facts);
      progress.set(facts.name, { mark: markOf(facts), at: now });
    }
    const { kube, caches } = this.#deps;
    await refreshObject(kube, NODE_OP, caches.nodeOps, { namespace: nodeOp.namespace, name: nodeOp.meta.name });
  }

  /** Whether the caches missed a change of this node. A failure is final, so it must not be concluded from stale caches. */
  async hasChanged(facts: Facts): Promise<boolean> {
    const before = this.#versions(facts);
    await this.#readNode(facts);
    return this.#versions(facts) !== before;
  }

  /** After a conflict the cached objects are outdated: their watch is late or missed an event. */
  async refreshAfterConflict({ name }: Facts): Promise<void> {
    try {
      await this.#readClaim(name);
    } catch {
      /* The next pass meets the same conflict and reads again. */
    }
  }

  /** Of Pods only the fields that decide a step: the status of a Pod in a crash loop changes all the time. */
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
    const listed = new Set(items.map(({ metadata }) => keyOf(metadata)));
    for (const pod of caches.pods.byIndex('node', node))
      if (!listed.has(keyOf(pod.metadata)) && !isLater(pod.metadata.resourceVersion, resourceVersion))
        caches.pods.remove(pod);
    for (const pod of items) caches.pods.putLive(pod);
  }
}

/** The nodes that wait for a change, each with the time since which it has made no progress. */
function updatedProgress(
  before: ReadonlyMap<string, Progress> | undefined,
  all: readonly Facts[],
  now: number,
): Map<string, Progress> {
  const entries = all.filter(waitsForChange).map((facts): [string, Progress] => {
    const [known, mark] = [before?.get(facts.name), markOf(facts)];
    return [facts.name, known?.mark === mark ? known : { mark, at: now }];
  });
  return new Map(entries);
}

/** Started, or kept from starting by something that only a watch reports. */
const waitsForChange = ({ ledger, claimedBy, node, agent, nodeOp, name }: Facts): boolean =>
  ledger !== undefined ||
  (!isFinal(ownValue(nodeOp.status.nodeStatuses, name)) &&
    (claimedBy !== undefined || agent === undefined || !isReady(node)));

const markOf = ({ nodeOp, name }: Facts): string => {
  const { lastUpdated = '', step = '' } = ownValue(nodeOp.status.nodeStatuses, name) ?? {};
  return `${step} ${lastUpdated}`;
};
