/** With which reasons the nodes of a case may fail: a reason that nothing in the case explains is a violation. */
import { NODE_OP } from '../../api/kinds.js';
import type { NodeOpSpec } from '../../api/nodeop.js';
import type { NodeOp } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import { effectOf } from './conditions.js';
import type { Case } from './property-case.js';
import type { CaseRun } from './property-setup.js';

type Explains = (spec: NodeOpSpec, testCase: Case) => boolean;

/** Within this time whatever a node needs is there, unless a condition or a fault delays it. */
const AMPLE_SECONDS = 100;

const always: Explains = () => true;
const isDisturbed: Explains = (_spec, { fault, conditions }) => fault.kind !== 'none' || conditions.length > 0;
const hasPowerCut: Explains = (_spec, { fault }) => fault.kind === 'powerCut';
const anyOf =
  (...all: readonly Explains[]): Explains =>
  (spec, testCase) =>
    all.some(each => each(spec, testCase));
const isShort =
  (secondsOf: (spec: NodeOpSpec) => number | undefined): Explains =>
  (spec, testCase) => {
    const seconds = secondsOf(spec);
    return seconds !== undefined && (seconds < AMPLE_SECONDS || isDisturbed(spec, testCase));
  };

/** A reason that is absent needs a condition that explains it. */
const EXPLAINED: Partial<Record<Reason, Explains>> = {
  Deleted: always,
  AgentNotAnswering: isDisturbed,
  PreflightFailed: ({ preflight }) => preflight !== undefined,
  PreflightTimeout: ({ preflight }) => preflight !== undefined,
  ImagePullFailed: anyOf(
    (_spec, { image }) => image === 'missing',
    isShort(({ pullDeadlineSeconds }) => pullDeadlineSeconds),
  ),
  DrainTimeout: ({ drainOptions }) => drainOptions?.enabled === true,
  DrainRefused: ({ drainOptions }, { daemonSet, conditions }) =>
    drainOptions?.ignoreDaemonSets === false &&
    (daemonSet || conditions.some(({ kind }) => kind === 'daemonSetLabels')),
  NotStarted: isShort(({ startDeadlineSeconds }) => startDeadlineSeconds),
  JobTimeout: ({ activeDeadlineSeconds }) => activeDeadlineSeconds !== undefined,
  JobFailed: anyOf(hasPowerCut, (_spec, { command }) => command.kind === 'fails'),
  SentinelFailed: hasPowerCut,
  Unreachable: anyOf(
    hasPowerCut,
    isShort(({ rebootTimeoutSeconds }) => rebootTimeoutSeconds),
  ),
  NotRebooted: anyOf(
    hasPowerCut,
    isShort(({ rebootTimeoutSeconds }) => rebootTimeoutSeconds),
  ),
  NotSettled: anyOf(
    hasPowerCut,
    isShort(({ verifyTimeoutSeconds }) => verifyTimeoutSeconds),
  ),
  FellBack: ({ verify }, { object }) => verify !== undefined || object.kind === 'NodeOpUpgrade',
  NodeNotReady: isDisturbed,
  ControlPlaneNotReady: isDisturbed,
  PodRefused: ({ startDeadlineSeconds }) => startDeadlineSeconds < 20,
};

export function unexplainedFailures({ cluster }: CaseRun, testCase: Case): string[] {
  const ofConditions = new Set(testCase.conditions.flatMap(condition => effectOf(condition).reasons));
  return cluster.api.all<NodeOp>(NODE_OP).flatMap(({ spec, status }) =>
    Object.entries(status?.nodeStatuses ?? {})
      .filter(([, { phase }]) => phase === 'Failed')
      .filter(([, { reason }]) => {
        const known = reason as Reason;
        return !ofConditions.has(known) && EXPLAINED[known]?.(spec, testCase) !== true;
      })
      .map(([name, entry]) => `${name} failed with a reason that nothing explains: ${JSON.stringify(entry)}`),
  );
}
