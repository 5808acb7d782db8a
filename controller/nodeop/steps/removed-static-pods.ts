/**
 * Static pods that a node had before its reboot and does not have any more: an upgrade may remove or rename them. The kubelet deletes the mirror
 * pod of a static pod that it has no manifest of, while it keeps that of one which cannot be started. Where none is there, more likely no mirror
 * pod can be created, for example because of an admission webhook that does not answer; then none counts as removed.
 */
import { after } from '../../../program/clock.js';
import { firstSeen } from '../../cluster/first-seen.js';
import { bootIdOf, isReady } from '../../cluster/node.js';
import { isMirror } from '../../cluster/pod.js';
import { act, type Facts, stepStartedAt, type StepResult, wait } from '../facts/facts.js';
import { staticPodName } from '../facts/static-pods.js';

/** A kubelet that is Ready creates the mirror pods of its manifests within some seconds, and repeats it within a minute if that fails. */
const ABSENT_SECONDS = 120;

/** Undefined while every one of them is there, or the node is not back. */
export function awaitAbsentStaticPods(facts: Facts): StepResult | undefined {
  const { ledger, now, nodeOp } = facts;
  const absent = absentStaticPods(facts);
  if (ledger?.step !== 'Verify' || absent.length === 0) return undefined;
  const names = absent.join(', ');
  const waiting = firstSeen(`no static pod ${names}`, [recordedInThisStep(facts)], now);
  const until = after(new Date(waiting.since), Math.min(ABSENT_SECONDS, nodeOp.spec.verifyTimeoutSeconds / 2));
  const why = {
    reason: 'Settling' as const,
    message: `waiting for static pod ${names}; it counts as removed at ${until.toISOString()}`,
    until,
  };
  if (waiting !== ledger.waiting) return act({ do: 'record', change: { waiting } }, why);
  return now < until
    ? wait(why.reason, why.message, until)
    : act({ do: 'record', change: removal(facts, absent) }, why);
}

/** A Node that was registered anew begins the step again, and all its mirror pods are created anew. */
function recordedInThisStep(facts: Facts) {
  const { waiting } = facts.ledger ?? {};
  return waiting && new Date(waiting.since) >= stepStartedAt(facts, 'Verify') ? waiting : undefined;
}

function absentStaticPods({ node, agent, ledger, pods }: Facts): string[] {
  if (!isReady(node) || agent?.status?.boot?.id !== bootIdOf(node)) return [];
  const present = new Set(pods.filter(isMirror).map(staticPodName));
  const { staticPods = [] } = ledger ?? {};
  const absent = staticPods.filter(name => !present.has(name));
  return absent.length < staticPods.length ? absent : [];
}

function removal({ ledger }: Facts, absent: readonly string[]) {
  const { staticPods = [], staticPodsRemoved = [] } = ledger ?? {};
  return {
    staticPods: staticPods.filter(name => !absent.includes(name)),
    staticPodsRemoved: [...staticPodsRemoved, ...absent],
    waiting: null,
  };
}
