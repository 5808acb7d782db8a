/** Which pods a drain evicts, which it leaves on the node, and which keep it from finishing. */
import { LABELS, PROGRAM_NAME } from '../../../api/names.js';
import type { DrainOptions } from '../../../api/drain.js';
import { controllerOf } from '../../../kube/owner.js';
import { isPodOfArtifact, isPodOfNodeOp, isProbe } from '../../cluster/own-pods.js';
import { isMirror, type CachedPod } from '../../cluster/pod.js';

export interface ClassifiedPods {
  evictable: CachedPod[];
  /** Left on the node by the drain options, with the reason. */
  staying: { pod: CachedPod; why: string }[];
  /** Left on the node because their controller ignores the cordon: it would recreate them there again and again. */
  recreated: CachedPod[];
  /** Make the drain fail. */
  blocking: CachedPod[];
  /** Pods that build or export an image: the drain waits until they end by themselves. */
  awaited: CachedPod[];
}

/**
 * The operator's own programs. The namespace alone does not tell them from others, because the operator may share it with other
 * workloads, and neither does the label, which anyone may put on a pod of another namespace to keep it from being evicted.
 */
const isOwnProgram = ({ metadata: { namespace, labels } }: CachedPod, ownNamespace: string): boolean =>
  namespace === ownNamespace && labels?.[LABELS.program] === PROGRAM_NAME;

/** Static and finished pods, those of the operator itself, and its helper Pods on nodes. */
function isIgnored(pod: CachedPod, ownNamespace: string): boolean {
  return (
    isMirror(pod) ||
    pod.status.phase === 'Succeeded' ||
    pod.status.phase === 'Failed' ||
    isOwnProgram(pod, ownNamespace) ||
    isPodOfNodeOp(pod) ||
    isProbe(pod) ||
    /* The Go operator has published that a drain spares every Pod with this label. */
    pod.metadata.labels?.[LABELS.reboot] !== undefined
  );
}

export interface DrainContext {
  options: DrainOptions;
  ownNamespace: string;
  /** Uids of pods that a controller created on this node in place of evicted ones. */
  replacements?: ReadonlySet<string>;
}

export function classifyPods(
  pods: readonly CachedPod[],
  { options, ownNamespace, replacements }: DrainContext,
): ClassifiedPods {
  const classified: ClassifiedPods = { evictable: [], staying: [], recreated: [], blocking: [], awaited: [] };
  for (const pod of pods.filter(candidate => !isIgnored(candidate, ownNamespace))) {
    const owner = controllerOf(pod);
    const why = reasonToStay(pod, options);
    if (owner?.kind === 'DaemonSet') {
      if (!options.ignoreDaemonSets) classified.blocking.push(pod);
    } else if (isPodOfArtifact(pod)) classified.awaited.push(pod);
    else if (why !== undefined) classified.staying.push({ pod, why });
    else if (replacements?.has(pod.metadata.uid)) classified.recreated.push(pod);
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

/** Everything that goes down with the node when it reboots. */
export const remainingPods = ({ staying, recreated }: ClassifiedPods): CachedPod[] => [
  ...staying.map(({ pod }) => pod),
  ...recreated,
];

/** The pods that stay, grouped by reason. */
export const stayingMessage = ({ staying, recreated }: Pick<ClassifiedPods, 'staying' | 'recreated'>): string => {
  const reasons = [...new Set(staying.map(({ why }) => why))];
  const kinds = [...new Set(recreated.map(kindOfController))];
  return [
    ...kinds.map(
      kind =>
        `${podNames(recreated.filter(pod => kindOfController(pod) === kind))} recreated on this node by ${kind ?? 'something outside of Kubernetes'}`,
    ),
    ...reasons.map(
      why => `${podNames(staying.filter(each => each.why === why).map(({ pod }) => pod))} not evicted: ${why}`,
    ),
  ].join('; ');
};

const kindOfController = (pod: CachedPod): string | undefined => controllerOf(pod)?.kind;
