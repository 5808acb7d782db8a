/** What the kubelet says of a container that it cannot start. */
import type { ContainerStatus } from '../../cluster/pod.js';

/** While all is well, too, a container waits: for its turn, or to be made. */
const WELL = new Set(['PodInitializing', 'ContainerCreating']);

/** Undefined where nothing is wrong. */
export function startError(containers: readonly ContainerStatus[]): string | undefined {
  for (const { name, image, state } of containers) {
    const { reason, message } = state?.waiting ?? {};
    if (reason === undefined || WELL.has(reason)) continue;
    const what = /Image|Registry/.test(reason) ? `image "${image ?? ''}" of container ${name}` : `container ${name}`;
    return `${what} cannot be started: ${message ?? reason}`;
  }
  return undefined;
}
