/** Has the agent reboot the node, and waits until kubelet and agent both report the new boot. */
import { bootIdBeforeReboot } from '../../cluster/adopted-job.js';
import { agentAnswer } from '../../cluster/agent-answer.js';
import { conditionOf } from '../../cluster/job.js';
import { isReady, bootIdOf } from '../../cluster/node.js';
import type { CachedPod } from '../../cluster/pod.js';
import {
  act,
  stepStartedAt,
  DONE,
  type Facts,
  fail,
  type LedgerChange,
  type StepResult,
  wait,
} from '../facts/facts.js';
import { staticPodName } from '../facts/static-pods.js';
import { after } from '../../../program/clock.js';
import { isSentinelWritten } from './job-success.js';
import type { Step } from './step.js';

export const reboot: Step = {
  isNeeded: ({ nodeOp }) => nodeOp.spec.rebootOnSuccess,
  /** The agent acts on `reboot` in the ledger. It is set only here, when the Job is complete or its command is known to have succeeded. */
  onEnter: facts => ({
    ...bootToEnd(facts),
    containersBefore: hasBootedSinceSuccess(facts) ? [] : containerIdsOf(facts),
    reboot: {
      jobName: facts.ledger?.job?.name ?? '',
      notAfter: after(facts.now, facts.nodeOp.spec.rebootTimeoutSeconds).toISOString(),
      timeoutSeconds: facts.nodeOp.spec.rebootTimeoutSeconds,
      ...successWithoutSentinel(facts),
    },
  }),
  evaluate(facts): StepResult {
    const { ledger, now, nodeOp } = facts;
    if (ledger?.step !== 'Reboot')
      return act({ do: 'record', change: {} }, { reason: 'Rebooting', message: 'asking the agent to reboot the node' });
    if (hasRebooted(facts)) return DONE;
    const answer = rebootAnswer(facts);
    if (answer?.state === 'Failed')
      return fail('NotRebooted', `the node did not reboot: ${answer.message ?? 'the agent gave up'}`);
    const until = after(stepStartedAt(facts, 'Reboot'), nodeOp.spec.rebootTimeoutSeconds);
    if (now >= until) return timedOut(facts);
    return wait('Rebooting', waitMessage(facts), until);
  },
};

function bootToEnd({ node, agent, job, ledger, now }: Facts): LedgerChange {
  const bootIdBefore = bootIdBeforeReboot({ node, agent, now }, job, ledger?.bootIdBefore);
  return bootIdBefore === undefined ? {} : { bootIdBefore };
}

/** A Job that is Complete has written its sentinel. Where none is known to be written, only the ledger knows that the command has succeeded. */
function successWithoutSentinel(facts: Facts): { succeededIn?: string } {
  const { job, ledger } = facts;
  const succeededIn = ledger?.job?.succeededIn;
  const hasSentinel = (job !== undefined && conditionOf(job, 'Complete') !== undefined) || isSentinelWritten(facts);
  return succeededIn && !hasSentinel ? { succeededIn } : {};
}

/** The node went down by itself, after the command and before the request. Its containers are new already. */
function hasBootedSinceSuccess({ node, ledger }: Facts): boolean {
  const succeededIn = ledger?.job?.succeededIn;
  return succeededIn !== undefined && succeededIn !== '' && bootIdOf(node) !== succeededIn;
}

/**
 * Ids rather than start times: a clock that is set during the boot makes old containers look new, and new ones old.
 */
function containerIdsOf({ pods, ledger }: Facts): string[] {
  const { daemonSets = [], staticPods = [] } = ledger ?? {};
  const isRecorded = (pod: CachedPod) =>
    staticPods.includes(staticPodName(pod)) ||
    pod.metadata.ownerReferences?.some(owner => daemonSets.includes(owner.uid)) === true;
  return pods
    .filter(isRecorded)
    .flatMap(pod => pod.status.containerStatuses ?? [])
    .flatMap(container => container.containerID ?? []);
}

/**
 * Compares boot ids instead of waiting for NotReady, which a fast machine never shows. A new boot id is not sufficient: after a power cut
 * during the Job the requested reboot is still to come, which only the agent knows.
 */
export function hasRebooted(facts: Facts): boolean {
  const { node, agent, ledger } = facts;
  const current = bootIdOf(node);
  const isConfirmed = current !== undefined && agent?.status?.boot?.id === current;
  return isConfirmed && current !== ledger?.bootIdBefore && rebootAnswer(facts)?.state === 'Rebooted';
}

/** Boot id after the reboot. For a node that has left the cluster since, only the agent's answer is known. */
export function bootAfter(facts: Facts): string | undefined {
  if (hasRebooted(facts)) return bootIdOf(facts.node);
  const answer = rebootAnswer(facts);
  return facts.node === undefined && answer?.state === 'Rebooted' ? answer.bootIdAfter : undefined;
}

const rebootAnswer = ({ agent, ledger }: Facts) => agentAnswer(agent, ledger)?.reboot;

/** What keeps a reboot from happening is known to the agent alone, for example an inhibitor lock on the host. */
function waitMessage(facts: Facts): string {
  const answer = rebootAnswer(facts);
  if (answer?.state !== 'Rebooting' && isReady(facts.node)) return 'waiting for the reboot';
  return isReady(facts.node) && answer?.message !== undefined ? `rebooting: ${answer.message}` : 'rebooting';
}

function timedOut(facts: Facts): StepResult {
  const { node, ledger } = facts;
  if (!isReady(node)) return fail('Unreachable', 'the node did not come back after its reboot');
  const message = rebootAnswer(facts)?.message;
  const why = message === undefined ? '' : `: ${message}`;
  return bootIdOf(node) === ledger?.bootIdBefore
    ? fail('NotRebooted', `the node still runs the boot it had before (${ledger?.bootIdBefore})${why}`)
    : fail('NotRebooted', 'the node has booted, but not by the requested reboot');
}
