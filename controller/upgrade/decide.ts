/**
 * Decides what to do about an upgrade:
 *
 *     probe the image ──▶ target in the status ──▶ NodeOp created ──▶ its name in the status ──▶ its status mirrored ──▶ finished
 *
 * Each arrow is one saved status or one action, so a controller that is restarted in between continues where the last one stopped.
 */
import type { NodeOpStatus } from '../../api/nodeop.js';
import type { NodeOp } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import { isSameJson } from '../../kube/merge-patch.js';
import { withObservedGeneration } from '../cluster/observed-generation.js';
import { isFinal } from '../cluster/phases.js';
import { retryOf } from '../cluster/retry-annotation.js';
import {
  architectureSkipped,
  cachedCopyRead,
  completed,
  failed,
  imageRead,
  probing,
  refusalReason,
  versionUnknown,
} from './events.js';
import { type Action, type Facts, isCreation, type Plan } from './facts.js';
import { changeableValues } from './nodeop.js';
import { probeAll } from './probes.js';
import { deletedEarly, failedStatus, initializingStatus, mirroredStatus, withPullErrors } from './status.js';
import { targetFrom } from './target.js';

/** The garbage collector deletes the NodeOp of a deleted upgrade of this name. */
const TERMINATING_RECHECK_MS = 2_000;

/** Pause before a refused creation is tried again. */
const REFUSED_PAUSE_MS = 10_000;

const NOTHING: Plan = { events: [], actions: [] };

export const decide = (facts: Facts): Plan => withRefusal(nextPlan(facts), facts);

function nextPlan(facts: Facts): Plan {
  const { upgrade, nodeOp } = facts;
  const { status } = upgrade;
  if (upgrade.metadata.deletionTimestamp !== undefined) return NOTHING;
  if (isFinal(status))
    return retryPlan(facts) ?? { ...NOTHING, status: withObservedGeneration(upgrade), actions: deleteProbes(facts) };
  if (nodeOp.is === 'owned') return followNodeOp(facts, nodeOp.nodeOp);
  if (status?.nodeOpName !== undefined) return fail(facts, 'NodeOpDeleted', deletedEarly(status.nodeOpName));
  if (nodeOp.is === 'foreign')
    return fail(
      facts,
      'NameTaken',
      `a NodeOp named ${upgrade.metadata.name} exists and was not created for this upgrade`,
    );
  if (nodeOp.is === 'terminating') return waitForName(facts);
  if (status?.target !== undefined)
    return { ...NOTHING, actions: [...deleteProbes(facts), { do: 'createNodeOp', target: status.target }] };
  return probe(facts);
}

const deleteProbes = ({ probes }: Facts): Action[] =>
  probes.filter(pod => pod.metadata.deletionTimestamp === undefined).map(pod => ({ do: 'deleteProbe', pod }));

/**
 * A new value of the annotation requests a retry. The NodeOp knows which nodes have to be retried; where there is none yet, the upgrade starts
 * from the beginning. Where it was deleted, the state of the nodes is unknown, and the upgrade is not retried.
 */
function retryPlan(facts: Facts): Plan | undefined {
  const { upgrade, nodeOp, now } = facts;
  const requested = retryOf(upgrade.metadata);
  if (nodeOp.is === 'owned') {
    const { status } = nodeOp.nodeOp;
    if (!isFinal(status)) return status?.retry === undefined ? undefined : followNodeOp(facts, nodeOp.nodeOp);
    /* The retry may have finished before it was observed. */
    if (status?.retry !== undefined && status.completedAt !== upgrade.status?.completedAt && !wasRestored(status))
      return followNodeOp(facts, nodeOp.nodeOp);
    if (requested === undefined || requested === retryOf(nodeOp.nodeOp.metadata)) return undefined;
    return { ...NOTHING, actions: [{ do: 'retryNodeOp', nodeOp: nodeOp.nodeOp, value: requested }] };
  }
  const { nodeOpName, retry } = upgrade.status ?? {};
  if (nodeOpName !== undefined || requested === undefined || requested === retry) return undefined;
  const status = { ...initializingStatus(upgrade, 'retrying', now), completedAt: undefined, target: undefined };
  return { ...NOTHING, status, requeueAfterMs: 0 };
}

/** A NodeOp that was restored alone has run nothing that would change the result of its upgrade. */
const wasRestored = ({ conditions = [] }: NodeOpStatus): boolean =>
  conditions.some(({ reason }) => reason === 'Restored');

