/** Which pods a drain may evict, which stay, which are in the way. */
import { LABELS } from '../../../api/names.js';
import type { DrainOptions } from '../../../api/drain.js';
import { isMirror, type CachedPod } from '../../cluster/pod.js';

export interface ClassifiedPods {
  evictable: CachedPod[];
  /** Left on the node by the drain options, with the reason. */
  staying: { pod: CachedPod; why: string }[];
  /** Make the drain fail. */
  blocking: CachedPod[];
  /** Left to end by themselves: an image that is being built or exported. */
  awaited: CachedPod[];
}

export const controllerOf = (pod: CachedPod) => pod.metadata.ownerReferences?.find(owner => owner.controller === true);

/** Pods that a drain never looks at. */
function passedOver(pod: CachedPod, ownNamespace: string): boolean {
  const labels = pod.metadata.labels ?? {};
  return (
    isMirror(pod) ||
    pod.status.phase === 'Succeeded' ||
    pod.status.phase === 'Failed' ||
    pod.metadata.namespace === ownNamespace ||
    labels[LABELS.nodeOp] !== undefined ||
    labels[LABELS.probe] !== undefined ||
    labels[LABELS.reboot] !== undefined
  );
}

export function classifyPods(pods: readonly CachedPod[], options: DrainOptions, ownNamespace: string): ClassifiedPods {
  const sorted: ClassifiedPods = { evictable: [], staying: [], blocking: [], awaited: [] };
  for (const pod of pods.filter(candidate => !passedOver(candidate, ownNamespace))) {
    const owner = controllerOf(pod);
    if (owner?.kind === 'DaemonSet') {
      if (!options.ignoreDaemonSets) sorted.blocking.push(pod);
    } else if (pod.metadata.labels?.[LABELS.artifact] !== undefined) sorted.awaited.push(pod);
    else if (owner === undefined && !options.force)
      sorted.staying.push({ pod, why: 'it has no controller and force is false' });
    else if ((pod.spec.volumes?.length ?? 0) > 0 && !options.deleteEmptyDirData)
      sorted.staying.push({ pod, why: 'it has an emptyDir volume and deleteEmptyDirData is false' });
    else sorted.evictable.push(pod);
  }
  return sorted;
}

export const podName = (pod: CachedPod): string => `${pod.metadata.namespace}/${pod.metadata.name}`;

/** At most three names, and how many more. */
export function podNames(pods: readonly CachedPod[]): string {
  const names = pods.slice(0, 3).map(podName).join(', ');
  return pods.length > 3 ? `${names} and ${pods.length - 3} more` : names;
}

/** Who stays, and each for its own reason. */
export const stayingMessage = (stay: ClassifiedPods['staying']): string =>
  [...new Set(stay.map(({ why }) => why))]
    .map(why => `${podNames(stay.filter(each => each.why === why).map(({ pod }) => pod))} not evicted: ${why}`)
    .join('; ');
