/** Gathers what is known of one operation and of its nodes. */
import { LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { labelValue } from '../../api/resource-name.js';
import type { Caches } from '../caches.js';
import { targetsOf } from '../nodeop/targets.js';
import { tryReadWish, type Wish } from '../nodeop/wish.js';
import { isReady, type SeenJob, type SeenPod } from '../seen.js';
import type { Facts, NodeFacts } from './facts.js';
import type { Former } from './former.js';

interface View {
  caches: Caches;
  former: Former;
  now: Date;
}

export function observe(op: NodeOp, view: View): Facts {
  const { caches, former, now } = view;
  const read = tryReadWish(op);
  const wish = read.fault === undefined ? read.wish : undefined;
  const names = new Set(Object.keys(op.status?.nodeStatuses ?? {}));
  const held = former.holds(op);
  if (held && wish) for (const name of targetsOf(wish.spec, caches.nodes.list())) names.add(name);
  const made = { jobs: former.jobsOf(op.metadata.uid), pods: caches.pods.by('owner', op.metadata.uid) };
  return {
    op,
    wish,
    held,
    now,
    nodes: wish === undefined ? [] : [...names].map(name => nodeFacts(name, { op, wish, view, ...made })),
    jobs: made.jobs,
    rebootPods: former.rebootPodsOf(op),
    readyNodes: new Set(
      caches.nodes
        .list()
        .filter(isReady)
        .map(node => node.metadata.name),
    ),
  };
}

interface Around {
  op: NodeOp;
  wish: Wish;
  view: View;
  /** Of the whole operation. */
  jobs: readonly SeenJob[];
  pods: readonly SeenPod[];
}

function nodeFacts(name: string, { op, wish, view, jobs, pods }: Around): NodeFacts {
  const { caches, former, now } = view;
  const entry = op.status?.nodeStatuses?.[name];
  const isHere = ({ metadata, spec }: SeenPod) => (spec.nodeName ?? metadata.labels?.[LABELS.node]) === name;
  const helpers = pods.filter(isHere);
  return {
    name,
    now,
    since: former.since,
    wish,
    entry,
    node: caches.nodes.get({ name }),
    agent: caches.nodeAgents.get({ name }),
    job: latest(jobs.filter(job => isOf(job, name, entry?.jobName))),
    rebootPods: helpers.filter(pod => pod.metadata.labels?.[LABELS.reboot] !== undefined),
    preflightPods: helpers.filter(pod => pod.metadata.labels?.[LABELS.preflight] !== undefined),
  };
}

const isOf = ({ metadata }: SeenJob, node: string, jobName: string | undefined): boolean =>
  metadata.name === jobName ||
  metadata.labels?.[LABELS.node] === node ||
  metadata.labels?.[LABELS.node] === labelValue(node);

/** It may have made one more and died before it said so. */
const latest = (jobs: readonly SeenJob[]): SeenJob | undefined =>
  jobs
    .toSorted((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))
    .at(-1);
