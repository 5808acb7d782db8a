/** Gathers what the caches know of an operation's nodes. */
import { isReady, isCordoned } from '../seen.js';
import { labelValue } from '../../api/resource-name.js';
import { LABELS, ANNOTATIONS } from '../../api/names.js';
import type { Caches } from '../caches.js';
import type { SeenPod } from '../seen.js';
import type { Facts, Refusal } from './facts.js';
import { isFinal, operationId, type Wish } from './wish.js';

export interface View {
  caches: Caches;
  refusals: ReadonlyMap<string, Refusal>;
  defaultImage: string;
  ownNamespace: string;
  now: Date;
}

/** Facts of one node; `turn` is decided later. Cheap where the node is not ours. */
export function observe(wish: Wish, name: string, view: View): Facts {
  const { caches, now } = view;
  const agent = caches.nodeAgents.get({ name });
  const operation = agent?.spec.operation;
  const ledger = operation?.id === operationId(wish, name) ? operation : undefined;
  const base: Facts = {
    name,
    now,
    wish,
    node: caches.nodes.get({ name }),
    agent,
    ledger,
    heldBy: operation && !ledger ? `${operation.nodeOp.namespace}/${operation.nodeOp.name}` : undefined,
    turn: false,
    jobPods: [],
    pods: [],
    refusals: view.refusals,
    budgets: [],
    daemonSets: new Set(),
    elsewhere: true,
    markAlive: true,
    reported: isFinal(wish.status.nodeStatuses?.[name]),
    image: wish.spec.image ?? view.defaultImage,
    ownNamespace: view.ownNamespace,
  };
  return ledger ? { ...base, ...closely(base, view) } : base;
}

/** What only a node under way is looked at for. */
function closely({ name, wish, ledger, node }: Facts, { caches }: View): Partial<Facts> {
  const pods = caches.pods.by('node', name);
  const helpers = caches.pods.by('owner', wish.meta.uid).filter(pod => isFor(pod, name));
  const job = caches.jobs
    .by('owner', wish.meta.uid)
    .find(each => each.metadata.labels?.[LABELS.node] === labelValue(name));
  const jobUid = ledger?.job?.uid ?? job?.metadata.uid;
  return {
    pods,
    job,
    jobPods: jobUid === undefined ? [] : caches.pods.by('owner', jobUid),
    preflightPod: helpers.find(pod => pod.metadata.labels?.[LABELS.preflight] !== undefined),
    pullPod: helpers.find(pod => pod.metadata.labels?.[LABELS.pull] !== undefined),
    budgets: wish.spec.drainOptions?.enabled ? caches.budgets.list() : [],
    daemonSets: new Set(caches.daemonSets.list().map(set => set.metadata.uid)),
    elsewhere: caches.nodes.list().some(other => other.metadata.name !== name && isReady(other) && !isCordoned(other)),
    markAlive: markAlive(node?.metadata.annotations?.[ANNOTATIONS.cordonedBy], caches),
  };
}

const isFor = (pod: SeenPod, node: string) => pod.metadata.labels?.[LABELS.node] === labelValue(node);

function markAlive(mark: string | undefined, caches: Caches): boolean {
  const [, namespace, name, uid] = /^([^/]*)\/([^@]*)@(.*)$/.exec(mark ?? '') ?? [];
  if (namespace === undefined || name === undefined) return false;
  const owner = caches.nodeOps.get({ namespace, name });
  return owner?.metadata.uid === uid && !isFinal(owner?.status);
}
