/** How a walk ends, well or not: an open wish to reboot is taken back, our cordon undone, the node let go. */
import { act, DONE, type Facts, type StepResult, wait } from '../facts/facts.js';
import { hasEnded, isAlive, isReady, type SeenJob } from '../../cluster/seen.js';
import type { Step } from './step.js';
import { cordonOf } from './cordon.js';
import { waitedForUntil } from './pod-termination.js';

/** A Job that was given up on must not run later, on a node that is free again or another machine of this name. */
export const stop: Step = {
  wanted: ({ ledger, job, jobPods }) =>
    ledger?.result?.phase === 'Failed' &&
    ledger.job !== undefined &&
    (isOpen(job, ledger.job.uid) || jobPods.some(isAlive)),
  look({ job, jobPods, node, ledger, nodeOp, now }): StepResult {
    if (job && isOpen(job, ledger?.job?.uid) && job.spec.suspend !== true)
      return act({ do: 'suspendJob', job }, { message: 'stopping the Job' });
    const answers = isReady(node) && node?.metadata.uid === ledger?.nodeUid;
    const alive = jobPods.filter(isAlive);
    if (!answers || nodeOp.abandoned || alive.length === 0) return DONE;
    const until = waitedForUntil(alive);
    return until && now >= until ? DONE : wait('JobRunning', 'waiting for the Pod of the Job to end', until);
  },
};

const isOpen = (job: SeenJob | undefined, uid: string | undefined): boolean =>
  job !== undefined && job.metadata.uid === uid && !hasEnded(job);

/** The machine must not reboot under whoever comes next. */
export const withdraw: Step = {
  wanted: ({ ledger, node }) =>
    ledger?.result?.phase === 'Failed' &&
    node !== undefined &&
    node.metadata.uid === ledger.nodeUid &&
    (ledger.reboot !== undefined || ledger.rebootWithdrawn === true),
  look({ ledger, agent, nodeOp }): StepResult {
    const answer = agent?.status?.operation?.id === ledger?.id ? agent?.status?.operation?.reboot?.state : undefined;
    if (answer === 'Cancelled' || answer === 'Rebooted') return DONE;
    if (ledger?.reboot !== undefined) return act({ do: 'record', change: { reboot: null, rebootWithdrawn: true } });
    if (nodeOp.abandoned) return DONE;
    return wait('Unreachable', 'the reboot was withdrawn; waiting for the agent to say so');
  },
};

/** Did the command have its chance? Then the node is left for inspection, unless the user thinks otherwise. */
const stays = ({ ledger, nodeOp }: Facts): boolean =>
  ledger?.result?.phase === 'Failed' &&
  ledger.stepTimes.Run !== undefined &&
  !nodeOp.spec.uncordonOnFailure &&
  !nodeOp.deleting;

export const uncordon: Step = {
  wanted: facts => facts.ledger?.cordoned === true && !stays(facts),
  look: facts =>
    cordonOf(facts) === 'ours' || markLeft(facts) ? act({ do: 'uncordon' }, { message: 'uncordoning the node' }) : DONE,
};

/** Somebody made the node schedulable and left our mark. */
const markLeft = ({ node, nodeOp }: Facts) => Object.values(node?.metadata.annotations ?? {}).includes(nodeOp.mark);

export const release: Step = {
  wanted: () => true,
  look({ ledger, preflightPod, pullPod, isReported, job, nodeOp }): StepResult {
    if (ledger === undefined) return DONE;
    const helpers = [preflightPod, pullPod].filter(
      pod => pod !== undefined && pod.metadata.deletionTimestamp === undefined,
    );
    if (helpers.length > 0) return act({ do: 'deletePods', pods: helpers.filter(pod => pod !== undefined) });
    if (!isReported) return wait('Progressing', ledger.result?.message ?? '');
    const ttlSeconds = nodeOp.spec.ttlSecondsAfterFinished;
    if (job !== undefined && ttlSeconds !== undefined && job.spec.ttlSecondsAfterFinished !== ttlSeconds)
      return act({ do: 'expireJob', job, ttlSeconds });
    return act({ do: 'release' });
  },
};
