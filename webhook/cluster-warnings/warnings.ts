/** Warnings that depend on the current state of the cluster. They never reject an object, because that state may change. */
import { type ArtifactRequest, requestedOutputs } from '../../api/artifact-kinds.js';
import { OS_ARTIFACT } from '../../api/kinds.js';
import type { LabelSelector } from '../../kube/selector.js';
import { matches, requirementsOf } from '../../kube/selector.js';
import { type Fields, fieldsOf } from '../unknown-json.js';
import type { ClusterView, NodeView, NodeViews, OperationView } from './cluster-view.js';
import { hasEnded, isControlPlane, selectNodes, unfinishedNodes } from './targets.js';
import { ownValue } from '../../program/own-value.js';

/** An object with all defaults. */
export interface DefaultedObject {
  kind: string;
  namespace: string;
  name: string;
  /** Absent for a new object. */
  createdAt?: string;
  spec: Fields;
}

/** How many other operations are named in warnings. */
const MAX_OPERATIONS = 3;
/** How many names or values a warning lists. */
const MAX_LISTED = 3;

const count = (number: number, singular: string, plural = `${singular}s`) =>
  `${number} ${number === 1 ? singular : plural}`;
const listed = (names: readonly string[]) =>
  names.length <= MAX_LISTED
    ? names.join(', ')
    : `${names.slice(0, MAX_LISTED).join(', ')} and ${names.length - MAX_LISTED} more`;

/** Upgrades always cordon, drain by default, and reboot to activate the active system; a NodeOp does what its spec says. */
function effectsOf({ kind, spec }: DefaultedObject) {
  const isUpgrade = kind === 'NodeOpUpgrade';
  const cordons = isUpgrade || spec.cordon === true;
  const drain = fieldsOf(spec.drainOptions).enabled;
  const drains = cordons && (drain === true || (isUpgrade && drain === undefined));
  const reboots = isUpgrade ? spec.upgradeActive !== false : spec.rebootOnSuccess === true;
  return { drains, reboots, disrupts: cordons || reboots };
}

/** Names the first requirement that no node satisfies, which is most often a misspelled label. */
function unsatisfiedRequirement(selector: LabelSelector, nodes: readonly NodeView[]): string {
  const found = requirementsOf(selector).find(
    requirement => !nodes.some(({ metadata }) => matches({ matchExpressions: [requirement] }, metadata.labels)),
  );
  if (!found) return '';
  const { key, operator, values = [] } = found;
  if (operator !== 'In') return `; no node satisfies "${key} ${operator}"`;
  const existing = [...new Set(nodes.flatMap(({ metadata }) => ownValue(metadata.labels, key) ?? []))];
  if (existing.length === 0) return `; no node has the label ${key}`;
  const wanted = `${key}=${values.slice(0, MAX_LISTED).join('|')}`;
  const quoted = existing.slice(0, MAX_LISTED).map(value => JSON.stringify(value));
  return `; no node has ${wanted}, existing values: ${quoted.join(', ')}`;
}

const selectorOf = ({ spec }: DefaultedObject) => spec.nodeSelector as LabelSelector | undefined;

function skippedNodes(object: DefaultedObject, { others }: NodeViews): string[] {
  const skipped = selectNodes(selectorOf(object), others).length;
  if (skipped === 0) return [];
  const nodes = count(skipped, 'matching node is', 'matching nodes are');
  return [`spec.nodeSelector: ${nodes} skipped, because operations run on Linux nodes that are not virtual`];
}

function noTargets(object: DefaultedObject, { linux }: NodeViews): string {
  const reason = unsatisfiedRequirement(selectorOf(object) ?? {}, linux);
  return `spec.nodeSelector: matches none of ${count(linux.length, 'Linux node')}; the operation fails if none matches when it starts${reason}`;
}

function controlPlaneTargets(object: DefaultedObject, targets: readonly NodeView[], { linux }: NodeViews): string[] {
  const { reboots, disrupts } = effectsOf(object);
  const names = targets.filter(isControlPlane).map(({ metadata }) => metadata.name);
  if (!disrupts || names.length === 0) return [];
  if (linux.filter(isControlPlane).length === 1) {
    const consequence = reboots ? '; the API server is unavailable while it reboots' : '';
    return [`spec.nodeSelector: includes ${names[0]}, the only control-plane node${consequence}`];
  }
  const nodes = count(names.length, 'control-plane node');
  return [`spec.nodeSelector: includes ${nodes} (${listed(names)}); they are processed first, one at a time`];
}

