/** How long a step waits for an image that the kubelet pulls. */
import { imagePullState, type PullState } from '../../cluster/image-pull.js';
import type { CachedPod } from '../../cluster/pod.js';
import { act, type Facts, type StepResult, wait } from '../facts/facts.js';

export const pullStateOf = ({ now, nodeOp, ledger }: Facts, pod: CachedPod, since: Date): PullState =>
  imagePullState(pod, {
    now,
    pullDeadlineSeconds: nodeOp.spec.pullDeadlineSeconds,
    since,
    known: [ledger?.pullRefusal],
  });

/** The first refusal is recorded, because the Pod does not tell how often the kubelet has tried. */
export function awaitPull(
  { ledger }: Facts,
  { refusal, until }: Extract<PullState, { is: 'pulling' }>,
  message: string,
): StepResult {
  return refusal === undefined || refusal.for === ledger?.pullRefusal?.for
    ? wait('Pulling', message, until)
    : act({ do: 'record', change: { pullRefusal: refusal } }, { reason: 'Pulling', message, until });
}
