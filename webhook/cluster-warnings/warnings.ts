/** What the cluster, as it is now, has to say of a wish: words for the person who applies it, never a refusal. */
import { OS_ARTIFACT } from '../../api/kinds.js';
import type { LabelSelector, Requirement } from '../../kube/selector.js';
import { matches } from '../../kube/selector.js';
import { type Fields, fieldsOf } from '../unknown-json.js';
import { hasEnded, claimedNodes, isControlPlane, selectNodes } from './targets.js';
import type { NodeViews, NodeView, OperationView, ClusterView } from './cluster-view.js';

/** A wish with all defaults. */
export interface DefaultedObject {
  kind: string;
  namespace: string;
  name: string;
  spec: Fields;
}

const many = (count: number, one: string, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;
/** The first few names tell which ones are meant. */
const some = (names: readonly string[]) =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;

/** Upgrades cordon, drain unless told otherwise, and reboot for the active system; a NodeOp does what it says. */
function whatItDoes({ kind, spec }: DefaultedObject) {
  const upgrade = kind === 'NodeOpUpgrade';
  const cordons = upgrade || spec.cordon === true;
  const drain = fieldsOf(spec.drainOptions).enabled;
  const drains = cordons && (drain === true || (upgrade && drain === undefined));
  const reboots = upgrade ? spec.upgradeActive !== false : spec.rebootOnSuccess === true;
  return { drains, reboots, disturbs: cordons || reboots };
}

const requirementsOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Requirement[] => [
  ...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] })),
  ...matchExpressions,
];

/** The requirement that alone keeps all nodes away: most often a misspelt label. */
function culprit(selector: LabelSelector, nodes: readonly NodeView[]): string {
  const found = requirementsOf(selector).find(
    one => !nodes.some(({ metadata }) => matches({ matchExpressions: [one] }, metadata.labels)),
  );
  if (!found) return '';
  const { key, operator, values = [] } = found;
  if (operator !== 'In') return `; none fits ${key} ${operator}`;
  const seen = [...new Set(nodes.flatMap(({ metadata }) => metadata.labels?.[key] ?? []))];
  const wanted = `${key}=${values.slice(0, 3).join('|')}`;
  return seen.length === 0
    ? `; none carries the label ${key}`
    : `; none has ${wanted}, it is ${seen
        .slice(0, 3)
        .map(value => JSON.stringify(value))
        .join(' or ')} here`;
}

const selectorOf = ({ spec }: DefaultedObject) => spec.nodeSelector as LabelSelector | undefined;

function aboutNodes(wish: DefaultedObject, targets: readonly NodeView[], { linux, others }: NodeViews): string[] {
  const path = 'spec.nodeSelector';
  const left = selectNodes(selectorOf(wish), others).length;
  const leftOut =
    left > 0
      ? [`${path}: ${many(left, 'matching node is', 'matching nodes are')} not Linux or virtual, and left out`]
      : [];
  if (targets.length > 0) return [...leftOut, ...aboutTargets(wish, targets, linux)];
  const why = culprit(selectorOf(wish) ?? {}, linux);
  return [...leftOut, `${path}: matches none of ${many(linux.length, 'Linux node')} now, and fails without any${why}`];
}

function aboutTargets(wish: DefaultedObject, targets: readonly NodeView[], linux: readonly NodeView[]): string[] {
  const { drains, reboots, disturbs } = whatItDoes(wish);
  const planes = targets.filter(isControlPlane).map(({ metadata }) => metadata.name);
  const only = linux.filter(isControlPlane).length === 1;
  const said: string[] = [];
  if (disturbs && planes.length > 0)
    said.push(
      only
        ? `spec.nodeSelector: includes ${planes[0]}, the only control plane${reboots ? '; the API server is away while it reboots' : ''}`
        : `spec.nodeSelector: includes ${many(planes.length, 'control plane')} (${some(planes)}); they go first, one at a time`,
    );
  const refuges = linux.filter(({ spec }) => spec?.unschedulable !== true).map(({ metadata }) => metadata.name);
  /* Two refuges are enough for every target; one is enough for every other one. */
  if (drains && refuges.length < 2 && targets.some(({ metadata }) => refuges.every(name => name === metadata.name)))
    said.push('spec.drainOptions.enabled: there is no other node that takes pods; nothing will be drained');
  return said;
}

const isItself = ({ kind, namespace, name }: DefaultedObject, other: OperationView) =>
  other.kind === kind && other.metadata.namespace === namespace && other.metadata.name === name;

function aboutOthers(
  wish: DefaultedObject,
  targets: readonly NodeView[],
  nodes: NodeViews,
  operations: readonly OperationView[],
): string[] {
  /* An upgrade works by its NodeOp as soon as there is one. */
  const others = operations.filter(
    other => !hasEnded(other) && other.status?.nodeOpName === undefined && !isItself(wish, other),
  );
  if (others.length === 0) return [];
  const names = new Set(targets.map(({ metadata }) => metadata.name));
  return others
    .flatMap(other => {
      const shared = claimedNodes(other, nodes)
        .filter(name => names.has(name))
        .toSorted();
      if (shared.length === 0) return [];
      const { namespace, name } = other.metadata;
      return [
        `spec.nodeSelector: ${many(shared.length, 'node belongs', 'nodes belong')} to ${other.kind} ${namespace}/${name} (${some(shared)}), and must wait for it`,
      ];
    })
    .slice(0, 3);
}

/** The label by which a namespace refuses Pods; a level `privileged` or none at all refuses nothing. */
const LEVEL = 'pod-security.kubernetes.io/enforce';

function aboutNamespace({ kind, namespace }: DefaultedObject, view: ClusterView): string[] {
  const level = view.namespace?.(namespace)?.metadata.labels?.[LEVEL];
  return level === undefined || level === 'privileged'
    ? []
    : [
        `metadata.namespace: ${namespace} has ${LEVEL}=${level}, which refuses the privileged Pods of ${kind === OS_ARTIFACT.kind ? 'builds' : 'operations'}`,
      ];
}

function aboutReach(wish: DefaultedObject, nodes: NodeViews, operations: readonly OperationView[]): string[] {
  const targets = selectNodes(selectorOf(wish), nodes.linux);
  return [...aboutNodes(wish, targets, nodes), ...aboutOthers(wish, targets, nodes, operations)];
}

/** One sentence each; nothing of what is not known. A build is no matter of chosen nodes. */
export const clusterWarnings = (wish: DefaultedObject, view: ClusterView): string[] => [
  ...(view.nodes && wish.kind !== OS_ARTIFACT.kind ? aboutReach(wish, view.nodes, view.operations ?? []) : []),
  ...aboutNamespace(wish, view),
];
