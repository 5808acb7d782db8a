/** A Pod before the Job that nothing is heard of: with its image on the node, or on a node that does not answer, no pull is what it waits for. */
import type { StepName } from '../../../api/node-status.js';
import { imagesOf, isReady } from '../../seen.js';
import { after, begun, type Facts, fail, type Look, wait } from '../facts.js';
import { isOnNode } from '../image-name.js';

/** Undefined while the image may be on its way. */
export function notStarted(facts: Facts, step: StepName): Look | undefined {
  const { node, image, now, wish } = facts;
  if (isReady(node) && !isOnNode(image, imagesOf(node))) return undefined;
  const seconds = wish.spec.startDeadlineSeconds;
  const until = after(begun(facts, step), seconds);
  const words = isReady(node) ? '' : ': the node is not Ready';
  return now >= until
    ? fail('NotStarted', `${step} failed: its Pod did not start within ${seconds} s${words}`)
    : wait('Progressing', `${step} in progress${words}`, until);
}
