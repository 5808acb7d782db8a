/** Gathers what the caches know of one NodeOp and of its nodes. */
import { LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { boundedLabelValue } from '../../api/resource-name.js';
import { cordonMarkOf } from '../cluster/cordon.js';
import { ownedBy } from '../cluster/owner-index.js';
import type { Caches } from '../cluster/informers.js';
import type { CachedJob } from '../cluster/job.js';
import { isReady } from '../cluster/node.js';
import type { CachedPod } from '../cluster/pod.js';
import { targetsOf } from '../cluster/targets.js';
import type { Facts, LegacyNodeOp, NodeFacts, ParseNodeOp } from './facts.js';
import { minimalNodeOp } from './invalid-spec.js';
import { belongsTo, type LegacyOperator, nodeNameOf } from './legacy-operator.js';
import { ownValue } from '../../program/own-value.js';

interface View {
  caches: Caches;
  legacy: LegacyOperator;
  parseNodeOp: ParseNodeOp;
  now: Date;
}

export function observe(op: NodeOp, view: View): Facts {
  const { caches, legacy, parseNodeOp, now } = view;
  const parsed = parseNodeOp(op);
  const nodeOp = parsed.fault === undefined ? parsed.nodeOp : minimalNodeOp(op, parseNodeOp);
  const objects = { jobs: legacy.jobsOf(op), rebootPods: legacy.rebootPodsOf(op) };
  const isLegacyOwned = legacy.owns(op);
  const names = new Set(Object.keys(op.status?.nodeStatuses ?? {}));
  if (isLegacyOwned) {
    for (const { metadata } of caches.nodeAgents.byIndex('operation', op.metadata.uid)) names.add(metadata.name);
    /* The targets of an invalid spec are unknown: the nodes on which something was left take their place. */
    const targets =
      parsed.fault === undefined
        ? targetsOf(nodeOp.spec, caches.nodes.list())
        : nodesWithTraces(caches, nodeOp, objects.jobs);
    for (const name of targets) names.add(name);
  }
  return {
    op,
    nodeOp,
    fault: parsed.fault,
    isLegacyOwned,
    now,
    nodes: [...names].map(name => nodeFacts(name, { op, nodeOp, view, ...objects })),
    ...objects,
    jobPods: objects.jobs.flatMap(job => ownedBy(caches.pods, job)),
    readyNodes: new Set(
      caches.nodes
        .list()
        .filter(isReady)
        .map(node => node.metadata.name),
    ),
  };
}

const nodesWithTraces = ({ nodes }: Caches, { cordonMark }: LegacyNodeOp, jobs: readonly CachedJob[]): string[] =>
  nodes
    .list()
    .filter(
      node => cordonMarkOf(node) === cordonMark || jobs.some(job => isJobOfNode(job, node.metadata.name, undefined)),
    )
    .map(node => node.metadata.name);

interface NodeFactsInput {
  op: NodeOp;
  nodeOp: LegacyNodeOp;
  view: View;
  /** Of the whole operation. */
  jobs: readonly CachedJob[];
  rebootPods: readonly CachedPod[];
}

function nodeFacts(name: string, { op, nodeOp, view, jobs, rebootPods }: NodeFactsInput): NodeFacts {
  const { caches, legacy, now } = view;
  const entry = ownValue(op.status?.nodeStatuses, name);
  const nodeJobs = jobs.filter(job => isJobOfNode(job, name, entry?.jobName));
  return {
    name,
    now,
    leadingSince: legacy.leadingSince,
    nodeOp,
    entry,
    node: caches.nodes.get({ name }),
    agent: caches.nodeAgents.get({ name }),
    jobs: nodeJobs,
    job: newest(nodeJobs),
    rebootPods: rebootPods.filter(pod => nodeNameOf(pod) === name),
    preflightPods: caches.pods.byIndex('node', name).filter(pod => isLegacyPreflightPod(pod) && belongsTo(pod, op)),
  };
}

const isLegacyPreflightPod = ({ metadata: { labels } }: CachedPod): boolean =>
  labels?.[LABELS.preflight] !== undefined && labels[LABELS.nodeOpUid] === undefined;

const isJobOfNode = ({ metadata }: CachedJob, node: string, jobName: string | undefined): boolean =>
  metadata.name === jobName ||
  metadata.labels?.[LABELS.node] === node ||
  metadata.labels?.[LABELS.node] === boundedLabelValue(node);

/** There may be a second one: the legacy operator may have died before it recorded the first. */
const newest = (jobs: readonly CachedJob[]): CachedJob | undefined =>
  jobs
    .toSorted((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))
    .at(-1);