/** An upgrade stays failed until a retry is requested. */
export function fail({ upgrade, now }: Pick<Facts, 'upgrade' | 'now'>, reason: Reason, message: string): Plan {
  return {
    status: failedStatus(upgrade, { reason, message }, now),
    events: [failed(upgrade, reason, message)],
    actions: [],
  };
}

/** While the API server refuses a creation of the plan, its message is shown in the status; at the deadline the upgrade fails with it. */
function withRefusal(plan: Plan, facts: Facts): Plan {
  const { upgrade, spec, refusal, now } = facts;
  if (refusal === undefined || !plan.actions.some(action => action.do === refusal.what)) return plan;
  const { what, message, since, last } = refusal;
  if (now.getTime() >= since.getTime() + spec.startDeadlineSeconds * 1000)
    return fail(facts, what === 'createProbe' ? 'ProbeFailed' : 'InvalidSpec', message);
  const pauseMs = last.getTime() + REFUSED_PAUSE_MS - now.getTime();
  return {
    status: withPullErrors(initializingStatus(upgrade, message, now, refusalReason(what)), plan.status?.pullErrors),
    events: plan.events,
    actions: pauseMs > 0 ? plan.actions.filter(action => !isCreation(action)) : plan.actions,
    requeueAfterMs: pauseMs > 0 ? pauseMs : plan.requeueAfterMs,
  };
}

function waitForName({ upgrade, now }: Facts): Plan {
  const message = `waiting for the NodeOp of an earlier upgrade named ${upgrade.metadata.name} to be deleted`;
  return { ...NOTHING, status: initializingStatus(upgrade, message, now), requeueAfterMs: TERMINATING_RECHECK_MS };
}

function probe(facts: Facts): Plan {
  const { upgrade, spec, now } = facts;
  if (facts.targets.length === 0) return fail(facts, 'NoTargets', 'no Linux node matches nodeSelector');
  const probed = probeAll(facts);
  if (probed.is === 'failed') return fail(facts, 'ProbeFailed', probed.message);
  if (probed.is === 'pending')
    return {
      status: withPullErrors(initializingStatus(upgrade, probed.message, now), probed.pullErrors),
      events: upgrade.status?.phase === undefined ? [probing(upgrade, spec.image)] : [],
      actions: probed.actions,
      requeueAfterMs: probed.requeueAfterMs,
    };
  const target = targetFrom(probed.readings, probed.skipped, now);
  const message = target.version === undefined ? 'the image was read' : `the image contains ${target.version}`;
  return {
    status: { ...withPullErrors(initializingStatus(upgrade, message, now)), target },
    events: [
      target.version === undefined ? versionUnknown(upgrade) : imageRead(upgrade, target.version),
      ...probed.skipped.map(arch => architectureSkipped(upgrade, arch)),
      ...probed.readings.flatMap(({ arch, pullError }) =>
        pullError === undefined ? [] : [cachedCopyRead(upgrade, arch, pullError)],
      ),
    ],
    actions: [],
    requeueAfterMs: 0,
  };
}

function followNodeOp(facts: Facts, nodeOp: NodeOp): Plan {
  const { upgrade, now } = facts;
  const status = mirroredStatus(upgrade, nodeOp, now);
  return {
    status,
    events: finalEvents(upgrade, status),
    actions: [...deleteProbes(facts), ...changeNodeOp(facts, nodeOp)],
  };
}

function finalEvents(upgrade: Facts['upgrade'], status: ReturnType<typeof mirroredStatus>): Plan['events'] {
  /* The conditions carry the cause of a failure; the message of the status is only one of the published texts. */
  const condition = status.conditions?.find(({ type }) => type === 'Failed');
  const message = condition?.message ?? '';
  if (status.phase === 'Failed') return [failed(upgrade, (condition?.reason ?? 'NodesFailed') as Reason, message)];
  return status.phase === 'Completed' ? [completed(upgrade, message)] : [];
}

/** Carries fields that may change after the start over to the running NodeOp. */
function changeNodeOp({ spec }: Facts, nodeOp: NodeOp): Action[] {
  if (isFinal(nodeOp.status) || nodeOp.metadata.deletionTimestamp !== undefined) return [];
  const wanted = changeableValues(spec);
  const fields = Object.keys(wanted) as (keyof typeof wanted)[];
  if (fields.every(field => isSameJson(nodeOp.spec[field] ?? undefined, wanted[field]))) return [];
  return [{ do: 'updateNodeOp', nodeOp, to: { ...nodeOp, spec: { ...nodeOp.spec, ...wanted } } }];
}
