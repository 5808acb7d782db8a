/** What an operation may do to nodes and to the Pods of others, checked in the whole history of a case. */
import { FINALIZERS, LABELS } from '../../api/names.js';
import type { NodeOpSpec } from '../../api/nodeop.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { ENDINGS } from '../fakes/cluster/kubelet-admission.js';
import type { JobObject, PodObject } from '../fakes/cluster/object-types.js';
import { collectionOf } from '../fakes/kube.js';
import { isOperatorPod } from './conditions.js';
import type { Case } from './property-case.js';
import { nodeName, type CaseRun } from './property-setup.js';

/** `spec` is that of the NodeOp, if there ever was one. */
export const harmToOthers = ({ cluster }: CaseRun, testCase: Case, spec: NodeOpSpec | undefined): string[] => [
  ...tooManyNodes(cluster, testCase, spec),
  ...deletedPastBudgets(cluster, spec),
  ...preempted(cluster, spec),
  ...(cluster.isSettled() ? heldJobs(cluster) : []),
];

function slots({ nodes }: Case, concurrency: number | string): number {
  if (typeof concurrency === 'number') return concurrency === 0 ? nodes.length : concurrency;
  return Math.max(1, Math.floor((nodes.length * Number.parseInt(concurrency, 10)) / 100));
}

/** Nodes that are cordoned, drained, running the command or rebooting at one time. */
function tooManyNodes({ disruptions }: FakeCluster, testCase: Case, spec: NodeOpSpec | undefined): string[] {
  if (spec === undefined) return [];
  const most = slots(testCase, spec.concurrency);
  const controlPlanes = new Set(testCase.nodes.flatMap((node, index) => (node.controlPlane ? [nodeName(index)] : [])));
  const isDisruptive = spec.cordon || spec.rebootOnSuccess;
  const active = new Set<string>();
  const violations = new Set<string>();
  for (const { node, disruptive, at } of disruptions) {
    if (disruptive) active.add(node);
    else active.delete(node);
    const names = [...active].join(', ');
    if (active.size > most) violations.add(`${at} s: ${names} are disrupted at once, ${most} are allowed`);
    const planes = [...active].filter(name => controlPlanes.has(name));
    if (isDisruptive && planes.length > 1) violations.add(`${at} s: the control planes ${names} are disrupted at once`);
  }
  return [...violations];
}

/** Pods of workloads are evicted, never deleted, unless the user asked for it. */
const deletedPastBudgets = ({ mutations }: FakeCluster, spec: NodeOpSpec | undefined): string[] =>
  spec?.drainOptions?.onTimeout === 'Delete'
    ? []
    : mutations
        .filter(({ name }) => /^delete pods (web|bare|driver|proxy|etcd|kube)/.test(name))
        .map(({ name, program }) => `${program}: ${name}, instead of an eviction`);

/**
 * A kubelet preempts for a critical Pod, past all budgets; only the Pod of a Job may be critical, and no helper Pod before it. Where the
 * operation neither drains nor reboots, the Pod of the Job is not critical unless the user asked for it.
 */
function preempted({ api }: FakeCluster, spec: NodeOpSpec | undefined): string[] {
  const { cordon, drainOptions, rebootOnSuccess, priorityClassName } = spec ?? {};
  const mayPreempt = rebootOnSuccess || (cordon && drainOptions?.enabled) || priorityClassName !== undefined;
  const victims = api.store
    .history(collectionOf(PODS))
    .map(({ object }) => object as object as PodObject)
    .filter(pod => pod.status.reason === ENDINGS.Preempting.reason && !isOperatorPod(pod));
  const jobs = api.store.history(collectionOf(JOBS)).map(({ object }) => object as object as JobObject);
  const started = new Set(jobs.filter(job => job.spec.suspend !== true).map(job => job.metadata.labels?.[LABELS.node]));
  return victims
    .filter(pod => !mayPreempt || !started.has(pod.spec.nodeName))
    .map(({ metadata }) => `Pod ${metadata.name} was preempted`);
}

const heldJobs = ({ api }: FakeCluster): string[] =>
  api
    .all(JOBS)
    .filter(({ metadata }) => metadata.finalizers?.includes(FINALIZERS.job))
    .map(({ metadata }) => `the finalizer on Job ${metadata.name} was left`);
