/** The agent reboots the machine; kubelet and agent must both report a new boot id. */
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
import { after } from '../../../program/clock.js';
import { bootIdBeforeReboot } from '../../cluster/adopted-job.js';
import type { Step } from './step.js';

export const reboot: Step = {
  isNeeded: ({ nodeOp }) => nodeOp.spec.rebootOnSuccess,
  /** The wish is set only here: by now the Job is Complete. */
  onEnter: facts => ({
    ...bootLeft(facts),
    containersBefore: containersOf(facts.pods, facts.ledger?.daemonSets ?? []),
    reboot: {
      jobName: facts.ledger?.job?.name ?? '',
      notAfter: after(facts.now, facts.nodeOp.spec.rebootTimeoutSeconds).toISOString(),
    },
  }),
  evaluate(facts): StepResult {
    const { ledger, node, now } = facts;
    if (ledger?.step !== 'Reboot')
      return act({ do: 'record', change: {} }, { reason: 'Rebooting', message: 'asking the agent to reboot the node' });
    if (hasRebooted(facts)) return DONE;
    const answer = answerOf(facts);
    const until = after(stepStartedAt(facts, 'Reboot'), facts.nodeOp.spec.rebootTimeoutSeconds);
    if (answer?.state === 'Failed')
      return fail('NotRebooted', `the node did not reboot: ${answer.message ?? 'the agent gave up'}`);
    if (now >= until)
      return isReady(node)
        ? fail('NotRebooted', stillUp(facts))
        : fail('Unreachable', 'the node did not come back after its reboot');
    return wait(
      'Rebooting',
      answer?.state === 'Rebooting' || !isReady(node) ? 'rebooting' : 'waiting for the reboot',
      until,
    );
  },
};

function bootLeft({ node, agent, job, ledger }: Facts): LedgerChange {
  const bootIdBefore = bootIdBeforeReboot({ node, agent }, job, ledger?.bootIdBefore);
  return bootIdBefore === undefined ? {} : { bootIdBefore };
}

/** Ids, not times: a clock that is set while the machine starts makes old containers look new, and new ones old. */
const containersOf = (pods: readonly CachedPod[], sets: readonly string[]): string[] =>
  pods
    .filter(pod => pod.metadata.ownerReferences?.some(owner => sets.includes(owner.uid)))
    .flatMap(pod => pod.status.containerStatuses ?? [])
    .flatMap(container => container.containerID ?? []);

/**
 * Boot ids are compared, not a NotReady waited for: a fast machine never shows one. A new boot id alone is not enough:
 * after a power cut in the middle of the Job the reboot that was asked for is still to come, and the agent knows.
 */
export function hasRebooted(facts: Facts): boolean {
  const { node, agent, ledger } = facts;
  const kubelet = bootIdOf(node);
  const agreed = kubelet !== undefined && agent?.status?.boot?.id === kubelet;
  return agreed && kubelet !== ledger?.bootIdBefore && answerOf(facts)?.state === 'Rebooted';
}

/** The boot that the reboot led to; of a node that has left since, its agent's word is all there is. */
export function bootAfter(facts: Facts): string | undefined {
  if (hasRebooted(facts)) return bootIdOf(facts.node);
  const answer = answerOf(facts);
  return facts.node === undefined && answer?.state === 'Rebooted' ? answer.bootIdAfter : undefined;
}

const answerOf = ({ agent, ledger }: Facts) =>
  agent?.status?.operation?.id === ledger?.id ? agent?.status?.operation?.reboot : undefined;

function stillUp({ node, ledger }: Facts): string {
  const same = bootIdOf(node) === ledger?.bootIdBefore;
  return same
    ? `the node still runs the boot it had before (${ledger?.bootIdBefore})`
    : 'the node runs another boot, but not by the reboot that was asked for';
}
