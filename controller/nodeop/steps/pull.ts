/** The image is on the node before the node is disturbed. */
import { imagesOf } from '../../cluster/node.js';
import { isOnNode } from '../../cluster/image-name.js';
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, refusalTimeout, wait } from '../facts/facts.js';
import { imagePullState } from '../../cluster/image-pull.js';
import { awaitHelperPodStart } from './helper-pod-start.js';
import type { Step } from './step.js';

export const pull: Step = {
  isNeeded: ({ nodeOp }) => nodeOp.shouldPrePull,
  evaluate(facts): StepResult {
    if (isOnNode(facts.image, imagesOf(facts.node))) return DONE;
    const { pullPod: pod, image } = facts;
    if (pod === undefined) return refusalTimeout(facts, 'Pull') ?? act({ do: 'createPod', pod: 'pull' }, told(facts));
    if (wasPulled(pod.status.containerStatuses?.[0]?.state) || pod.status.phase === 'Succeeded') return DONE;
    const problem = imagePullState(pod, facts, stepStartedAt(facts, 'Pull'));
    if (problem.is === 'failed')
      return fail('ImagePullFailed', `image ${image} could not be pulled: ${problem.message}`);
    const { message } = told(facts);
    if (problem.message !== undefined) return wait('Pulling', `${message}: ${problem.message}`, problem.until);
    return awaitHelperPodStart(facts, 'Pull', image) ?? wait('Pulling', message, problem.until);
  },
};

const told = ({ image }: Facts) => ({ reason: 'Pulling' as const, message: `pulling image ${image}` });

/** Whatever became of the container afterwards: to be started, an image must be there. */
function wasPulled(state?: { waiting?: { reason?: string }; running?: object; terminated?: object }): boolean {
  if (state?.running || state?.terminated) return true;
  return ['RunContainerError', 'CreateContainerError', 'CrashLoopBackOff', 'StartError'].includes(
    state?.waiting?.reason ?? '',
  );
}
