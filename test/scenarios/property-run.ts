/** Makes the wish of a case come true, or not, and tells which promises were broken on the way. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS } from '../../api/names.js';
import type { NodeOpSpec } from '../../api/nodeop.js';
import type { NodeOp } from '../../api/objects.js';
import { isFinal } from '../../controller/cluster/phases.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import type { Program } from '../fakes/cluster/program.js';
import { withSeededRandom } from '../fakes/cluster/seeded-random.js';
import type { Case } from './property-case.js';
import { excessDisruption, waitingWithoutReason, completedWithoutProof } from './property-invariants.js';
import { nodeName, type CaseRun, startCase } from './property-setup.js';

/** Time passes in strides, with a look at the words after each. */
const STRIDE_SECONDS = 61;

export const runCase = (drawn: Case, stored: object): Promise<string[]> =>
  withSeededRandom(1, async () => {
    const world = await startCase(drawn);
    const { cluster } = world;
    const resource = drawn.object.kind === 'NodeOp' ? NODE_OP : NODE_OP_UPGRADE;
    const object = (drawn.object.kind === 'NodeOp' ? nodeOp : nodeOpUpgrade)('wish');
    const heard = recordChanges(cluster);
    injectFault(cluster, drawn.fault);
    const wish = { ...object, spec: stored };
    cluster.apply(resource, wish);
    const patience = mayLast(drawn, stored) ? LONG_ENOUGH_SECONDS : boundOf(drawn, stored);
    const said = await untilSettled(world, patience, heard);
    const spec = heard.spec;
    const before = [...said, ...excessDisruption(world, drawn, spec), ...completedWithoutProof(world, drawn)];
    if (cluster.isSettled()) return before;
    if (!mayLast(drawn, stored)) return [...said, 'it did not end within its own deadlines', ...openIn(cluster)];
    cluster.delete(resource, object.metadata);
    const after = await untilSettled(world, LONG_ENOUGH_SECONDS, heard);
    if (!cluster.isSettled()) await abandon(world, heard);
    const ended = cluster.isSettled() ? [] : ['it did not end when it was deleted', ...openIn(cluster)];
    return [...said, ...after, ...ended, ...excessDisruption(world, drawn, spec)];
  });

/** A Job of an operation that reboots is let finish, unless somebody says that nobody waits for it. */
async function abandon(world: CaseRun, heard: LastChange): Promise<void> {
  const at = { name: 'wish', namespace: 'default' };
  if (world.cluster.api.find(NODE_OP, at))
    world.cluster.api.patch(NODE_OP, at, { metadata: { annotations: { [ANNOTATIONS.abandon]: 'true' } } });
  await untilSettled(world, LONG_ENOUGH_SECONDS, heard);
}

interface LastChange {
  /** When the last change of an operation came; monotonic. */
  at: number;
  /** Of the NodeOp, as it was last seen. */
  spec?: NodeOpSpec;
}

function recordChanges(cluster: FakeCluster): LastChange {
  const heard: LastChange = { at: 0 };
  cluster.api.onChange((plural, { object }) => {
    if (plural !== NODE_OP.plural && plural !== NODE_OP_UPGRADE.plural) return;
    heard.at = cluster.clock.monotonic();
    if (plural === NODE_OP.plural) heard.spec = (object as object as NodeOp).spec;
  });
  return heard;
}

/** Goes on until all is settled or so many seconds are over; what it tells is about silence. */
async function untilSettled(world: CaseRun, seconds: number, heard: LastChange): Promise<string[]> {
  const { cluster } = world;
  const end = cluster.clock.monotonic() + seconds * 1000;
  const said = new Set<string>();
  await cluster.runFor(1);
  while (!cluster.isSettled() && cluster.clock.monotonic() < end) {
    await cluster.runUntil(() => cluster.isSettled(), STRIDE_SECONDS);
    if (cluster.clock.monotonic() - heard.at > 60_000) for (const words of waitingWithoutReason(world)) said.add(words);
  }
  await cluster.runFor(30);
  return [...said];
}

function injectFault(cluster: FakeCluster, misfortune: Case['fault']): void {
  switch (misfortune.kind) {
    case 'powerCut': {
      const machine = [...cluster.machines.values()][misfortune.node % cluster.machines.size];
      cluster.clock.callAfter(misfortune.at * 1000, () => machine?.powerOff());
      return void cluster.clock.callAfter((misfortune.at + misfortune.seconds) * 1000, () => machine?.powerOn());
    }
    case 'controllerKilled':
      return dies(cluster.controllers[0], misfortune.act);
    case 'controllerFrozen':
      return sleeps(cluster, misfortune.act);
    case 'agentKilled':
      return dies(cluster.agents.get(nodeName(misfortune.node % cluster.machines.size)), misfortune.act);
    case 'none':
  }
}

function dies(program: Program | undefined, act: number): void {
  if (program) program.faultAt = number => (number === act ? { kind: 'killAfter' } : undefined);
}

const ASLEEP_MS = 50_000;

/** Another one leads while it sleeps; then it does what it was about to. */
function sleeps({ controllers: [first, second], clock }: FakeCluster, act: number): void {
  if (!first) return;
  first.faultAt = number => {
    if (number !== act) return undefined;
    second?.start();
    clock.callAfter(ASLEEP_MS, () => first.thaw());
    return { kind: 'freezeBefore' };
  };
}

type Deadlines = Partial<Record<string, number>>;

/** All that one node may take, one node after the other, and what the misfortune costs. */
function boundOf({ nodes, fault }: Case, stored: object): number {
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
  const trouble = fault.kind === 'powerCut' ? fault.at + fault.seconds : 120;
  return node * nodes.length + trouble + pull + start + 300;
}

/** What has no end of its own has by then come to where it waits. */
const LONG_ENOUGH_SECONDS = 1500;

interface Lasting {
  paused?: boolean;
  cordon?: boolean;
  activeDeadlineSeconds?: number;
  drainOptions?: { enabled?: boolean; timeoutSeconds?: number };
}

/** Only what was asked to last may: a pause, a command without a limit, a drain without one. */
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
