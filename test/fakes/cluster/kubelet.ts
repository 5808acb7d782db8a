/** The kubelet of one machine: admits and runs the Pods that are bound to its node, ends those that are terminating, and reports the node's status. */
import { NODES, PODS } from '../../../kube/resources.js';
import { type ControlLoop, controlLoop, shorterDelay } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import type { BehaviorOverride, ImageOptions } from './container-behavior.js';
import { admit, ENDINGS, REJECTIONS } from './kubelet-admission.js';
import { isFinished, type NodeObject, type PodObject, withCondition } from './object-types.js';
import type { Machine } from './machine.js';
import { type EndReason, PodWorker } from './pod-worker.js';
import { StaticPods } from './static-pods.js';

/** What becomes of a Pod with `restartPolicy: Never` between two of its containers when the power was cut. */
export type AfterPowerCut = 'goesOn' | 'hangs' | 'fails';

/** A Pod that is rejected is Failed at once; asked once for each Pod when the kubelet first sees it. */
export type Rejects = (pod: PodObject, node: string) => EndReason | undefined;

export interface KubeletOptions {
  api: FakeApiServer;
  machine: Machine;
  /** The Node as it registers it, when there is none at its start. */
  newNode: () => object;
  behavior: BehaviorOverride;
  images: Readonly<Record<string, ImageOptions>>;
  rejects?: Rejects;
  afterPowerCut?: AfterPowerCut;
  /** Time from the boot until the node is Ready. */
  readySeconds?: number;
  /** Monotonic time at which a running Pod becomes Ready. */
  readyAt?: (pod: PodObject) => number;
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

const nameOf = ({ metadata: { name, namespace } }: PodObject) => ({ name, namespace });

export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #loop: ControlLoop;
  readonly #workers = new Map<string, PodWorker>();
  readonly #staticPods: StaticPods;
  /** Pulled images; they are on the disk and survive a reboot. */
  readonly #images = new Set<string>();
  #readyAt = 0;
  #reported: string | undefined;
  #isShuttingDown = false;
  /** It registers its Node once, when it starts: one that is deleted later is not created again. */
  #mustRegister = false;

