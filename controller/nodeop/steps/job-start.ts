/** Resumes the suspended Job. */
import { after } from '../../../program/clock.js';
import type { CachedJob } from '../../cluster/job.js';
import { act, type Facts, fail, type StepResult } from '../facts/facts.js';

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
