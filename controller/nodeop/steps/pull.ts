/** Pulls the images of the Job onto the node before the node is disrupted. */
import { CONTAINERS } from '../../../api/names.js';
import { isOnNode } from '../../cluster/image-name.js';
import { imagesOf } from '../../cluster/node.js';
import { containerNamed, containersOf, type CachedPod } from '../../cluster/pod.js';
import { stepStartedAt, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { createHelperPod, replaceLostPod } from './helper-pod-end.js';
import { awaitHelperPodStart } from './helper-pod-start.js';
import { awaitPull, pullStateOf } from './image-wait.js';
import type { Step } from './step.js';

export const pull: Step = {
  isNeeded: ({ nodeOp }) => nodeOp.shouldPrePull,
  evaluate(facts): StepResult {
    const { pullPod: pod, node } = facts;
    const missing = imagesOfJob(facts).filter(image => !isOnNode(image, imagesOf(node)));
    const [image] = missing;
    if (image === undefined) return DONE;
    const message = `pulling image ${missing.join(' and ')}`;
    if (pod === undefined) return createHelperPod(facts, 'Pull', { reason: 'Pulling', message });
    if (hasPulled(pod)) return DONE;
    if (pod.status.phase === 'Failed') return replaceLostPod(facts, 'Pull', pod);
    const state = pullStateOf(facts, pod, stepStartedAt(facts, 'Pull'));
    if (state.is === 'failed')
      return fail('ImagePullFailed', `image ${missing.join(' or ')} could not be pulled: ${state.message}`);
    if (state.message !== undefined) return awaitPull(facts, state, `${message}: ${state.message}`);
    return awaitHelperPodStart(facts, 'Pull', pod, image) ?? wait('Pulling', message, state.until);
  },
};

/** The sentinel's image is needed only after the command, when it is too late for a refused pull. */
const imagesOfJob = ({ image, sentinelImage, nodeOp }: Facts): string[] =>
  nodeOp.spec.rebootOnSuccess && sentinelImage !== undefined ? [image, sentinelImage] : [image];

/** Errors of the kubelet that occur only after the image was pulled. */
const ERRORS_AFTER_PULL = new Set(['RunContainerError', 'CreateContainerError', 'CrashLoopBackOff', 'StartError']);

/** Whether the containers can run is irrelevant: an attempt to start one proves that its image is there. */
function hasPulled(pod: CachedPod): boolean {
  const names = new Set([...(pod.spec.containers ?? []), ...containersOf(pod)].map(({ name }) => name));
  const own = [CONTAINERS.pull, CONTAINERS.pullSentinel].filter(name => name === CONTAINERS.pull || names.has(name));
  return pod.status.phase === 'Succeeded' || own.every(name => hasStarted(pod, name));
}

function hasStarted(pod: CachedPod, name: string): boolean {
  const state = containerNamed(pod, name)?.state;
  const isUnknown = state?.terminated?.reason === 'ContainerStatusUnknown';
  return (
    state?.running !== undefined ||
    (state?.terminated !== undefined && !isUnknown) ||
    ERRORS_AFTER_PULL.has(state?.waiting?.reason ?? '')
  );
}
