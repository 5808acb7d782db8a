/** What must be true of any wish, however it went: each promise in a sentence if it was broken. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS, LABELS } from '../../api/names.js';
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOpSpec } from '../../api/nodeop.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import { isFinal } from '../../controller/cluster/phases.js';
import { JOBS, NODES } from '../../kube/resources.js';
import type { JobObject, NodeObject } from '../fakes/cluster/object-types.js';
import { collectionOf } from '../fakes/kube.js';
import { nodeName, type CaseRun } from './property-setup.js';
import type { Case } from './property-case.js';

type Said = readonly string[];

const operations = ({ cluster }: CaseRun) => cluster.api.all<NodeOp>(NODE_OP);

/** Nothing happens twice, and nothing is left behind. `spec` is the NodeOp's, though it may be gone by now. */
export function excessDisruption(world: CaseRun, drawn: Case, spec: NodeOpSpec | undefined): Said {
  return drawn.nodes.flatMap(({ cordonedBefore }, index) => {
    const name = nodeName(index);
    const runs = world.runs.get(name) ?? 0;
    const most = (spec?.backoffLimit ?? -1) + 1;
    const jobs = jobsOn(world, name);
    const reboots = world.cluster.machine(name).shutdowns.filter(why => why === 'agent').length;
    const entry = operations(world)[0]?.status?.nodeStatuses?.[name];
    return [
      ...(runs > most ? [`${name}: the command was started ${runs} times, ${most} were allowed`] : []),
      ...(jobs > 1 ? [`${name}: ${jobs} Jobs were let run`] : []),
      ...(reboots > (spec?.rebootOnSuccess ? 1 : 0) ? [`${name}: ${reboots} reboots`] : []),
      ...cordonLeft(world, { name, cordonedBefore, mayStay: staysCordoned(entry, spec) }),
    ];
  });
}

/**
 * Those that were ever let run. A leader that wakes up late may make one again that was there and is tidied away by now:
 * it is made suspended, nobody resumes it, and it goes with its NodeOp.
 */
function jobsOn({ cluster }: CaseRun, node: string): number {
  const jobs = cluster.api.store.history(collectionOf(JOBS)).map(({ object }) => object as object as JobObject);
  const ran = jobs.filter(({ metadata, spec }) => metadata.labels?.[LABELS.node] === node && spec.suspend !== true);
  return new Set(ran.map(({ metadata }) => metadata.uid)).size;
}

/** Failed from Run on: left for inspection. */
const staysCordoned = (entry: NodeStatus | undefined, spec: NodeOpSpec | undefined) =>
  entry?.phase === 'Failed' && entry.stepTimes?.Run !== undefined && spec?.uncordonOnFailure !== true;

function cordonLeft(
  { cluster }: CaseRun,
  { name, cordonedBefore, mayStay }: { name: string; cordonedBefore: boolean; mayStay: boolean },
): Said {
  const node = cluster.api.find<NodeObject>(NODES, { name });
  const cordonMark = node?.metadata.annotations?.[ANNOTATIONS.cordonedBy];
  const cordoned = node?.spec.unschedulable === true;
  if (cordonedBefore)
    return cordoned && cordonMark === undefined ? [] : [`${name}: the cordon of somebody else was touched`];
  if (cordonMark !== undefined && !cordoned) return [`${name}: a mark without a cordon was left`];
  return cordoned && !mayStay ? [`${name}: was left cordoned`] : [];
}

/** Completed is proof. */
export function completedWithoutProof(world: CaseRun, drawn: Case): Said {
  const done = operations(world).flatMap(op => completedWithout(world, op));
  const upgrades = world.cluster.api
    .all<NodeOpUpgrade>(NODE_OP_UPGRADE)
    .filter(({ status }) => status?.phase === 'Completed');
  const open = operations(world).filter(({ status }) => status?.phase !== 'Completed');
  return [
    ...done,
    ...(upgrades.length > 0 && open.length > 0 ? ['the upgrade is Completed, its NodeOp is not'] : []),
    ...(drawn.object.kind === 'NodeOpUpgrade' && upgrades.length > 0 && operations(world).length === 0
      ? ['the upgrade is Completed without a NodeOp']
      : []),
  ];
}

function completedWithout(world: CaseRun, { spec, status }: NodeOp): Said {
  const entries = Object.entries(status?.nodeStatuses ?? {});
  const ended = entries.filter(([, { phase }]) => phase === 'Completed');
  const open = status?.phase === 'Completed' ? entries.filter(([, { phase }]) => phase !== 'Completed') : [];
  return [
    ...open.map(([name, { phase }]) => `the operation is Completed, ${name} is ${phase}`),
    ...(status?.phase === 'Completed' && entries.length === 0 ? ['the operation is Completed without any node'] : []),
    ...ended.flatMap(([name, { reason }]) => {
      if (reason === 'Skipped') return spec.preflight ? [] : [`${name} was skipped without a preflight`];
      const boot = world.succeeded.get(name);
      if (boot === undefined) return [`${name} is Completed (${reason}), its command never succeeded`];
      if (!spec.rebootOnSuccess) return [];
      return world.cluster.machine(name).bootId === boot
        ? [`${name} is Completed, it did not reboot after its command`]
        : [];
    }),
  ];
}

/** Nobody waits without a word. */
export function waitingWithoutReason(world: CaseRun): Said {
  const upgrades = world.cluster.api.all<NodeOpUpgrade>(NODE_OP_UPGRADE).filter(({ status }) => !isFinal(status));
  return [
    ...upgrades.flatMap(({ status }) =>
      status?.message && status.conditions?.some(({ reason }) => reason)
        ? []
        : ['the upgrade waits and does not say why'],
    ),
    ...operations(world)
      .filter(({ status }) => !isFinal(status))
      .flatMap(({ status }) =>
        Object.entries(status?.nodeStatuses ?? {})
          .filter(([, entry]) => !isFinal(entry) && !(entry.reason && entry.message))
          .map(([name, entry]) => `${name} waits and does not say why: ${JSON.stringify(entry)}`),
      ),
  ];
}
