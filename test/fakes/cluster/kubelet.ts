/** The kubelet of one machine: runs the Pods that are on its node, ends those that are to go, and tells of the machine. */
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
  /** From the start of the kubelet to a node that is Ready. */
  readySeconds?: number;
  /** Where every start of a container is written down. */
  containerRuns: ContainerRun[];
}

/** A container that was started. */
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

/** A process that is told to end does so in this time, unless it gets less. */
const STOP_SECONDS = 1;

export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #loop: ControlLoop;
  readonly #workers = new Map<string, PodWorker>();
  /** Images on the disk: they survive a reboot. */
  readonly #images = new Set<string>();
  #readyAt = 0;
  #reported: string | undefined;

  constructor(options: KubeletOptions) {
    this.#options = options;
    const { api, machine } = options;
    this.#loop = controlLoop(api.clock, 50, () => this.#syncAll());
    api.onChange((plural, { object, type }) => {
      /* Registered again: it has everything to tell anew. */
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

  /** The machine has booted. */
  afterBoot(): void {
    const { api, readySeconds = 3 } = this.#options;
    this.#readyAt = api.clock.monotonic() + readySeconds * 1000;
    this.#reported = undefined;
    this.#loop.trigger();
  }

  /** The machine is gone, and with it everything that ran. */
  afterPowerLoss(): void {
    for (const run of this.#workers.values()) run.losePower();
  }

  #syncAll(): number | undefined {
    const { api, machine } = this.#options;
    if (!machine.up) return undefined;
    /* What is on its disk may go on; nothing is admitted by a kubelet that is not part of the cluster. */
    const registered = api.find(NODES, { name: machine.name }) !== undefined;
    let next = registered ? this.#reportNode() : undefined;
    for (const pod of api.all<PodObject>(PODS))
      if (pod.spec.nodeName === machine.name && (registered || this.#workers.has(pod.metadata.uid)))
        next = shorterDelay(next, this.#syncPod(pod));
    return next;
  }

  /** Boot id and images are told as they change, Ready when it is. */
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
    const run = this.#workers.get(pod.metadata.uid) ?? new PodWorker(this.#options, this.#images);
    this.#workers.set(pod.metadata.uid, run);
    const { deletionGracePeriodSeconds: grace = 0 } = pod.metadata;
    if (pod.metadata.deletionTimestamp !== undefined) {
      const left = run.terminate(Math.min(grace, STOP_SECONDS) * 1000);
      if (left > 0) return left;
      if (pod.spec.restartPolicy === 'Never') api.put(PODS, run.failedStatus(pod));
      api.forceRemove(PODS, at);
      return undefined;
    }
    const { status, recheckMs } = run.sync(pod);
    if (status) api.put(PODS, { ...pod, status });
    if (this.#reported !== undefined && !this.#reported.endsWith(` ${this.#images.size}`))
      return shorterDelay(recheckMs, 1);
    return recheckMs;
  }
}