  constructor(options: KubeletOptions) {
    const { api, machine } = options;
    this.#staticPods = new StaticPods(api, machine);
    this.#options = { ...options, readyAt: pod => this.#staticPods.readyAt(pod) };
    this.#loop = controlLoop(api.clock, 50, () => this.#syncAll());
    api.onChange((plural, { object, type }) => {
      /* A Node that was created again needs its whole status. */
      const registered = plural === NODES.plural && type === 'ADDED' && object.metadata.name === machine.name;
      if (registered && this.#reported !== undefined) this.#reportAnew();
      const pod = plural === PODS.plural ? (object as object as PodObject) : undefined;
      if (pod?.spec.nodeName === machine.name) {
        if (type === 'DELETED') this.#forget(pod);
        if (type !== 'DELETED' || this.#staticPods.owns(pod)) this.#loop.trigger();
      }
    });
    this.#loop.trigger();
  }

  /** Called after the machine has booted. */
  afterBoot(): void {
    this.#isShuttingDown = false;
    this.#mustRegister = true;
    this.#reportAnew();
  }

  /** Starts it anew while its Pods keep running, as an administrator or an upgrade of Kubernetes does. */
  restart(): void {
    this.#mustRegister = true;
    this.#loop.trigger();
  }

  #reportAnew(): void {
    const { api, readySeconds = 3 } = this.#options;
    this.#readyAt = api.clock.monotonic() + readySeconds * 1000;
    this.#reported = undefined;
    this.#loop.trigger();
  }

  /** A Pod that was removed without waiting for it is ended. A static Pod runs whatever happens to its mirror. */
  #forget(pod: PodObject): void {
    const { uid } = pod.metadata;
    if (!this.#staticPods.owns(pod)) this.#workers.get(uid)?.losePower();
    this.#workers.delete(uid);
  }

  /** Called after the machine went down: every container has ended. */
  afterPowerLoss(): void {
    for (const worker of this.#workers.values()) worker.losePower();
  }

  /** Ends Pods by itself, as for node pressure: they are Failed with this reason, and stay until they are deleted. */
  endPods(why: EndReason, which: (pod: PodObject) => boolean = () => true): void {
    for (const pod of this.#pods()) if (!isFinished(pod) && which(pod)) this.#end(pod, why);
  }

  /** A graceful node shutdown: all Pods are ended, and no new one is admitted until the next boot. */
  beginShutdown(): void {
    this.#isShuttingDown = true;
    this.endPods(ENDINGS.Terminated);
  }

  #pods(): PodObject[] {
    const { api, machine } = this.#options;
    return api.all<PodObject>(PODS).filter(pod => pod.spec.nodeName === machine.name);
  }

  #end(pod: PodObject, why: EndReason): void {
    const { api } = this.#options;
    api.put(PODS, this.#worker(pod).failedPod(pod, why));
    this.#loop.trigger();
  }

  #syncAll(): number | undefined {
    const { api, machine } = this.#options;
    if (!machine.up) return undefined;
    if (this.#mustRegister) this.#register();
    /* Pods that already run continue without a Node object; new ones are started only on a registered node. */
    const registered = api.find(NODES, { name: machine.name }) !== undefined;
    let next = registered ? this.#reportNode() : undefined;
    if (registered) this.#staticPods.syncMirrorPods();
    for (const pod of this.#pods())
      if (registered || this.#workers.has(pod.metadata.uid)) next = shorterDelay(next, this.#syncPod(pod));
    return next;
  }

  #register(): void {
    const { api, machine, newNode } = this.#options;
    this.#mustRegister = false;
    if (api.find(NODES, { name: machine.name }) === undefined) api.put(NODES, newNode());
  }

  /** Writes the node's status when its boot id, its images or its readiness changed. */
  #reportNode(): number | undefined {
    const { api, machine } = this.#options;
    const wait = this.#readyAt - api.clock.monotonic();
    const state = `${machine.bootId} ${wait > 0} ${this.#images.size}`;
    if (state === this.#reported) return wait > 0 ? wait : undefined;
    const isFirst = this.#reported === undefined;
    this.#reported = state;
    const ready = {
      type: 'Ready',
      status: wait > 0 ? 'False' : 'True',
      reason: wait > 0 ? 'KubeletNotReady' : 'KubeletReady',
    };
    api.modify<NodeObject>(NODES, { name: machine.name }, node => ({
      ...(isFirst ? machine.registered(node) : node),
      status: {
        ...node.status,
        conditions: withCondition(node.status.conditions, ready, machine.now()),
        nodeInfo: { ...node.status.nodeInfo, ...machine.ids },
        images: [...this.#images].map(name => ({ names: [name] })),
      },
    }));
    return wait > 0 ? wait : undefined;
  }

  #worker(pod: PodObject): PodWorker {
    const worker = this.#workers.get(pod.metadata.uid) ?? new PodWorker(pod, this.#options, this.#images);
    this.#workers.set(pod.metadata.uid, worker);
    return worker;
  }

  #syncPod(pod: PodObject): number | undefined {
    const { api } = this.#options;
    const at = nameOf(pod);
    if (isFinished(pod)) {
      if (pod.metadata.deletionTimestamp !== undefined) api.forceRemove(PODS, at);
      return undefined;
    }
    if (!this.#workers.has(pod.metadata.uid) && !this.#admits(pod)) return undefined;
    const worker = this.#worker(pod);
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

  /** A rejected Pod is Failed without any container status. */
  #admits(pod: PodObject): boolean {
    const { api, machine, rejects } = this.#options;
    const node = api.find<NodeObject>(NODES, { name: machine.name });
    if (!node || this.#staticPods.owns(pod) || pod.metadata.deletionTimestamp !== undefined) return true;
    const running = this.#pods().filter(each => this.#workers.has(each.metadata.uid));
    const { rejected, preempted } = admit(pod, node, running);
    const why = this.#isShuttingDown ? REJECTIONS.NodeShutdown : (rejects?.(pod, machine.name) ?? rejected);
    if (why) {
      api.put(PODS, { ...pod, status: { phase: 'Failed', ...why, startTime: machine.now().toISOString() } });
      return false;
    }
    if (preempted) this.#end(preempted, ENDINGS.Preempting);
    return true;
  }
}
