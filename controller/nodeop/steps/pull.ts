/** Pulls the image onto the node before the node is disrupted. */
import { CONTAINERS } from '../../../api/names.js';
import { isOnNode } from '../../cluster/image-name.js';
import { imagePullState } from '../../cluster/image-pull.js';
import { imagesOf } from '../../cluster/node.js';
import { containerNamed, type CachedPod } from '../../cluster/pod.js';
import { act, stepStartedAt, DONE, fail, type StepResult, refusalTimeout, wait } from '../facts/facts.js';
import { awaitHelperPodStart } from './helper-pod-start.js';
import type { Step } from './step.js';

export const pull: Step = {
  isNeeded: ({ nodeOp }) => nodeOp.shouldPrePull,
  evaluate(facts): StepResult {
    const { pullPod: pod, image, node } = facts;
    if (isOnNode(image, imagesOf(node))) return DONE;
    const message = `pulling image ${image}`;
    if (pod === undefined)
      return refusalTimeout(facts, 'Pull') ?? act({ do: 'createPod', pod: 'pull' }, { reason: 'Pulling', message });
    if (hasPulled(pod)) return DONE;
    const state = imagePullState(pod, facts, stepStartedAt(facts, 'Pull'));
    if (state.is === 'failed') return fail('ImagePullFailed', `image ${image} could not be pulled: ${state.message}`);
    if (state.message !== undefined) return wait('Pulling', `${message}: ${state.message}`, state.until);
    return awaitHelperPodStart(facts, 'Pull', image) ?? wait('Pulling', message, state.until);
  },
};

/** Errors of the kubelet that occur only after the image was pulled. */
const ERRORS_AFTER_PULL = new Set(['RunContainerError', 'CreateContainerError', 'CrashLoopBackOff', 'StartError']);

/** Whether the container can run is irrelevant: an attempt to start it proves that the image is there. */
function hasPulled(pod: CachedPod): boolean {
  const state = containerNamed(pod, CONTAINERS.pull)?.state;
  if (pod.status.phase === 'Succeeded' || state?.running || state?.terminated) return true;
  return ERRORS_AFTER_PULL.has(state?.waiting?.reason ?? '');
}
