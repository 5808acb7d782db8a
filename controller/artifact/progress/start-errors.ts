/** What the kubelet reports about a container that it cannot start. */
import type { ContainerStatus } from '../../cluster/pod.js';

/** Reasons of containers that wait normally: for earlier init containers, or to be created. */
const NORMAL_REASONS: ReadonlySet<string> = new Set(['PodInitializing', 'ContainerCreating']);

/** Undefined if every container can start. */
export function startError(containers: readonly ContainerStatus[]): string | undefined {
  for (const { name, image, state } of containers) {
    const { reason, message } = state?.waiting ?? {};
    if (reason === undefined || NORMAL_REASONS.has(reason)) continue;
    const what = /Image|Registry/.test(reason) ? `image "${image ?? ''}" of container ${name}` : `container ${name}`;
    return `${what} cannot be started: ${message ?? reason}`;
  }
  return undefined;
}
