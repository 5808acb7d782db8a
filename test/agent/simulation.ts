/** An agent that can be killed between any two actions, its machine, and a cluster with one NodeAgent. */
import { Journal } from '../../agent/reboot-journal.js';
import { Reconciler } from '../../agent/reconcile.js';
import { KAIROS_STATE_DIR } from '../../api/names.js';
import type { NodeAgent } from '../../api/objects.js';
import { ObjectCache } from '../../kube/cache.js';
import type { Kube, Name, Page, Resource, Stored } from '../../kube/kube.js';
import { applyMergePatch } from '../../kube/merge-patch.js';
import { silentLog } from '../../program/log.js';
import { fakeClock } from '../fakes/clock.js';
import { bootIdOf, type FakeHost, fakeHost, KAIROS_RELEASE, Killed } from '../fakes/host.js';
import { JOB, nodeAgent, rebootRequested } from './builders.js';

export const SENTINEL = `${KAIROS_STATE_DIR}/${JOB}-1767225600`;
export const JOURNAL = `${KAIROS_STATE_DIR}/journal.json`;

/** Supports the few verbs that an agent uses, and records every request. */
export class SingleNodeCluster {
  agent: NodeAgent;
  readonly requests: string[] = [];
  /** While set, every request fails. */
  isUnreachable = false;
  onWrite: () => void = () => undefined;
  readonly nodePatches: unknown[] = [];

  constructor(agent: NodeAgent) {
    this.agent = agent;
  }

  #request(name: string): void {
    if (this.isUnreachable) throw new Error('connection refused');
    this.requests.push(name);
  }

  async get(): Promise<Stored> {
    this.#request('get');
    return this.agent;
  }

  async list(): Promise<{ items: Stored[]; resourceVersion: string }> {
    this.#request('list');
    return { items: [this.agent], resourceVersion: this.agent.metadata.resourceVersion };
  }

  async patch(plural: string, body: unknown): Promise<Stored> {
    this.onWrite();
    this.#request(`patch ${plural}`);
    if (plural === 'nodes') {
      this.nodePatches.push(body);
      return { metadata: { name: 'n1', uid: 'node', resourceVersion: '1' } };
    }
    this.change(agent => applyMergePatch(agent, body) as NodeAgent);
    return this.agent;
  }

  change(edit: (agent: NodeAgent) => NodeAgent): void {
    const changed = edit(structuredClone(this.agent));
    const resourceVersion = String(Number(this.agent.metadata.resourceVersion) + 1);
    this.agent = { ...changed, metadata: { ...changed.metadata, resourceVersion } };
  }
}

const refuse = () => Promise.reject(new Error('an agent must not use this verb'));

/** The API client of an agent in this cluster. */
export const kubeOf = (cluster: SingleNodeCluster, watch?: Kube['watch']): Kube => ({
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

export interface Simulation {
  host: FakeHost;
  cluster: SingleNodeCluster;
  clock: ReturnType<typeof fakeClock>;
  /** Starts a new process, which knows only what is on disk and in the cluster. */
  start(): Promise<void>;
  /** The running process receives no further changes: its watch is stale. */
  stopWatching(): void;
  /** One reconciliation of the running process. Returns `killed` when it was killed; the next call starts a new process. */
  reconcile(): Promise<'killed' | number | undefined>;
}

/** A process that was killed while it called a reboot tries the other ways of calling it in vain. */
const isKilled = (error: unknown): boolean =>
  error instanceof Killed || (error instanceof Error && error.cause instanceof Killed);

/** By default the Job is done, its sentinel exists, and the reboot is requested. */
export function simulate(
  agent: NodeAgent = nodeAgent({ operation: rebootRequested() }),
  files: Record<string, string> = { '/etc/kairos-release': KAIROS_RELEASE, [SENTINEL]: `${bootIdOf(1)}\n` },
): Simulation {
  const host = fakeHost(files);
  const cluster = new SingleNodeCluster(agent);
  cluster.onWrite = () => host.recordMutation('patch');
  const clock = fakeClock('2026-01-01T00:10:00.000Z');
  let running: Reconciler | undefined;
  let cache = new ObjectCache<NodeAgent>();
  let isWatching = true;
  const syncCache = () => isWatching && cache.replaceAll([cluster.agent], cluster.agent.metadata.resourceVersion);

  const start = async () => {
    isWatching = true;
    const { journal } = await Journal.open(host, KAIROS_STATE_DIR);
    cache = new ObjectCache<NodeAgent>();
    const base = { kube: kubeOf(cluster), host, clock, log: silentLog, nodeName: 'n1', agentVersion: 'test' };
    running = new Reconciler({ ...base, stateDir: KAIROS_STATE_DIR, journal, cache });
  };
  const reconcile = async () => {
    if (!running) await start();
    syncCache();
    try {
      return await running?.reconcile();
    } catch (error) {
      if (!isKilled(error)) throw error;
      running = undefined;
      host.killBefore(undefined);
      return 'killed';
    }
  };
  const stopWatching = () => {
    syncCache();
    isWatching = false;
  };
  return { host, cluster, clock, start, reconcile, stopWatching };
}

/** The agent's answer about the reboot. */
export const answer = ({ cluster }: Simulation) => cluster.agent.status?.operation?.reboot;

/** Reconciles until nothing changes any more, over half an hour, so that no delay hides a second call. */
export async function settle(sim: Simulation): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    await sim.reconcile();
    await sim.clock.advance(4 * 60_000);
  }
}

/** The machine has booted: memory is lost, and a new process starts. */
export async function bootUp(sim: Simulation): Promise<void> {
  await sim.start();
  await settle(sim);
}
