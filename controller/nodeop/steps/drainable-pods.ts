/** Which pods a drain evicts, which it leaves on the node, and which keep it from finishing. */
import { LABELS } from '../../../api/names.js';
import type { DrainOptions } from '../../../api/drain.js';
import { isMirror, type CachedPod } from '../../cluster/pod.js';

export interface ClassifiedPods {
  evictable: CachedPod[];
  /** Left on the node by the drain options, with the reason. */
  staying: { pod: CachedPod; why: string }[];
  /** Make the drain fail. */
  blocking: CachedPod[];
  /** Pods that build or export an image: the drain waits until they end by themselves. */
  awaited: CachedPod[];
}

export const controllerOf = (pod: CachedPod) => pod.metadata.ownerReferences?.find(owner => owner.controller === true);

/** Static and finished pods, those of the operator itself, and its helper Pods on nodes. */
function isIgnored(pod: CachedPod, ownNamespace: string): boolean {
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
  const classified: ClassifiedPods = { evictable: [], staying: [], blocking: [], awaited: [] };
  for (const pod of pods.filter(candidate => !isIgnored(candidate, ownNamespace))) {
    const owner = controllerOf(pod);
    const why = reasonToStay(pod, options);
    if (owner?.kind === 'DaemonSet') {
      if (!options.ignoreDaemonSets) classified.blocking.push(pod);
    } else if (pod.metadata.labels?.[LABELS.artifact] !== undefined) classified.awaited.push(pod);
    else if (why !== undefined) classified.staying.push({ pod, why });
    else classified.evictable.push(pod);
  }
  return classified;
}

function reasonToStay(pod: CachedPod, { force, deleteEmptyDirData }: DrainOptions): string | undefined {
  if (controllerOf(pod) === undefined && !force) return 'it has no controller and force is false';
  if ((pod.spec.volumes?.length ?? 0) > 0 && !deleteEmptyDirData)
    return 'it has an emptyDir volume and deleteEmptyDirData is false';
  return undefined;
}

export const podName = (pod: CachedPod): string => `${pod.metadata.namespace}/${pod.metadata.name}`;

/** At most three names, and how many more there are. */
export function podNames(pods: readonly CachedPod[]): string {
  const names = pods.slice(0, 3).map(podName).join(', ');
  return pods.length > 3 ? `${names} and ${pods.length - 3} more` : names;
}

/** The pods that stay, grouped by reason. */
export const stayingMessage = (staying: ClassifiedPods['staying']): string =>
  [...new Set(staying.map(({ why }) => why))]
    .map(why => `${podNames(staying.filter(each => each.why === why).map(({ pod }) => pod))} not evicted: ${why}`)
    .join('; ');
