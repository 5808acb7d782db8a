/**
 * Which pods were put on a node in place of evicted ones. They stay: what creates pods past the cordon would do it again and again.
 */
import { controllerOf } from '../../../kube/owner.js';
import type { CachedPod } from '../../cluster/pod.js';

/** Controllers of Kubernetes itself: the successors of their pods have the same owner. */
const BUILT_IN: ReadonlySet<string> = new Set(['ReplicaSet', 'ReplicationController', 'StatefulSet', 'Job']);

type Uids = ReadonlySet<string>;

export class Replacements {
  /** By node and origin: its pods on the node when the first of them was evicted. */
  readonly #before = new Map<string, Uids>();
  /** By node and family: its pods on the node when the first of them was evicted that came after such an eviction. */
  readonly #newcomers = new Map<string, Uids>();

  noteEviction(pod: CachedPod, onNode: readonly CachedPod[]): void {
    remember(this.#before, originOf, pod, onNode);
    const family = familyOf(pod);
    if (family === undefined) return;
    if (isNewIn(this.#before.get(family), pod)) remember(this.#newcomers, familyOf, pod, onNode);
    remember(this.#before, familyOf, pod, onNode);
  }

  has(pod: CachedPod): boolean {
    const family = familyOf(pod);
    return isNewIn(this.#before.get(originOf(pod)), pod) || (family !== undefined && this.#isLate(family, pod));
  }

  /** A family has more than one member, so that the first newcomers may be others, which came on their own. */
  #isLate(family: string, pod: CachedPod): boolean {
    return isNewIn(this.#before.get(family), pod) && isNewIn(this.#newcomers.get(family), pod);
  }

  forgetNode(node: string): void {
    for (const map of [this.#before, this.#newcomers])
      for (const key of [...map.keys()]) if (key.startsWith(`${node}/`)) map.delete(key);
  }
}

const isNewIn = (known: Uids | undefined, { metadata: { uid } }: CachedPod): boolean =>
  known !== undefined && !known.has(uid);

function remember(
  map: Map<string, Uids>,
  keyOf: (pod: CachedPod) => string | undefined,
  pod: CachedPod,
  onNode: readonly CachedPod[],
): void {
  const key = keyOf(pod);
  if (key === undefined || map.has(key)) return;
  const siblings = onNode.filter(each => keyOf(each) === key);
  map.set(key, new Set([pod, ...siblings].map(({ metadata }) => metadata.uid)));
}

const ownerOf = ({ metadata }: CachedPod) => controllerOf({ metadata }) ?? metadata.ownerReferences?.[0];

/** Its owner. A pod without one may be created again by something outside the cluster, under its own name. */
function originOf(pod: CachedPod): string {
  const { namespace, name } = pod.metadata;
  return `${pod.spec.nodeName}/${ownerOf(pod)?.uid ?? `${namespace}/${name}`}`;
}

/**
 * Pods by which a successor is known that has neither the name nor the owner of its predecessor: those without owner, or with owners of the
 * same unknown kind, in one namespace. Undefined where the owner is known to stay.
 */
function familyOf(pod: CachedPod): string | undefined {
  const { apiVersion = '', kind = '' } = ownerOf(pod) ?? {};
  if (BUILT_IN.has(kind)) return undefined;
  return `${pod.spec.nodeName}/family/${pod.metadata.namespace}/${apiVersion}/${kind}`;
}
