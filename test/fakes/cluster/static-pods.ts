/** The static Pods of one machine, such as etcd and the API server: the kubelet runs them from files and shows a mirror Pod of each. */
import { NODES, PODS } from '../../../kube/resources.js';
import type { FakeApiServer } from './api-server.js';
import type { Machine } from './machine.js';
import type { PodObject } from './object-types.js';

export interface StaticPodOptions {
  /** For example `etcd`; the mirror Pod is called `etcd-<node>`. */
  name: string;
  /** From each boot until it is Ready; `Infinity` is never. */
  readySeconds?: number;
}

const MIRROR = 'kubernetes.io/config.mirror';
const NAMESPACE = 'kube-system';

export class StaticPods {
  readonly #api: FakeApiServer;
  readonly #machine: Machine;

  constructor(api: FakeApiServer, machine: Machine) {
    this.#api = api;
    this.#machine = machine;
  }

  owns({ metadata }: PodObject): boolean {
    return metadata.annotations?.[MIRROR] !== undefined;
  }

  /** A mirror Pod that somebody deleted is made anew, because what it mirrors never stopped; one without a manifest is deleted. */
  syncMirrorPods(): void {
    const { name: node, staticPods } = this.#machine;
    const names = staticPods.map(({ name }) => `${name}-${node}`);
    for (const pod of this.#api.all<PodObject>(PODS))
      if (this.owns(pod) && pod.spec.nodeName === node && !names.includes(pod.metadata.name))
        this.#api.forceRemove(PODS, pod.metadata);
    for (const { name } of staticPods) {
      const at = { name: `${name}-${node}`, namespace: NAMESPACE };
      if (!this.#api.find(PODS, at)) this.#api.put(PODS, this.#mirrorPod(name, at));
    }
  }

  /** Monotonic time from which the Pod is Ready while it runs. */
  readyAt(pod: PodObject): number {
    if (!this.owns(pod)) return 0;
    const { name: node, staticPods, upOrDownSince } = this.#machine;
    const { readySeconds = 0 } = staticPods.find(each => `${each.name}-${node}` === pod.metadata.name) ?? {};
    return upOrDownSince + readySeconds * 1000;
  }

  #mirrorPod(component: string, at: { name: string; namespace: string }) {
    const { name: node } = this.#machine;
    const owner = this.#api.find(NODES, { name: node });
    const { uid = '' } = owner?.metadata ?? {};
    const hash = `hash-of-${component}`;
    return {
      metadata: {
        ...at,
        labels: { component, tier: 'control-plane' },
        annotations: { [MIRROR]: hash, 'kubernetes.io/config.hash': hash, 'kubernetes.io/config.source': 'file' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node, uid, controller: true }],
      },
      spec: {
        nodeName: node,
        restartPolicy: 'Always',
        priorityClassName: 'system-node-critical',
        tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
        containers: [{ name: component, image: `registry.k8s.io/${component}:1`, imagePullPolicy: 'IfNotPresent' }],
      },
      status: { phase: 'Pending' },
    };
  }
}
