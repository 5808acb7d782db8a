/** Resumes the suspended Job and waits until a container of its Pod has started. */
import { after } from '../../../program/clock.js';
import { isOnNode } from '../../cluster/image-name.js';
import { imagePullState } from '../../cluster/image-pull.js';
import type { CachedJob } from '../../cluster/job.js';
import { imagesOf } from '../../cluster/node.js';
import { containersOf, isAlive, type CachedPod } from '../../cluster/pod.js';
import { act, stepStartedAt, type Facts, fail, type StepResult, wait } from '../facts/facts.js';

const RESUME_SECONDS = 30;

/** The pause between two attempts grows, so that so many of them mean that something suspends the Job on purpose. */
const MAX_RESUMES = 10;

/** `metadata.generation` counts the changes of the spec: created suspended is 1, resumed 2, suspended again 3. */
export const timesSuspendedAgain = ({ metadata: { generation = 1 } }: CachedJob): number =>
  Math.floor((generation - 1) / 2);

/** The time of the resume is recorded just before it, and anew if the controller was down in between: deadlines count from it. */
export function resumeJob(facts: Facts, job: CachedJob): StepResult {
  const { ledger, now, nodeOp, writeRefusal } = facts;
  const times = timesSuspendedAgain(job);
  if (times >= MAX_RESUMES) return fail('NotStarted', `the Job was suspended ${times} times from outside`);
  if (times > 0) return act({ do: 'resumeJob', job }, { message: 'the Job was suspended from outside; resuming it' });
  const recorded = ledger?.stepTimes.Resume;
  const seconds = Math.max(RESUME_SECONDS, nodeOp.spec.startDeadlineSeconds);
  if (recorded !== undefined && now < after(new Date(recorded), seconds))
    return act({ do: 'resumeJob', job }, { message: 'Job created' });
  if (recorded !== undefined && writeRefusal !== undefined)
    return fail('NotStarted', `the Job could not be resumed within ${seconds} s: ${writeRefusal}`);
  const stepTimes = { ...ledger?.stepTimes, Resume: now.toISOString() };
  return act({ do: 'record', change: { stepTimes } }, { message: 'Job created' });
}

/** Undefined once a container has started. */
export function awaitJobStart(facts: Facts): StepResult | undefined {
  const { image, jobPods, node, now, nodeOp } = facts;
  if (jobPods.some(hasStarted)) return undefined;
  const since = resumedAt(facts);
  const pod = jobPods.find(isAlive);
  const pull = pod && imagePullState(pod, facts, since);
  if (pull?.is === 'failed') return fail('ImagePullFailed', `image ${image} could not be pulled: ${pull.message}`);
  if (pull?.message !== undefined) return wait('Pulling', pull.message, pull.until);
  if (pull && !isOnNode(image, imagesOf(node)))
    return wait('Pulling', `Job created; waiting for image ${image}`, pull.until);
  const until = after(since, nodeOp.spec.startDeadlineSeconds);
  return now >= until ? startTimeout(facts, pod) : wait('JobRunning', 'Job created', until);
}

const hasStarted = (pod: CachedPod): boolean =>
  containersOf(pod).some(({ state }) => state?.running !== undefined || state?.terminated !== undefined);

/** The time that the Job was suspended does not count. */
const resumedAt = (facts: Facts): Date =>
  new Date(facts.job?.status?.startTime ?? facts.ledger?.stepTimes.Resume ?? stepStartedAt(facts, 'Run'));

function startTimeout({ nodeOp }: Facts, pod: CachedPod | undefined): StepResult {
  const seconds = nodeOp.spec.startDeadlineSeconds;
  if (pod === undefined)
    return fail('PodRefused', `no Pod was created for the Job within ${seconds} s; see the events of the Job`);
  const cause = pod.status.message ? `: ${pod.status.message}` : '';
  return fail('NotStarted', `the Pod of the Job did not start within ${seconds} s${cause}`);
}
