/** A Pod before the Job that nothing is heard of: with its image on the node, or on a node that does not answer, no pull is what it waits for. */
import type { StepName } from '../../../api/node-status.js';
import { imagesOf, isReady, notReadySince } from '../../cluster/node.js';
import { after } from '../../../program/clock.js';
import { stepStartedAt, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { isOnNode } from '../../cluster/image-name.js';

/** Undefined while the image may be on its way. */
export function awaitHelperPodStart(facts: Facts, step: StepName, image: string): StepResult | undefined {
  const { node, now, nodeOp } = facts;
  if (isReady(node) && !isOnNode(image, imagesOf(node))) return undefined;
  const seconds = nodeOp.spec.startDeadlineSeconds;
  const until = after(isReady(node) ? waitingSince(facts, step) : (notReadySince(node) ?? now), seconds);
  const words = isReady(node) ? '' : ': the node is not Ready';
  return now >= until
    ? fail('NotStarted', `${step} failed: its Pod did not start within ${seconds} s${words}`)
    : wait('Progressing', `${step} in progress${words}`, until);
}

/** The pull before it may have taken long: since when nothing is pulled any more, the report tells. */
function waitingSince(facts: Facts, step: StepName): Date {
  const before = facts.nodeOp.status.nodeStatuses?.[facts.name];
  if (before?.step === step && before.reason === 'Pulling') return facts.now;
  const isTold = before?.step === step && before.reason === 'Progressing' && before.lastUpdated !== undefined;
  return isTold ? new Date(before.lastUpdated ?? facts.now) : stepStartedAt(facts, step);
}
