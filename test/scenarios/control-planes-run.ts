/** Runs a schedule on a fake cluster and returns the invariants that were violated. */
import { NODE_AGENT, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS, LEADER_LEASE } from '../../api/names.js';
import type { NodeAgent, NodeOp } from '../../api/objects.js';
import { isFinal } from '../../controller/cluster/phases.js';
import type { Stored } from '../../kube/kube.js';
import { LEASES, NODES } from '../../kube/resources.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import { type NodeObject, withCondition } from '../fakes/cluster/object-types.js';
import { type ClusterOptions, nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import type { Program } from '../fakes/cluster/program.js';
import { OWN_NAMESPACE } from '../fakes/cluster/operator-programs.js';
import { withSeededRandom } from '../fakes/cluster/seeded-random.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { beginConditions, type Condition, withConditions } from './conditions.js';
import type { ScheduledEvent, Schedule, Target } from './control-planes-schedule.js';
import { watchControlPlanes } from './control-planes-invariants.js';

const LEASE = { namespace: OWN_NAMESPACE };

interface LeaseObject extends Stored {
  spec?: { holderIdentity?: string };
}

const holderOf = ({ api }: FakeCluster, name: string) =>
  api.find<LeaseObject>(LEASES, { ...LEASE, name })?.spec?.holderIdentity;

/** The holder of the leader election lease, or the first replica when no one holds it. */
const leaderOf = (cluster: FakeCluster): Program | undefined =>
  cluster.controllers.find(({ name }) => name === holderOf(cluster, LEADER_LEASE)) ?? cluster.controllers[0];

const resourceOf = ({ kind }: Target) => (kind === 'NodeOp' ? NODE_OP : NODE_OP_UPGRADE);

/** Creates an object; an existing one stays as it is, because most of a spec is immutable. */
function apply(cluster: FakeCluster, on: Target, spec: object): void {
  if (cluster.api.find(resourceOf(on), on)) return;
  const body = (on.kind === 'NodeOp' ? nodeOp : nodeOpUpgrade)(on.name, spec);
  cluster.apply(resourceOf(on), { ...body, metadata: { ...body.metadata, namespace: on.namespace } });
}

/** Patches an object if it exists. */
function change(cluster: FakeCluster, on: Target, body: object): void {
  if (cluster.api.find(resourceOf(on), on)) cluster.api.patch(resourceOf(on), on, body);
}

function setReady(cluster: FakeCluster, name: string, isReady: boolean): void {
  const { api, clock } = cluster;
  if (!cluster.machine(name).up) return;
  const ready = {
    type: 'Ready',
    status: isReady ? 'True' : 'False',
    reason: isReady ? 'KubeletReady' : 'RuntimeNotReady',
  };
  api.modify<NodeObject>(NODES, { name }, node => ({
    ...node,
    status: { ...node.status, conditions: withCondition(node.status.conditions, ready, clock.now()) },
  }));
}

/** Starts a standby replica that takes over the lease, and thaws the frozen leader later. */
function startStandbyAndThaw(cluster: FakeCluster, leader: Program, seconds: number): void {
  for (const other of cluster.controllers.slice(0, 2)) if (other !== leader) other.start();
  cluster.clock.callAfter(seconds * 1000, () => leader.thaw());
}

function freeze(cluster: FakeCluster, seconds: number): void {
  const leader = leaderOf(cluster);
  if (leader === undefined) return;
  startStandbyAndThaw(cluster, leader, seconds);
  leader.freeze();
}

/** Freezes the leader before a later mutation, which it performs after the thaw. */
function freezeAtMutation(cluster: FakeCluster, mutations: number, seconds: number): void {
  const leader = leaderOf(cluster);
  if (leader === undefined) return;
  const at = leader.mutationCount + mutations;
  leader.faultAt = number => {
    if (number !== at) return undefined;
    startStandbyAndThaw(cluster, leader, seconds);
    return { kind: 'freezeBefore' };
  };
}

function delayWatches(cluster: FakeCluster, seconds: number): void {
  const until = cluster.clock.monotonic() + seconds * 1000;
  cluster.watchDelay = program =>
    program.startsWith('controller') ? Math.max(until - cluster.clock.monotonic(), 0) : 0;
}

function perform(cluster: FakeCluster, what: ScheduledEvent): void {
  const { clock } = cluster;
  switch (what.do) {
    case 'apply':
      return apply(cluster, what.on, what.spec);
    case 'pause':
      return change(cluster, what.on, { spec: { paused: what.paused } });
    case 'retry':
      return change(cluster, what.on, {
        metadata: { annotations: { [ANNOTATIONS.retry]: String(clock.monotonic()) } },
      });
    case 'delete':
      return cluster.delete(resourceOf(what.on), what.on);
    case 'kill':
      return leaderOf(cluster)?.kill();
    case 'killAgent':
      return cluster.agents.get(what.node)?.kill();
    case 'freeze':
      return freeze(cluster, what.seconds);
    case 'freezeAtMutation':
      return freezeAtMutation(cluster, what.mutations, what.seconds);
    case 'delayWatches':
      return delayWatches(cluster, what.seconds);
    case 'reboot':
      return cluster.machine(what.node).reboot();
    case 'powerOff':
      cluster.machine(what.node).powerOff();
      return void clock.callAfter(what.seconds * 1000, () => cluster.machine(what.node).powerOn());
    case 'notReady':
      setReady(cluster, what.node, false);
      return void clock.callAfter(what.seconds * 1000, () => setReady(cluster, what.node, true));
  }
}

const IMAGES = { 'registry.example/kairos:2': { release: KAIROS_RELEASE.replaceAll('v3.5.0', 'v3.6.0') } };

/** Longer than all deadlines of any schedule together. */
const LONG_SECONDS = 4 * 3600;

/** The violated invariants; empty when all held. */
export const runSchedule = (schedule: Schedule): Promise<string[]> =>
  withSeededRandom(schedule.seed, async () => {
    const { seed, controlPlanes, workers, events, conditions } = schedule;
    const options: ClusterOptions = {
      nodes: [...controlPlanes.map(name => ({ name, controlPlane: true })), ...workers.map(name => ({ name }))],
      daemonSets: ['proxy'],
      images: IMAGES,
      behavior: ({ container, pod }) => (isToFail(container, pod) ? { seconds: 3, exitCode: 1 } : undefined),
      seed,
    };
    const cluster = fakeCluster(withConditions(options, conditions));
    await cluster.start();
    beginConditions(cluster, conditions);
    const violations = watchControlPlanes(cluster, controlPlanes, decisionDelayMs(conditions));
    const start = cluster.clock.monotonic();
    for (const { at, what } of events) {
      await cluster.runFor(Math.max(start / 1000 + at - cluster.clock.monotonic() / 1000, 0));
      perform(cluster, what);
    }
    await cluster.runFor(1);
    const settled = await cluster.runUntilSettled({ within: LONG_SECONDS, then: 5 });
    return [...violations, ...(settled ? [] : unsettled(cluster))];
  });

/** A disruption that was decided just before another node became NotReady may start this much later: after a few calls. */
function decisionDelayMs(conditions: readonly Condition[]): number {
  const slow = conditions.find(({ kind }) => kind === 'slowCalls');
  return 2_000 + (slow?.kind === 'slowCalls' ? 3_000 * slow.seconds : 0);
}

const isToFail = (container: object, _pod: object) => 'command' in container && String(container.command) === 'false';

/** The operations that have not finished, with the reasons in their status. */
function unsettled({ api }: FakeCluster): string[] {
  const open = api.all<NodeOp>(NODE_OP).filter(({ status }) => !isFinal(status));
  return [
    'not settled after all events',
    ...open.flatMap(({ metadata, status }) => [
      `${metadata.namespace}/${metadata.name} ${status?.phase}: ${status?.message}`,
      ...Object.entries(status?.nodeStatuses ?? {}).map(
        ([node, { phase, step, reason, message }]) => `  ${node} ${phase} ${step} ${reason}: ${message}`,
      ),
    ]),
    ...api
      .all<NodeAgent>(NODE_AGENT)
      .map(({ metadata, spec, status }) =>
        spec.operation
          ? `${metadata.name} is claimed: ${JSON.stringify(spec.operation)} ${JSON.stringify(status?.operation)}`
          : '',
      ),
  ];
}
