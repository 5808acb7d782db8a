/** A machine, an agent that can be killed between any two acts, and a cluster of one NodeAgent. */
import { Journal } from '../../agent/journal.js';
import { Reconciler } from '../../agent/reconcile.js';
import { KAIROS_STATE_DIR } from '../../api/names.js';
import type { NodeAgent } from '../../api/objects.js';
import { ObjectCache } from '../../kube/cache.js';
import type { Kube, Name, Page, Resource, Stored } from '../../kube/kube.js';
import { applyMergePatch } from '../../kube/merge-patch.js';
import { silentLog } from '../../program/log.js';
import { fakeClock } from '../fakes/clock.js';
import { bootIdOf, type FakeHost, fakeHost, KAIROS_RELEASE, Killed } from '../fakes/host.js';
import { asked, JOB, nodeAgent } from './builders.js';

export const SENTINEL = `${KAIROS_STATE_DIR}/${JOB}-1767225600`;
export const JOURNAL = `${KAIROS_STATE_DIR}/journal.json`;

/** The few verbs an agent uses; everything written is kept under `requests`. */
export class SmallCluster {
  agent: NodeAgent;
  readonly requests: string[] = [];
  /** What reaches the API server fails while this is set. */
  away = false;
  onWrite: () => void = () => undefined;
  readonly nodePatches: unknown[] = [];

  constructor(agent: NodeAgent) {
    this.agent = agent;
  }

  #ask(what: string): void {
    if (this.away) throw new Error('connection refused');
    this.requests.push(what);
  }

  async get(): Promise<Stored> {
    this.#ask('get');
    return this.agent;
  }

  async list(): Promise<{ items: Stored[]; resourceVersion: string }> {
    this.#ask('list');
    return { items: [this.agent], resourceVersion: this.agent.metadata.resourceVersion };
  }

  async patch(plural: string, body: unknown): Promise<Stored> {
    this.onWrite();
    this.#ask(`patch ${plural}`);
    if (plural === 'nodes') {
      this.nodePatches.push(body);
      return { metadata: { name: 'n1', uid: 'node', resourceVersion: '1' } };
    }
    this.change(agent => applyMergePatch(agent, body) as NodeAgent);
    return this.agent;
  }

  change(by: (agent: NodeAgent) => NodeAgent): void {
    const changed = by(structuredClone(this.agent));
    const resourceVersion = String(Number(this.agent.metadata.resourceVersion) + 1);
    this.agent = { ...changed, metadata: { ...changed.metadata, resourceVersion } };
  }
}

const refuse = () => Promise.reject(new Error('an agent has no business with this verb'));

/** As an agent sees it. */
export const kubeOf = (cluster: SmallCluster, watch?: Kube['watch']): Kube => ({
  get: async <T extends Stored>() => (await cluster.get()) as T,
  list: async <T extends Stored>() => (await cluster.list()) as Page<T>,
  patch: async <T extends Stored>(resource: Resource, _at: Name, body: unknown) =>
    (await cluster.patch(resource.plural, body)) as T,
  watch: watch ?? (() => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) })),
  create: refuse,
  replace: refuse,
  delete: refuse,
  evict: refuse,
  dryRun: refuse,
});

export interface Story {
  host: FakeHost;
  cluster: SmallCluster;
  clock: ReturnType<typeof fakeClock>;
  /** A new process: it knows only disk and cluster. */
  start(): Promise<void>;
  /** From now on the running process hears nothing new: its watch is late. */
  hearNothing(): void;
  /** One pass of the running process; a process that was killed is started anew, and `killed` is returned. */
  pass(): Promise<'killed' | number | undefined>;
}

/** The Job is done, its sentinel lies there, the reboot is asked for. */
export function story(
  agent: NodeAgent = nodeAgent({ operation: asked() }),
  files: Record<string, string> = { '/etc/kairos-release': KAIROS_RELEASE, [SENTINEL]: `${bootIdOf(1)}\n` },
): Story {
  const host = fakeHost(files);
  const cluster = new SmallCluster(agent);
  cluster.onWrite = () => host.touch('patch');
  const clock = fakeClock('2026-01-01T00:10:00.000Z');
  let running: Reconciler | undefined;
  let cache = new ObjectCache<NodeAgent>();
  let hears = true;
  const look = () => hears && cache.replaceAll([cluster.agent], cluster.agent.metadata.resourceVersion);

  const start = async () => {
    hears = true;
    const { journal } = await Journal.open(host, KAIROS_STATE_DIR);
    cache = new ObjectCache<NodeAgent>();
    const base = { kube: kubeOf(cluster), host, clock, log: silentLog, nodeName: 'n1', agentVersion: 'test' };
    running = new Reconciler({ ...base, stateDir: KAIROS_STATE_DIR, journal, cache });
  };
  const pass = async () => {
    if (!running) await start();
    look();
    try {
      return await running?.run();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      running = undefined;
      host.killBefore(undefined);
      return 'killed';
    }
  };
  const hearNothing = () => {
    look();
    hears = false;
  };
  return { host, cluster, clock, start, pass, hearNothing };
}
