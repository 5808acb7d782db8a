/** Runs a case and returns the invariants that were violated. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS } from '../../api/names.js';
import type { NodeOpSpec } from '../../api/nodeop.js';
import type { NodeOp } from '../../api/objects.js';
import { isFinal } from '../../controller/cluster/phases.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import type { Program } from '../fakes/cluster/program.js';
import { withSeededRandom } from '../fakes/cluster/seeded-random.js';
import { effectOf } from './conditions.js';
import type { Case } from './property-case.js';
import { excessDisruption, waitingWithoutReason, completedWithoutProof } from './property-invariants.js';
import { harmToOthers } from './property-disruption.js';
import { unexplainedFailures } from './property-reasons.js';
import { nodeName, type CaseRun, startCase } from './property-setup.js';

/** Time advances in steps of this length, after each of which the reported reasons are checked. */
const STRIDE_SECONDS = 61;

export const runCase = (testCase: Case, stored: object): Promise<string[]> =>
  withSeededRandom(1, async () => {
    const caseRun = await startCase(testCase);
    const { cluster } = caseRun;
    const resource = testCase.object.kind === 'NodeOp' ? NODE_OP : NODE_OP_UPGRADE;
    const object = (testCase.object.kind === 'NodeOp' ? nodeOp : nodeOpUpgrade)(NAME);
    const lastChange = recordChanges(cluster);
    injectFault(cluster, testCase.fault);
    const applied = { ...object, spec: stored };
    cluster.apply(resource, applied);
    const limitSeconds = mayLast(testCase, stored) ? LONG_ENOUGH_SECONDS : boundOf(testCase, stored);
    const unexplained = await untilSettled(caseRun, limitSeconds, lastChange);
    const spec = lastChange.spec;
    const before = [
      ...unexplained,
      ...excessDisruption(caseRun, testCase, spec),
      ...completedWithoutProof(caseRun, testCase),
      ...unexplainedFailures(caseRun, testCase),
      ...harmToOthers(caseRun, testCase, spec),
    ];
    if (cluster.isSettled()) return before;
    if (!mayLast(testCase, stored))
      return [...unexplained, 'it did not finish within its own deadlines', ...openIn(cluster)];
    cluster.delete(resource, object.metadata);
    const after = await untilSettled(caseRun, LONG_ENOUGH_SECONDS, lastChange);
    if (!cluster.isSettled()) await abandon(caseRun, lastChange);
    const ended = cluster.isSettled() ? [] : ['its deletion did not finish', ...openIn(cluster)];
    const harm = [...excessDisruption(caseRun, testCase, spec), ...harmToOthers(caseRun, testCase, spec)];
    return [...unexplained, ...after, ...ended, ...harm];
  });

const NAME = 'op';

/** The deletion of an operation that reboots waits for a running Job, unless the NodeOp is abandoned. */
async function abandon(caseRun: CaseRun, lastChange: LastChange): Promise<void> {
  const at = { name: NAME, namespace: 'default' };
  if (caseRun.cluster.api.find(NODE_OP, at))
    caseRun.cluster.api.patch(NODE_OP, at, { metadata: { annotations: { [ANNOTATIONS.abandon]: 'true' } } });
  await untilSettled(caseRun, LONG_ENOUGH_SECONDS, lastChange);
}

interface LastChange {
  /** Monotonic time of the last change of an operation. */
  at: number;
  /** The last observed spec of the NodeOp. */
  spec?: NodeOpSpec;
}

function recordChanges(cluster: FakeCluster): LastChange {
  const lastChange: LastChange = { at: 0 };
  cluster.api.onChange((plural, { object }) => {
    if (plural !== NODE_OP.plural && plural !== NODE_OP_UPGRADE.plural) return;
    lastChange.at = cluster.clock.monotonic();
    if (plural === NODE_OP.plural) lastChange.spec = (object as object as NodeOp).spec;
  });
  return lastChange;
}

