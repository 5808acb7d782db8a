/**
 * What to do about an upgrade now:
 *
 *     probe the image ──▶ target in the status ──▶ NodeOp made ──▶ its name in the status ──▶ its status mirrored ──▶ ended
 *
 * Each arrow is one saved status or one act, so that a controller that dies in between is followed by one that goes on.
 */
import type { NodeOp } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import { isSameJson } from '../../kube/merge-patch.js';
import { isFinal } from '../cluster/phases.js';
import {
  completed,
  failed,
  archLeftOut,
  copyRead,
  imageRead,
  probing,
  refusalReason,
  versionUnknown,
} from './events.js';
import { type Action, type Facts, isCreation, type Plan } from './facts.js';
import { changeableValues, retryOf } from './nodeop.js';
import { probeAll } from './probes.js';
import { ended, initializing, mirrored } from './status.js';
import { targetFrom } from './target.js';

/** The garbage collector removes the NodeOp of a deleted upgrade of this name. */
const TERMINATING_RECHECK_MS = 2_000;

/** What was refused is not asked for again at once. */
const REFUSED_PAUSE_MS = 10_000;

const NOTHING: Plan = { events: [], actions: [] };

export const decide = (facts: Facts): Plan => heedingRefusal(wished(facts), facts);

function wished(facts: Facts): Plan {
  const { upgrade, nodeOp } = facts;
  const { status } = upgrade;
  if (upgrade.metadata.deletionTimestamp !== undefined) return NOTHING;
  if (isFinal(status)) return again(facts) ?? { ...NOTHING, actions: tidy(facts) };
  if (nodeOp.is === 'ours') return follow(facts, nodeOp.nodeOp);
  if (status?.nodeOpName !== undefined)
    return fail(facts, 'NodeOpDeleted', `NodeOp ${status.nodeOpName} was deleted before the upgrade had ended`);
  if (nodeOp.is === 'foreign')
    return fail(facts, 'NameTaken', `a NodeOp named ${upgrade.metadata.name} exists and was not made for this upgrade`);
  if (nodeOp.is === 'leaving') return waitForName(facts);
  if (status?.target !== undefined)
    return { ...NOTHING, actions: [...tidy(facts), { do: 'createNodeOp', target: status.target }] };
  return probe(facts);
}

/** The Pods have said what they had to say. */
const tidy = ({ probes }: Facts): Action[] =>
  probes.filter(pod => pod.metadata.deletionTimestamp === undefined).map(pod => ({ do: 'deleteProbe', pod }));

/**
 * The annotation with a new value asks for another attempt. The NodeOp knows which nodes that means; where there is none yet,
 * the upgrade begins from the start. One whose NodeOp was deleted stays as it is: what became of its nodes nobody knows.
 */
function again(facts: Facts): Plan | undefined {
  const { upgrade, nodeOp, now } = facts;
  const wanted = retryOf(upgrade.metadata);
  if (nodeOp.is === 'ours') {
    const { status } = nodeOp.nodeOp;
    if (!isFinal(status)) return status?.retry === undefined ? undefined : follow(facts, nodeOp.nodeOp);
    /* It ended again before we looked. */
    if (status?.retry !== undefined && status.completedAt !== upgrade.status?.completedAt)
      return follow(facts, nodeOp.nodeOp);
    if (wanted === undefined || wanted === retryOf(nodeOp.nodeOp.metadata)) return undefined;
    return { ...NOTHING, actions: [{ do: 'retryNodeOp', nodeOp: nodeOp.nodeOp, value: wanted }] };
  }
  const { nodeOpName, retry } = upgrade.status ?? {};
  if (nodeOpName !== undefined || wanted === undefined || wanted === retry) return undefined;
  const status = { ...initializing(upgrade, 'trying again', now), completedAt: undefined, target: undefined };
  return { ...NOTHING, status, requeueAfterMs: 0 };
}

