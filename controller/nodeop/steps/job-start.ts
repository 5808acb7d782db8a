/** Resumes the suspended Job. */
import { after } from '../../../program/clock.js';
import { firstSeen } from '../../cluster/first-seen.js';
import { resumesOf, type CachedJob } from '../../cluster/job.js';
import { act, type Facts, fail, type StepResult } from '../facts/facts.js';

/** A time of the resume that is older than this is recorded again: the deadlines of the Pod count from it. */
const RECORDED_SECONDS = 10;

const MIN_REFUSED_SECONDS = 30;

/** Stands in the ledger for the first attempt of a resume that did not succeed. */
const RESUME = 'resume of the Job';

/** The pause between two attempts grows, so that so many of them mean that something suspends the Job on purpose. */
export const MAX_RESUMES = 10;

/** How often something else has suspended the Job after it was resumed. */
export const timesSuspendedAgain = (job: CachedJob): number =>
  job.spec.suspend === true ? resumesOf(job) : Math.max(0, resumesOf(job) - 1);

/** The time of the resume is recorded just before it, and anew if the controller was down in between: deadlines count from it. */
export function resumeJob(facts: Facts, job: CachedJob): StepResult {
  const { ledger, now, nodeOp, writeRefusal } = facts;
  const times = timesSuspendedAgain(job);
  if (times >= MAX_RESUMES) return fail('NotStarted', `the Job was suspended ${times} times from outside`);
  if (times > 0) return act({ do: 'resumeJob', job }, { message: 'the Job was suspended from outside; resuming it' });
  const recorded = new Date(ledger?.stepTimes.Resume ?? 0);
  if (now < after(recorded, RECORDED_SECONDS)) return act({ do: 'resumeJob', job }, { message: 'Job created' });
  const since = writeRefusal === undefined ? now : recorded;
  const waiting = firstSeen(RESUME, [ledger?.waiting], since);
  const seconds = Math.max(MIN_REFUSED_SECONDS, nodeOp.spec.startDeadlineSeconds);
  if (writeRefusal !== undefined && now >= after(new Date(waiting.since), seconds))
    return fail('NotStarted', `the Job could not be resumed within ${seconds} s: ${writeRefusal}`);
  const stepTimes = { ...ledger?.stepTimes, Resume: now.toISOString() };
  return act({ do: 'record', change: { stepTimes, waiting } }, { message: 'Job created' });
}