/** Runs until the cluster is settled or the time is over; returns what waited without a reason, longer than calls take. */
async function untilSettled(caseRun: CaseRun, seconds: number, lastChange: LastChange): Promise<string[]> {
  const { cluster } = caseRun;
  const end = cluster.clock.monotonic() + seconds * 1000;
  const patienceMs = cluster.api.callSeconds === undefined ? 60_000 : 120_000;
  const violations = new Set<string>();
  await cluster.runFor(1);
  while (!cluster.isSettled() && cluster.clock.monotonic() < end) {
    await cluster.runUntil(() => cluster.isSettled(), STRIDE_SECONDS);
    if (cluster.clock.monotonic() - lastChange.at > patienceMs)
      for (const each of waitingWithoutReason(caseRun)) violations.add(each);
  }
  await cluster.runFor(30);
  return [...violations];
}

function injectFault(cluster: FakeCluster, fault: Case['fault']): void {
  switch (fault.kind) {
    case 'powerCut': {
      const machine = [...cluster.machines.values()][fault.node % cluster.machines.size];
      cluster.clock.callAfter(fault.at * 1000, () => machine?.powerOff());
      return void cluster.clock.callAfter((fault.at + fault.seconds) * 1000, () => machine?.powerOn());
    }
    case 'controllerKilled':
      return killAfter(cluster.controllers[0], fault.mutation);
    case 'controllerFrozen':
      return freezeBefore(cluster, fault.mutation);
    case 'agentKilled':
      return killAfter(cluster.agents.get(nodeName(fault.node % cluster.machines.size)), fault.mutation);
    case 'none':
  }
}

function killAfter(program: Program | undefined, mutation: number): void {
  if (program) program.faultAt = number => (number === mutation ? { kind: 'killAfter' } : undefined);
}

const FROZEN_MS = 50_000;

/** Freezes the leader before a mutation while a standby takes over; after the thaw it performs the mutation. */
function freezeBefore({ controllers: [first, second], clock }: FakeCluster, mutation: number): void {
  if (!first) return;
  first.faultAt = number => {
    if (number !== mutation) return undefined;
    second?.start();
    clock.callAfter(FROZEN_MS, () => first.thaw());
    return { kind: 'freezeBefore' };
  };
}

type Deadlines = Partial<Record<string, number>>;

/** The longest time that one node may take, for all nodes in sequence, plus the time that the fault costs. */
function boundOf({ nodes, fault, conditions }: Case, stored: object): number {
  const spec = stored as Deadlines & {
    drainOptions?: { timeoutSeconds?: number };
    preflight?: { activeDeadlineSeconds?: number };
  };
  const { pullDeadlineSeconds: pull = 0, startDeadlineSeconds: start = 0, rebootTimeoutSeconds: reboot = 0 } = spec;
  const { verifyTimeoutSeconds: verify = 0, settleSeconds: settle = 30, backoffLimit = 3 } = spec;
  const { activeDeadlineSeconds: active = 100 * (backoffLimit + 1) } = spec;
  const drain = (spec.drainOptions?.timeoutSeconds ?? 300) + 300;
  const preflight = (spec.preflight?.activeDeadlineSeconds ?? 120) + 60;
  const node = 60 + preflight + 3 * pull + 3 * start + drain + active + 2 * reboot + verify + settle + 60;
  const more = conditions.reduce((seconds, condition) => seconds + effectOf(condition).seconds, 0);
  const faultSeconds = fault.kind === 'powerCut' ? fault.at + fault.seconds : 120;
  return (node + more) * nodes.length + faultSeconds + pull + start + 300;
}

/** After this time an operation without a limit has reached the step in which it waits. */
const LONG_ENOUGH_SECONDS = 1500;

interface Lasting {
  paused?: boolean;
  cordon?: boolean;
  activeDeadlineSeconds?: number;
  drainOptions?: { enabled?: boolean; timeoutSeconds?: number };
}

/** Only a pause, a command without a deadline or a drain without a timeout may last indefinitely. */
function mayLast({ command, object }: Case, stored: object): boolean {
  const { paused, cordon, activeDeadlineSeconds, drainOptions }: Lasting = stored;
  const endless = command.kind === 'hangs' && activeDeadlineSeconds === undefined;
  const drains = (cordon ?? object.kind === 'NodeOpUpgrade') && drainOptions?.enabled === true;
  return paused === true || endless || (drains && drainOptions.timeoutSeconds === 0);
}

function openIn({ api }: FakeCluster): string[] {
  return api
    .all<NodeOp>(NODE_OP)
    .filter(({ status, metadata }) => !isFinal(status) || metadata.deletionTimestamp !== undefined)
    .map(({ status }) => JSON.stringify(status?.nodeStatuses));
}