/** An upgrade fails, until another attempt is asked for. */
export function fail({ upgrade, now }: Pick<Facts, 'upgrade' | 'now'>, reason: Reason, message: string): Plan {
  return { status: ended(upgrade, { reason, message }, now), events: [failed(upgrade, reason, message)], actions: [] };
}

/** While the API server refuses what the plan would make, its words are the status; in the end they are the failure. */
function heedingRefusal(plan: Plan, facts: Facts): Plan {
  const { upgrade, spec, refusal, now } = facts;
  if (refusal === undefined || !plan.actions.some(action => action.do === refusal.what)) return plan;
  const { what, message, since, last } = refusal;
  if (now.getTime() >= since.getTime() + spec.startDeadlineSeconds * 1000)
    return fail(facts, what === 'probe' ? 'ProbeFailed' : 'InvalidSpec', message);
  const pauseMs = last.getTime() + REFUSED_PAUSE_MS - now.getTime();
  return {
    status: initializing(upgrade, message, now, refusalReason(what)),
    events: plan.events,
    actions: pauseMs > 0 ? plan.actions.filter(action => !isCreation(action)) : plan.actions,
    requeueAfterMs: pauseMs > 0 ? pauseMs : plan.requeueAfterMs,
  };
}

function waitForName({ upgrade, now }: Facts): Plan {
  const message = `waiting for the NodeOp of an earlier upgrade named ${upgrade.metadata.name} to be gone`;
  return { ...NOTHING, status: initializing(upgrade, message, now), requeueAfterMs: TERMINATING_RECHECK_MS };
}

function probe(facts: Facts): Plan {
  const { upgrade, spec, now } = facts;
  if (facts.targets.length === 0) return fail(facts, 'NoTargets', 'no Linux node matches nodeSelector');
  const probed = probeAll(facts);
  if (probed.is === 'failed') return fail(facts, 'ProbeFailed', probed.message);
  if (probed.is === 'going')
    return {
      status: initializing(upgrade, probed.message, now),
      events: upgrade.status?.phase === undefined ? [probing(upgrade, spec.image)] : [],
      actions: probed.actions,
      requeueAfterMs: probed.requeueAfterMs,
    };
  const target = targetFrom(probed.readings, probed.leftOut, now);
  const message = target.version === undefined ? 'the image was read' : `the image holds ${target.version}`;
  return {
    status: { ...initializing(upgrade, message, now), target },
    events: [
      target.version === undefined ? versionUnknown(upgrade) : imageRead(upgrade, target.version),
      ...probed.leftOut.map(arch => archLeftOut(upgrade, arch)),
      ...probed.readings.flatMap(({ arch, noPull }) => (noPull === undefined ? [] : [copyRead(upgrade, arch, noPull)])),
    ],
    actions: [],
    requeueAfterMs: 0,
  };
}

function follow(facts: Facts, nodeOp: NodeOp): Plan {
  const { upgrade, now } = facts;
  const status = mirrored(upgrade, nodeOp, now);
  /* Every condition says why; the message is no more than the published text. */
  const ending = status.conditions?.find(condition => condition.type === 'Failed');
  const message = ending?.message ?? '';
  const events = [];
  if (status.phase === 'Failed') events.push(failed(upgrade, (ending?.reason ?? 'NodesFailed') as Reason, message));
  if (status.phase === 'Completed') events.push(completed(upgrade, message));
  return { status, events, actions: [...tidy(facts), ...liveChange(facts, nodeOp)] };
}

/** The few fields that may change while the operation runs. */
function liveChange({ spec }: Facts, nodeOp: NodeOp): Action[] {
  if (isFinal(nodeOp.status) || nodeOp.metadata.deletionTimestamp !== undefined) return [];
  const wanted = changeableValues(spec);
  const keys = Object.keys(wanted) as (keyof typeof wanted)[];
  if (keys.every(key => isSameJson(nodeOp.spec[key] ?? undefined, wanted[key]))) return [];
  return [{ do: 'updateNodeOp', nodeOp, to: { ...nodeOp, spec: { ...nodeOp.spec, ...wanted } } }];
}
