/** The kubelet of one machine: runs the Pods that are bound to its node, ends those that are terminating, and reports the node's status. */
import { NODES, PODS } from '../../../kube/resources.js';
import { type ControlLoop, controlLoop, shorterDelay } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import type { BehaviorOverride, ImageOptions } from './container-behavior.js';
import { isFinished, type NodeObject, type PodObject, withCondition } from './object-types.js';
import type { Machine } from './machine.js';
import { PodWorker } from './pod-worker.js';

export interface KubeletOptions {
  api: FakeApiServer;
  machine: Machine;
  behavior: BehaviorOverride;
  images: Readonly<Record<string, ImageOptions>>;
  /** Time from the boot until the node is Ready. */
  readySeconds?: number;
  /** The log to which every started container is appended. */
  containerRuns: ContainerRun[];
}

/** One run of a container. */
export interface ContainerRun {
  pod: string;
  podUid: string;
  owner: string | undefined;
  container: string;
  node: string;
  /** Monotonic; `ended` is absent while it runs. */
  at: number;
  ended?: number;
}

/** A container ends this long after SIGTERM, or at the end of its grace period if that is shorter. */
const STOP_SECONDS = 1;

export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #loop: ControlLoop;
  readonly #workers = new Map<string, PodWorker>();
  /** Pulled images; they are on the disk and survive a reboot. */
  readonly #images = new Set<string>();
  #readyAt = 0;
  #reported: string | undefined;

  constructor(options: KubeletOptions) {
    this.#options = options;
    const { api, machine } = options;
    this.#loop = controlLoop(api.clock, 50, () => this.#syncAll());
    api.onChange((plural, { object, type }) => {
      /* A Node that was created again needs its whole status. */
      const registered = plural === NODES.plural && type === 'ADDED' && object.metadata.name === machine.name;
      if (registered && this.#reported !== undefined) this.afterBoot();
      const pod = plural === PODS.plural ? (object as object as PodObject) : undefined;
      if (pod?.spec.nodeName === machine.name) {
        if (type === 'DELETED') this.#workers.delete(pod.metadata.uid);
        else this.#loop.trigger();
      }
    });
    this.#loop.trigger();
  }

  /** Called after the machine has booted. */
  afterBoot(): void {
    const { api, readySeconds = 3 } = this.#options;
    this.#readyAt = api.clock.monotonic() + readySeconds * 1000;
    this.#reported = undefined;
    this.#loop.trigger();
  }

  /** Called after the machine went down: every container has ended. */
  afterPowerLoss(): void {
    for (const worker of this.#workers.values()) worker.losePower();
  }

  #syncAll(): number | undefined {
    const { api, machine } = this.#options;
    if (!machine.up) return undefined;
    /* Pods that already run continue without a Node object; new ones are started only on a registered node. */
    const registered = api.find(NODES, { name: machine.name }) !== undefined;
    let next = registered ? this.#reportNode() : undefined;
    for (const pod of api.all<PodObject>(PODS))
      if (pod.spec.nodeName === machine.name && (registered || this.#workers.has(pod.metadata.uid)))
        next = shorterDelay(next, this.#syncPod(pod));
    return next;
  }

  /** Writes the node's status when its boot id, its images or its readiness changed. */
  #reportNode(): number | undefined {
    const { api, machine } = this.#options;
    const wait = this.#readyAt - api.clock.monotonic();
    const state = `${machine.bootId} ${wait > 0} ${this.#images.size}`;
    if (state === this.#reported) return wait > 0 ? wait : undefined;
    this.#reported = state;
    const ready = {
      type: 'Ready',
      status: wait > 0 ? 'False' : 'True',
      reason: wait > 0 ? 'KubeletNotReady' : 'KubeletReady',
    };
    api.modify<NodeObject>(NODES, { name: machine.name }, node => ({
      ...node,
      status: {
        conditions: withCondition(node.status.conditions, ready, api.clock.now()),
        nodeInfo: { ...node.status.nodeInfo, bootID: machine.bootId },
        images: [...this.#images].map(name => ({ names: [name] })),
      },
    }));
    return wait > 0 ? wait : undefined;
  }

  #syncPod(pod: PodObject): number | undefined {
    const { api } = this.#options;
    const at = { name: pod.metadata.name, namespace: pod.metadata.namespace };
    if (isFinished(pod)) {
      if (pod.metadata.deletionTimestamp !== undefined) api.forceRemove(PODS, at);
      return undefined;
    }
    const worker = this.#workers.get(pod.metadata.uid) ?? new PodWorker(this.#options, this.#images);
    this.#workers.set(pod.metadata.uid, worker);
    const { deletionGracePeriodSeconds: grace = 0 } = pod.metadata;
    if (pod.metadata.deletionTimestamp !== undefined) {
      const left = worker.terminate(Math.min(grace, STOP_SECONDS) * 1000);
      if (left > 0) return left;
      if (pod.spec.restartPolicy === 'Never') api.put(PODS, worker.failedPod(pod));
      api.forceRemove(PODS, at);
      return undefined;
    }
    const { status, recheckMs } = worker.sync(pod);
    if (status) api.put(PODS, { ...pod, status });
    if (this.#reported !== undefined && !this.#reported.endsWith(` ${this.#images.size}`))
      return shorterDelay(recheckMs, 1);
    return recheckMs;
  }
}
