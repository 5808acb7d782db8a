/** Gathers what is known of one operation and of its nodes. */
import { LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { labelValue } from '../../api/resource-name.js';
import type { Caches } from '../cluster/informers.js';
import { cordonMarkOf } from '../cluster/cordon.js';
import { targetsOf } from '../cluster/targets.js';
import { parseNodeOp, type ParsedNodeOp } from '../nodeop/facts/parsed-nodeop.js';
import { isReady } from '../cluster/node.js';
import type { CachedJob } from '../cluster/job.js';
import type { CachedPod } from '../cluster/pod.js';
import type { Facts, NodeFacts } from './facts.js';
import { type LegacyOperator, isOf, nodeOf } from './legacy-operator.js';
import { wishToEnd } from './invalid-spec.js';

interface View {
  caches: Caches;
  former: LegacyOperator;
  now: Date;
}

export function observe(op: NodeOp, view: View): Facts {
  const { caches, former, now } = view;
  const read = parseNodeOp(op);
  const nodeOp = read.fault === undefined ? read.nodeOp : wishToEnd(op);
  const names = new Set(Object.keys(op.status?.nodeStatuses ?? {}));
  const held = former.holds(op);
  if (held)
    for (const { metadata } of caches.nodeAgents.byIndex('operation', op.metadata.uid)) names.add(metadata.name);
  if (held && read.fault === undefined) for (const name of targetsOf(nodeOp.spec, caches.nodes.list())) names.add(name);
  const made = { jobs: former.jobsOf(op), rebootPods: former.rebootPodsOf(op) };
  /* Which nodes such a spec chooses nobody knows: those where something of it is. */
  if (held && read.fault !== undefined)
    for (const node of caches.nodes.list())
      if (cordonMarkOf(node) === nodeOp.cordonMark || made.jobs.some(job => isFor(job, node.metadata.name, undefined)))
        names.add(node.metadata.name);
  return {
    op,
    nodeOp,
    fault: read.fault,
    held,
    now,
    nodes: [...names].map(name => nodeFacts(name, { op, nodeOp, view, ...made })),
    ...made,
    jobPods: made.jobs.flatMap(job => caches.pods.byIndex('owner', job.metadata.uid)),
    readyNodes: new Set(
      caches.nodes
        .list()
        .filter(isReady)
        .map(node => node.metadata.name),
    ),
  };
}

interface NodeFactsInput {
  op: NodeOp;
  nodeOp: ParsedNodeOp;
  view: View;
  /** Of the whole operation. */
  jobs: readonly CachedJob[];
  rebootPods: readonly CachedPod[];
}

function nodeFacts(name: string, { op, nodeOp, view, jobs, rebootPods }: NodeFactsInput): NodeFacts {
  const { caches, former, now } = view;
  const entry = op.status?.nodeStatuses?.[name];
  const own = jobs.filter(job => isFor(job, name, entry?.jobName));
  return {
    name,
    now,
    since: former.since,
    nodeOp,
    entry,
    node: caches.nodes.get({ name }),
    agent: caches.nodeAgents.get({ name }),
    jobs: own,
    job: latest(own),
    rebootPods: rebootPods.filter(pod => nodeOf(pod) === name),
    preflightPods: caches.pods.byIndex('node', name).filter(pod => isFormersPreflight(pod) && isOf(pod, op)),
  };
}

const isFormersPreflight = ({ metadata: { labels } }: CachedPod): boolean =>
  labels?.[LABELS.preflight] !== undefined && labels[LABELS.nodeOpUid] === undefined;

const isFor = ({ metadata }: CachedJob, node: string, jobName: string | undefined): boolean =>
  metadata.name === jobName ||
  metadata.labels?.[LABELS.node] === node ||
  metadata.labels?.[LABELS.node] === labelValue(node);

/** It may have made one more and died before it said so. */
const latest = (jobs: readonly CachedJob[]): CachedJob | undefined =>
  jobs
    .toSorted((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))
    .at(-1);
