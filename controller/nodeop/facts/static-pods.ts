/** Static pods of a node, which the API server shows as mirror pods: etcd and API server of many control planes are such pods. Pure. */
import { isMirror, isPodReady, type CachedPod } from '../../cluster/pod.js';

/** Mirror pods get another uid when the kubelet makes them anew, but keep their name. */
export const staticPodName = ({ metadata: { namespace, name } }: CachedPod): string => `${namespace}/${name}`;

export const readyStaticPods = (pods: readonly CachedPod[]): string[] =>
  pods.filter(pod => isMirror(pod) && isPodReady(pod)).map(staticPodName);

/** Name of the first static pod that should be Ready and is not; one that has succeeded has nothing left to do. */
export function unreadyStaticPod(pods: readonly CachedPod[]): string | undefined {
  const unready = pods.find(pod => isMirror(pod) && pod.status.phase !== 'Succeeded' && !isPodReady(pod));
  return unready && staticPodName(unready);
}
