/**
 * First come, first served: an operation claims no node that an older unfinished operation still has to work on. Otherwise two upgrades of the
 * same nodes overtake each other, and the nodes end on a mix of both. An upgrade and its NodeOp are one operation with the age of the upgrade.
 */
import type { NodeStatus } from '../../../api/node-status.js';
import { NODE_OP_UPGRADE } from '../../../api/kinds.js';
import { NodeOpSpec } from '../../../api/nodeop.js';
import { NodeOpUpgradeSpec } from '../../../api/nodeop-upgrade.js';
import type { NodeOp, NodeOpUpgrade, ObjectMeta } from '../../../api/objects.js';
import { controllerOf } from '../../../kube/owner.js';
import { namespaceRefusal } from '../../cluster/allowed-namespaces.js';
import type { Caches } from '../../cluster/informers.js';
import type { CachedNode } from '../../cluster/node.js';
import { ownedBy } from '../../cluster/owner-index.js';
import { isFinal } from '../../cluster/phases.js';
import { isRestored } from '../../cluster/started-mark.js';
import { targetsOf } from '../../cluster/targets.js';

type View = Pick<Caches, 'nodeOps' | 'upgrades' | 'nodes'>;

interface OrderContext {
  caches: View;
  allowedNamespaces?: readonly string[];
}

/** An older operation, as its name and what the user can do about it. */
export type OlderOperations = ReadonlyMap<string, string>;

/** By node, of those named: the oldest unfinished operation that comes before this one there. */
export function olderOperations(meta: ObjectMeta, names: readonly string[], context: OrderContext): OlderOperations {
  const place = placeOf(meta, context.caches);
  const older = unfinishedOperations(context)
    .filter(each => each.place.uid !== place.uid && comparePlaces(each.place, place) < 0)
    .toSorted((a, b) => comparePlaces(a.place, b.place));
  const byNode = new Map<string, string>();
  const open = new Set(names);
  for (const { text, nodes } of older) {
    if (open.size === 0) break;
    for (const name of nodes()) if (open.delete(name)) byNode.set(name, text);
  }
  return byNode;
}

interface Place {
  createdAt: number;
  uid: string;
}

/** Both times are of the API server. Objects of the same second are ordered by uid, so that every controller finds the same order. */
const comparePlaces = (a: Place, b: Place): number => a.createdAt - b.createdAt || a.uid.localeCompare(b.uid);

const ownPlace = ({ creationTimestamp, uid }: ObjectMeta): Place => ({
  createdAt: Date.parse(creationTimestamp ?? '') || 0,
  uid,
});

/** The NodeOp of an upgrade is created only after its image was read, which must not cost the upgrade its place. */
function placeOf(meta: ObjectMeta, caches: View): Place {
  const owner = controllerOf({ metadata: meta });
  const upgrade =
    owner?.kind === NODE_OP_UPGRADE.kind
      ? caches.upgrades.get({ namespace: meta.namespace, name: owner.name })
      : undefined;
  return ownPlace(upgrade !== undefined && upgrade.metadata.uid === owner?.uid ? upgrade.metadata : meta);
}

interface UnfinishedOperation {
  place: Place;
  text: string;
  nodes: () => readonly string[];
}

function unfinishedOperations(context: OrderContext): UnfinishedOperation[] {
  const { nodeOps, upgrades } = context.caches;
  return [
    ...nodeOps.list().flatMap(op => (isOpen(op) ? ofNodeOp(op, context) : [])),
    ...upgrades.list().flatMap(upgrade => (isOpen(upgrade) ? ofUpgrade(upgrade, context) : [])),
  ];
}

/** One that was restored from a backup ends without being run. */
const isOpen = (operation: NodeOp | NodeOpUpgrade): boolean => !isFinal(operation.status) && !isRestored(operation);

const textOf = ({ namespace, name }: ObjectMeta, isPaused: boolean): string =>
  `${namespace}/${name}, which was created earlier${isPaused ? ' and is paused: resume or delete it' : ''}`;

/** With very many targets, the entry of a finished node has no time. */
const isBegun = (entry: NodeStatus): boolean => entry.startedAt !== undefined || isFinal(entry);

/** Every pass over an operation asks about all others, of which there may be thousands, so each spec is parsed once. */
const validity = new WeakMap<object, boolean>();

function isValid(schema: { safeParse(spec: object): { success: boolean } }, spec: object): boolean {
  const known = validity.get(spec) ?? schema.safeParse(spec).success;
  validity.set(spec, known);
  return known;
}

/** Operations that will start no further node do not hold others back; what they have claimed is theirs until they release it. */
function ofNodeOp({ metadata, spec, status = {} }: NodeOp, context: OrderContext): UnfinishedOperation[] {
  const hasBegun = Object.values(status.nodeStatuses ?? {}).some(isBegun);
  const isRefused = !hasBegun && namespaceRefusal(metadata.namespace ?? '', context.allowedNamespaces) !== undefined;
  const isPaused = spec.paused ?? false;
  if (metadata.deletionTimestamp !== undefined || isRefused || (isPaused && !hasBegun)) return [];
  if (!isValid(NodeOpSpec, spec)) return [];
  const nodes = () => (status.nodeStatuses ? remaining(status.nodeStatuses) : targetsOf(spec, linuxNodes(context)));
  return [{ place: placeOf(metadata, context.caches), text: textOf(metadata, isPaused), nodes }];
}

/** Only until it has its NodeOp, which then stands for it. */
function ofUpgrade({ metadata, spec, status }: NodeOpUpgrade, context: OrderContext): UnfinishedOperation[] {
  const hasNodeOp = status?.nodeOpName !== undefined || ownedBy(context.caches.nodeOps, { metadata }).length > 0;
  const isRefused = namespaceRefusal(metadata.namespace ?? '', context.allowedNamespaces) !== undefined;
  if (hasNodeOp || isRefused || metadata.deletionTimestamp !== undefined || spec.paused) return [];
  if (!isValid(NodeOpUpgradeSpec, spec)) return [];
  const nodes = () => targetsOf(spec, linuxNodes(context));
  return [{ place: ownPlace(metadata), text: textOf(metadata, false), nodes }];
}

const linuxNodes = ({ caches }: OrderContext): readonly CachedNode[] => caches.nodes.list();

/** Reasons of nodes that have not started and will not. */
const NEVER_STARTS = new Set<string | undefined>(['Stopped', 'Deleted']);

const remaining = (statuses: Readonly<Record<string, NodeStatus>>): string[] =>
  Object.entries(statuses)
    .filter(([, entry]) => !isFinal(entry))
    .filter(([, { reason, startedAt }]) => startedAt !== undefined || !NEVER_STARTS.has(reason))
    .map(([name]) => name);
