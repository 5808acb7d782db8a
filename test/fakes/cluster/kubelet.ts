/** The kubelet of one machine: runs the Pods that are on its node, ends those that are to go, and tells of the machine. */
import { NODES, PODS } from '../../../kube/resources.js';
import { type Actor, actor, sooner } from './actor.js';
import type { Api } from './api.js';
import type { Errands, ImageTraits } from './pending-work.js';
import { isOver, type NodeObject, type PodObject, withCondition } from './kinds.js';
import type { Machine } from './machine.js';
import { PodRun } from './pod-run.js';

export interface KubeletOptions {
  api: Api;
  machine: Machine;
  errands: Errands;
  images: Readonly<Record<string, ImageTraits>>;
  /** From the start of the kubelet to a node that is Ready. */
  readySeconds?: number;
  /** Where every start of a container is written down. */
  started: Started[];
}

/** A container that was started. */
export interface Started {
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
  readonly #with: KubeletOptions;
  readonly #actor: Actor;
  readonly #runs = new Map<string, PodRun>();
  /** Images on the disk: they survive a reboot. */
  readonly #images = new Set<string>();
  #readyAt = 0;
  #told: string | undefined;

  constructor(options: KubeletOptions) {
    this.#with = options;
    const { api, machine } = options;
    this.#actor = actor(api.clock, 50, () => this.#look());
    api.onChange((plural, { object, type }) => {
      /* Registered again: it has everything to tell anew. */
      const registered = plural === NODES.plural && type === 'ADDED' && object.metadata.name === machine.name;
      if (registered && this.#told !== undefined) this.booted();
      const pod = plural === PODS.plural ? (object as object as PodObject) : undefined;
      if (pod?.spec.nodeName === machine.name) {
        if (type === 'DELETED') this.#runs.delete(pod.metadata.uid);
        else this.#actor.poke();
      }
    });
    this.#actor.poke();
  }

  /** The machine has booted. */
  booted(): void {
    const { api, readySeconds = 3 } = this.#with;
    this.#readyAt = api.clock.monotonic() + readySeconds * 1000;
    this.#told = undefined;
    this.#actor.poke();
  }

  /** The machine is gone, and with it everything that ran. */
  stopped(): void {
    for (const run of this.#runs.values()) run.cut();
  }

  #look(): number | undefined {
    const { api, machine } = this.#with;
    if (!machine.up) return undefined;
    /* What is on its disk may go on; nothing is admitted by a kubelet that is not part of the cluster. */
    const registered = api.find(NODES, { name: machine.name }) !== undefined;
    let next = registered ? this.#tell() : undefined;
    for (const pod of api.all<PodObject>(PODS))
      if (pod.spec.nodeName === machine.name && (registered || this.#runs.has(pod.metadata.uid)))
        next = sooner(next, this.#goOn(pod));
    return next;
  }

  /** Boot id and images are told as they change, Ready when it is. */
  #tell(): number | undefined {
    const { api, machine } = this.#with;
    const wait = this.#readyAt - api.clock.monotonic();
    const state = `${machine.bootId} ${wait > 0} ${this.#images.size}`;
    if (state === this.#told) return wait > 0 ? wait : undefined;
    this.#told = state;
    const ready = {
      type: 'Ready',
      status: wait > 0 ? 'False' : 'True',
      reason: wait > 0 ? 'KubeletNotReady' : 'KubeletReady',
    };
    api.change<NodeObject>(NODES, { name: machine.name }, node => ({
      ...node,
      status: {
        conditions: withCondition(node.status.conditions, ready, api.clock.now()),
        nodeInfo: { ...node.status.nodeInfo, bootID: machine.bootId },
        images: [...this.#images].map(name => ({ names: [name] })),
      },
    }));
    return wait > 0 ? wait : undefined;
  }

  #goOn(pod: PodObject): number | undefined {
    const { api } = this.#with;
    const at = { name: pod.metadata.name, namespace: pod.metadata.namespace };
    if (isOver(pod)) {
      if (pod.metadata.deletionTimestamp !== undefined) api.drop(PODS, at);
      return undefined;
    }
    const run = this.#runs.get(pod.metadata.uid) ?? new PodRun(this.#with, this.#images);
    this.#runs.set(pod.metadata.uid, run);
    const { deletionGracePeriodSeconds: grace = 0 } = pod.metadata;
    if (pod.metadata.deletionTimestamp !== undefined) {
      const left = run.end(Math.min(grace, STOP_SECONDS) * 1000);
      if (left > 0) return left;
      if (pod.spec.restartPolicy === 'Never') api.put(PODS, run.failed(pod));
      api.drop(PODS, at);
      return undefined;
    }
    const { status, again } = run.goOn(pod);
    if (status) api.put(PODS, { ...pod, status });
    if (this.#told !== undefined && !this.#told.endsWith(` ${this.#images.size}`)) return sooner(again, 1);
    return again;
  }
}
