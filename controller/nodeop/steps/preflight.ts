/** Checks, before the node is touched, whether there is anything to do on it and whether that may be done. */
import { CONTAINERS } from '../../../api/names.js';
import { after } from '../../../program/clock.js';
import { agentAnswer } from '../../cluster/agent-answer.js';
import { firstSeen } from '../../cluster/first-seen.js';
import { containerNamed, type CachedPod, type ContainerState } from '../../cluster/pod.js';
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { createHelperPod, isLost, replaceLostPod } from './helper-pod-end.js';
import { awaitHelperPodStart } from './helper-pod-start.js';
import { awaitPull, pullStateOf } from './image-wait.js';
import type { Step } from './step.js';

const ANSWER_SECONDS = 60;
const DEFAULT_DEADLINE_SECONDS = 120;

export const preflight: Step = {
  isNeeded: ({ nodeOp }) => nodeOp.spec.preflight !== undefined,
  evaluate: facts => (facts.nodeOp.spec.preflight?.release ? askAgent(facts) : runPod(facts)),
};

const skip = (text: string): StepResult => ({
  is: 'end',
  phase: 'Completed',
  reason: 'Skipped',
  message: `Skipped by preflight: ${text}`,
});

function askAgent(facts: Facts): StepResult {
  const check = agentAnswer(facts.agent, facts.ledger)?.check;
  switch (check?.verdict) {
    case 'Proceed':
      return DONE;
    case 'Skip':
      return skip(check.message ?? 'nothing to do');
    case 'Refuse':
      return fail('PreflightFailed', `Preflight failed: ${check.message ?? check.reason ?? 'refused by the agent'}`);
    default:
      return awaitVerdict(facts);
  }
}

function awaitVerdict(facts: Facts): StepResult {
  const until = after(stepStartedAt(facts, 'Claim'), ANSWER_SECONDS);
  if (facts.now < until) return wait('WaitingForAgent', 'Preflight in progress', until);
  return fail('AgentNotAnswering', `the agent did not compare releases within ${ANSWER_SECONDS} s`);
}

function runPod(facts: Facts): StepResult {
  const { preflightPod: pod } = facts;
  if (pod === undefined) return createHelperPod(facts, 'Preflight', { message: 'Preflight in progress' });
  if (isLost(pod, CONTAINERS.preflight)) return replaceLostPod(facts, 'Preflight', pod);
  const { terminated, running } = containerNamed(pod, CONTAINERS.preflight)?.state ?? {};
  if (terminated) return verdictOf(terminated);
  return running === undefined ? awaitStart(facts, pod) : awaitEnd(facts, pod);
}

/** Exit code 0 with a termination message skips the node, without one it lets the operation proceed. */
function verdictOf({ exitCode, reason, message }: NonNullable<ContainerState['terminated']>): StepResult {
  if (exitCode !== 0)
    return fail('PreflightFailed', `Preflight failed: ${reason ?? `exit ${exitCode}`}`, { log: message, exitCode });
  const text = message?.trim() ?? '';
  return text === '' ? DONE : skip(text);
}

/** Most preflights have ended this long after their step began: until then, nothing is recorded about one that runs. */
const UNRECORDED_SECONDS = 5;

/** Counts from when the container was first seen running. When the kubelet started it is known by the clock of the node only. */
function awaitEnd(facts: Facts, pod: CachedPod): StepResult {
  const { ledger, now, nodeOp } = facts;
  const message = 'Preflight in progress';
  const recordAt = after(stepStartedAt(facts, 'Preflight'), UNRECORDED_SECONDS);
  const running = firstSeen(`${pod.metadata.uid} running`, [ledger?.waiting], now);
  if (running !== ledger?.waiting)
    return now < recordAt
      ? wait('Progressing', message, recordAt)
      : act({ do: 'record', change: { waiting: running } }, { reason: 'Progressing', message });
  const seconds = nodeOp.spec.preflight?.activeDeadlineSeconds ?? DEFAULT_DEADLINE_SECONDS;
  const until = after(new Date(running.since), seconds);
  return now >= until
    ? fail('PreflightTimeout', 'Preflight failed: it ran longer than preflight.activeDeadlineSeconds')
    : wait('Progressing', message, until);
}

function awaitStart(facts: Facts, pod: CachedPod): StepResult {
  const pull = pullStateOf(facts, pod, stepStartedAt(facts, 'Preflight'));
  if (pull.is === 'failed') return fail('ImagePullFailed', `Preflight failed: ${pull.message}`);
  if (pull.message !== undefined) return awaitPull(facts, pull, `Preflight in progress: ${pull.message}`);
  return (
    awaitHelperPodStart(facts, 'Preflight', pod, facts.nodeOp.spec.preflight?.image ?? facts.image) ??
    wait('Pulling', 'Preflight in progress', pull.until)
  );
}
