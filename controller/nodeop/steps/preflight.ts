/** Is there anything to do here, and may it be done? Nothing is touched yet. */
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, refusalTimeout, wait } from '../facts/facts.js';
import { after } from '../../../program/clock.js';
import type { Step } from './step.js';
import { imagePullState } from '../../cluster/image-pull.js';
import { awaitHelperPodStart } from './helper-pod-start.js';

const ANSWER_SECONDS = 60;

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
  const { agent, ledger } = facts;
  const answer = agent?.status?.operation?.id === ledger?.id ? agent?.status?.operation?.check : undefined;
  switch (answer?.verdict) {
    case 'Proceed':
      return DONE;
    case 'Skip':
      return skip(answer.message ?? 'nothing to do');
    case 'Refuse':
      return fail('PreflightFailed', `Preflight failed: ${answer.message ?? answer.reason ?? 'refused by the agent'}`);
    default:
      return awaitAnswer(facts);
  }
}

function awaitAnswer(facts: Facts): StepResult {
  const until = after(stepStartedAt(facts, 'Claim'), ANSWER_SECONDS);
  if (facts.now < until) return wait('WaitingForAgent', 'Preflight in progress', until);
  return fail('AgentNotAnswering', `the agent did not compare releases within ${ANSWER_SECONDS} s`);
}

function runPod(facts: Facts): StepResult {
  const { preflightPod: pod, nodeOp, now } = facts;
  if (pod === undefined)
    return (
      refusalTimeout(facts, 'Preflight') ??
      act({ do: 'createPod', pod: 'preflight' }, { message: 'Preflight in progress' })
    );
  const container = pod.status.containerStatuses?.[0];
  const ended = container?.state?.terminated;
  if (ended) {
    if (ended.exitCode !== 0)
      return fail('PreflightFailed', `Preflight failed: ${ended.reason ?? `exit ${ended.exitCode}`}`, {
        log: ended.message,
        exitCode: ended.exitCode,
      });
    const text = ended.message?.trim() ?? '';
    return text === '' ? DONE : skip(text);
  }
  if (pod.status.phase === 'Failed')
    return fail(
      'PreflightFailed',
      `Preflight failed: ${pod.status.reason ?? 'container did not report a terminated state'}`,
    );
  const running = container?.state?.running?.startedAt;
  if (running !== undefined) {
    const until = after(new Date(running), nodeOp.spec.preflight?.activeDeadlineSeconds ?? 120);
    if (now >= until)
      return fail('PreflightTimeout', 'Preflight failed: it ran longer than preflight.activeDeadlineSeconds');
    return wait('Progressing', 'Preflight in progress', until);
  }
  const problem = imagePullState(pod, facts, stepStartedAt(facts, 'Preflight'));
  if (problem.is === 'failed') return fail('ImagePullFailed', `Preflight failed: ${problem.message}`);
  if (problem.message !== undefined) return wait('Pulling', `Preflight in progress: ${problem.message}`, problem.until);
  return (
    awaitHelperPodStart(facts, 'Preflight', nodeOp.spec.preflight?.image ?? facts.image) ??
    wait('Pulling', 'Preflight in progress', problem.until)
  );
}
