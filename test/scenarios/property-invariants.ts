/** What must hold for every admitted object, whatever its outcome; each violation is described in a sentence. */
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

type Violations = readonly string[];

const operations = ({ cluster }: CaseRun) => cluster.api.all<NodeOp>(NODE_OP);

/** Nothing happens twice, and nothing is left behind. `spec` is that of the NodeOp, which may be deleted by now. */
export function excessDisruption(caseRun: CaseRun, testCase: Case, spec: NodeOpSpec | undefined): Violations {
  return testCase.nodes.flatMap(({ cordonedBefore }, index) => {
    const name = nodeName(index);
    const runs = caseRun.runs.get(name) ?? 0;
    const most = (spec?.backoffLimit ?? -1) + 1;
    const jobs = jobsOn(caseRun, name);
    const reboots = caseRun.cluster.machine(name).shutdowns.filter(why => why === 'agent').length;
    const entry = operations(caseRun)[0]?.status?.nodeStatuses?.[name];
    return [
      ...(runs > most ? [`${name}: the command was started ${runs} times, ${most} were allowed`] : []),
      ...(jobs > 1 ? [`${name}: ${jobs} Jobs ran`] : []),
      ...(reboots > (spec?.rebootOnSuccess ? 1 : 0) ? [`${name}: ${reboots} reboots`] : []),
      ...cordonLeft(caseRun, { name, cordonedBefore, mayStay: staysCordoned(entry, spec) }),
    ];
  });
}

/**
 * The number of Jobs that were ever not suspended. A leader that is thawed late may create a Job again that was already cleaned up;
 * it is created suspended, is never resumed, and is deleted with its NodeOp.
 */
function jobsOn({ cluster }: CaseRun, node: string): number {
  const jobs = cluster.api.store.history(collectionOf(JOBS)).map(({ object }) => object as object as JobObject);
  const ran = jobs.filter(({ metadata, spec }) => metadata.labels?.[LABELS.node] === node && spec.suspend !== true);
  return new Set(ran.map(({ metadata }) => metadata.uid)).size;
}

/** A node that failed at Run or later stays cordoned for inspection. */
const staysCordoned = (entry: NodeStatus | undefined, spec: NodeOpSpec | undefined) =>
  entry?.phase === 'Failed' && entry.stepTimes?.Run !== undefined && spec?.uncordonOnFailure !== true;

function cordonLeft(
  { cluster }: CaseRun,
  { name, cordonedBefore, mayStay }: { name: string; cordonedBefore: boolean; mayStay: boolean },
): Violations {
  const node = cluster.api.find<NodeObject>(NODES, { name });
  const cordonMark = node?.metadata.annotations?.[ANNOTATIONS.cordonedBy];
  const cordoned = node?.spec.unschedulable === true;
  if (cordonedBefore) return cordoned && cordonMark === undefined ? [] : [`${name}: the cordon of a user was changed`];
  if (cordonMark !== undefined && !cordoned) return [`${name}: a cordon mark without a cordon was left`];
  return cordoned && !mayStay ? [`${name}: was left cordoned`] : [];
}

/** Completed is reported only for what has provably been done. */
export function completedWithoutProof(caseRun: CaseRun, testCase: Case): Violations {
  const done = operations(caseRun).flatMap(op => completedWithout(caseRun, op));
  const upgrades = caseRun.cluster.api
    .all<NodeOpUpgrade>(NODE_OP_UPGRADE)
    .filter(({ status }) => status?.phase === 'Completed');
  const open = operations(caseRun).filter(({ status }) => status?.phase !== 'Completed');
  return [
    ...done,
    ...(upgrades.length > 0 && open.length > 0 ? ['the upgrade is Completed, its NodeOp is not'] : []),
    ...(testCase.object.kind === 'NodeOpUpgrade' && upgrades.length > 0 && operations(caseRun).length === 0
      ? ['the upgrade is Completed without a NodeOp']
      : []),
  ];
}

function completedWithout(caseRun: CaseRun, { spec, status }: NodeOp): Violations {
  const entries = Object.entries(status?.nodeStatuses ?? {});
  const ended = entries.filter(([, { phase }]) => phase === 'Completed');
  const open = status?.phase === 'Completed' ? entries.filter(([, { phase }]) => phase !== 'Completed') : [];
  return [
    ...open.map(([name, { phase }]) => `the operation is Completed, ${name} is ${phase}`),
    ...(status?.phase === 'Completed' && entries.length === 0 ? ['the operation is Completed without any node'] : []),
    ...ended.flatMap(([name, { reason }]) => {
      if (reason === 'Skipped') return spec.preflight ? [] : [`${name} was skipped without a preflight`];
      const boot = caseRun.succeeded.get(name);
      if (boot === undefined) return [`${name} is Completed (${reason}), its command never succeeded`];
      if (!spec.rebootOnSuccess) return [];
      return caseRun.cluster.machine(name).bootId === boot
        ? [`${name} is Completed, it did not reboot after its command`]
        : [];
    }),
  ];
}

/** Everything that waits reports a reason and a message. */
export function waitingWithoutReason(caseRun: CaseRun): Violations {
  const upgrades = caseRun.cluster.api.all<NodeOpUpgrade>(NODE_OP_UPGRADE).filter(({ status }) => !isFinal(status));
  return [
    ...upgrades.flatMap(({ status }) =>
      status?.message && status.conditions?.some(({ reason }) => reason) ? [] : ['the upgrade waits without a reason'],
    ),
    ...operations(caseRun)
      .filter(({ status }) => !isFinal(status))
      .flatMap(({ status }) =>
        Object.entries(status?.nodeStatuses ?? {})
          .filter(([, entry]) => !isFinal(entry) && !(entry.reason && entry.message))
          .map(([name, entry]) => `${name} waits without a reason: ${JSON.stringify(entry)}`),
      ),
  ];
}