/** A drain needs another schedulable node. With two of them, every target has at least one. */
function drainWithoutDestination(object: DefaultedObject, targets: readonly NodeView[], nodes: NodeViews): string[] {
  if (!effectsOf(object).drains) return [];
  const schedulable = nodes.linux
    .filter(({ spec }) => spec?.unschedulable !== true)
    .map(({ metadata }) => metadata.name);
  const hasDestination = ({ metadata }: NodeView) => schedulable.some(name => name !== metadata.name);
  return schedulable.length >= 2 || targets.every(hasDestination)
    ? []
    : ['spec.drainOptions.enabled: there is no other schedulable node for the evicted pods; nothing will be drained'];
}

const isItself = ({ kind, namespace, name }: DefaultedObject, other: OperationView) =>
  other.kind === kind && other.metadata.namespace === namespace && other.metadata.name === name;

/** Names of other namespaces are not for the users of this one. */
const nameFor = ({ namespace }: DefaultedObject, { kind, metadata }: OperationView): string =>
  metadata.namespace === namespace ? `${kind} ${namespace}/${metadata.name}` : `a ${kind} of another namespace`;

/** Which of the two goes first, by the rules of the controller: first come, first served. */
function orderText({ createdAt }: DefaultedObject, { metadata, spec, status }: OperationView): string {
  const waits = 'this operation waits until they are released';
  if (metadata.deletionTimestamp !== undefined) return `${waits}, because the other one is being deleted`;
  if (createdAt !== undefined && Date.parse(createdAt) < Date.parse(metadata.creationTimestamp ?? ''))
    return 'this operation comes first, because it was created earlier';
  const hasBegun = Object.values(status?.nodeStatuses ?? {}).some(node => node.startedAt !== undefined);
  if (spec?.paused !== true) return `${waits}, because it was created later`;
  return hasBegun
    ? `${waits}, because it was created later; the other one is paused`
    : 'this operation does not wait, because the other one is paused and has not begun';
}

/** Other operations that still have to work on the same nodes. An upgrade with a NodeOp is represented by that NodeOp. */
function overlappingOperations(
  object: DefaultedObject,
  targets: readonly NodeView[],
  nodes: NodeViews,
  operations: readonly OperationView[],
): string[] {
  const targetNames = new Set(targets.map(({ metadata }) => metadata.name));
  const warnings: string[] = [];
  for (const other of operations) {
    if (warnings.length === MAX_OPERATIONS) break;
    if (hasEnded(other) || other.status?.nodeOpName !== undefined || isItself(object, other)) continue;
    const shared = unfinishedNodes(other, nodes)
      .filter(name => targetNames.has(name))
      .toSorted();
    if (shared.length === 0) continue;
    warnings.push(
      `spec.nodeSelector: ${count(shared.length, 'node belongs', 'nodes belong')} to ${nameFor(object, other)} (${listed(shared)}); ${orderText(object, other)}`,
    );
  }
  return warnings;
}

/** The namespace label of Pod Security Admission; without it, or with the level `privileged`, all Pods are admitted. */
const POD_SECURITY_LEVEL = 'pod-security.kubernetes.io/enforce';

/** Steps that build disk images are privileged; the others need root in their container, which the level `baseline` allows. */
function refusedPods({ kind, spec }: DefaultedObject, level: string): string | undefined {
  if (kind !== OS_ARTIFACT.kind) return 'the privileged Pods of operations';
  const request = spec['artifacts'] ?? spec;
  if (isRequest(request) && requestedOutputs(request).some(({ isPrivileged }) => isPrivileged))
    return 'the privileged Pods of builds with disk images';
  return level === 'baseline' ? undefined : 'the Pods of builds, whose containers run as root';
}

const isRequest = (value: unknown): value is ArtifactRequest => typeof value === 'object' && value !== null;

function podSecurity(object: DefaultedObject, view: ClusterView): string[] {
  const { namespace } = object;
  const level = view.namespace?.(namespace)?.metadata.labels?.[POD_SECURITY_LEVEL];
  const pods = level === undefined || level === 'privileged' ? undefined : refusedPods(object, level);
  return pods === undefined
    ? []
    : [`metadata.namespace: ${namespace} has the label ${POD_SECURITY_LEVEL}=${level}, which rejects ${pods}`];
}

function nodeWarnings(object: DefaultedObject, nodes: NodeViews, operations: readonly OperationView[]): string[] {
  const targets = selectNodes(selectorOf(object), nodes.linux);
  if (targets.length === 0) return [...skippedNodes(object, nodes), noTargets(object, nodes)];
  return [
    ...skippedNodes(object, nodes),
    ...controlPlaneTargets(object, targets, nodes),
    ...drainWithoutDestination(object, targets, nodes),
    ...overlappingOperations(object, targets, nodes, operations),
  ];
}

/** One sentence per warning. An OSArtifact selects no nodes, so it gets only the warning about its namespace. */
export const clusterWarnings = (object: DefaultedObject, view: ClusterView): string[] => [
  ...(view.nodes && object.kind !== OS_ARTIFACT.kind ? nodeWarnings(object, view.nodes, view.operations ?? []) : []),
  ...podSecurity(object, view),
];
