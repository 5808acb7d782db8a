/**
 * The main loop of the agent: observe → decide → act. It is woken by the watch of its NodeAgent, by changed files on the host, and by the
 * resync. While nothing changes, it sends no request to the API server.
 */
import { NODE_AGENT } from '../api/kinds.js';
import type { System } from '../api/node-agent.js';
import type { NodeAgent } from '../api/objects.js';
import { backoffMs } from '../kube/backoff.js';
import type { Change } from '../kube/cache.js';
import { informer } from '../kube/informer.js';
import type { Kube } from '../kube/kube.js';
import { isSameJson } from '../kube/merge-patch.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { WakeSignal } from './wake-signal.js';
import { ETC, RELEASE_FILES } from './observe.js';
import type { FenceCheck } from './fence-check.js';
import type { Host } from './host.js';
import { Journal } from './reboot-journal.js';
import { nodeUid } from './label-node.js';
import { removeStaleTempFiles } from './stale-temp-files.js';
import { findStateDir } from './state-dir.js';
import { Reconciler } from './reconcile.js';

export interface AgentDeps {
  kube: Kube;
  host: Host;
  clock: Clock;
  /** The time of the API server; the clock of the node when absent. */
  serverNow?: () => Date;
  log: Log;
  nodeName: string;
  agentVersion: string;
  random?: () => number;
  /** Reads the hardware of the machine; absent when SYSTEM_FACTS is off. */
  system?: () => Promise<System | undefined>;
  /** Tries whether the agent is kept from writing to other Nodes. */
  fenceCheck?: FenceCheck;
  /** Called once when the first list of the NodeAgent has been read. */
  onSynced?: () => void;
  /** Called after each reconciliation, whether it succeeded or failed. */
  onReconciled?: () => void;
}

/** Upper limit, in milliseconds, for the time until the agent notices a file change that the watch missed. */
export const RESYNC_MS = 60_000;
const BACKOFF = { firstMs: 1_000, longestMs: 30_000 };

/** Editors truncate a file before they write it again; a read in between would remove the labels of the Node for a moment. */
const FILE_SETTLE_MS = 150;

/**
 * Runs the agent until `signal` aborts. Failures of single reconciliations are logged and retried with back-off; it rejects only
 * when the state directory of the host cannot be examined at all.
 */
export async function runAgent(deps: AgentDeps, signal: AbortSignal): Promise<void> {
  const { host, kube, clock, log, nodeName } = deps;
  const { stateDir, writable } = await findStateDir(host);
  if (!writable)
    log.error({ stateDir }, 'the host file system is read-only: the node is labeled, but it cannot be rebooted');
  await removeStaleTempFiles(host, stateDir, clock.now()).catch((error: unknown) =>
    log.warn({ err: error, stateDir }, 'cannot remove stale temporary files'),
  );
  const { journal, damage } = await Journal.open(host, stateDir);
  if (damage) log.error({ stateDir, damage }, 'the journal is damaged, its unreadable entries are lost');

  const wakeSignal = new WakeSignal();
  const fieldSelector = `metadata.name=${nodeName}`;
  const nodeAgents = informer<NodeAgent>(kube, NODE_AGENT, { fieldSelector, log, clock });
  nodeAgents.cache.onChange(change => {
    if (needsReconcile(change)) wakeSignal.wake();
  });
  const system = await deps.system?.().catch((error: unknown) => {
    log.warn({ err: error }, 'cannot read the system facts, continuing without them');
    return undefined;
  });
  await watchFiles(deps, stateDir, wakeSignal, signal);

  const informerRun = nodeAgents.run(signal);
  await nodeAgents.waitForSync(signal);
  deps.onSynced?.();
  const reconciler = new Reconciler({ ...deps, system, stateDir, journal, cache: nodeAgents.cache });
  await reconcileLoop(reconciler, wakeSignal, deps, signal);
  await informerRun;
}

/** A host may have no inotify watches left. Changes in a directory that is not watched are noticed by the resync. */
async function watchFiles(
  { host, log, clock }: AgentDeps,
  stateDir: string,
  wakeSignal: WakeSignal,
  signal: AbortSignal,
) {
  const isRelease = (name: string | undefined) => RELEASE_FILES.some(file => file === name);
  const logUnwatched = (dir: string) => (error: unknown) =>
    log.warn({ err: error, dir }, 'cannot watch the directory, relying on the resync instead');
  await host.watch(stateDir, () => wakeSignal.wake(), signal).catch(logUnwatched(stateDir));
  let isSettling = false;
  const wakeWhenSettled = async () => {
    if (isSettling) return;
    isSettling = true;
    await clock.sleep(FILE_SETTLE_MS, signal);
    isSettling = false;
    wakeSignal.wake();
  };
  await host.watch(ETC, name => isRelease(name) && void wakeWhenSettled(), signal).catch(logUnwatched(ETC));
}

/** Any error means "retry with back-off"; every action of a reconciliation is therefore idempotent. */
async function reconcileLoop(reconciler: Reconciler, wakeSignal: WakeSignal, deps: AgentDeps, signal: AbortSignal) {
  const { clock, log, random = Math.random } = deps;
  let failures = 0;
  while (!signal.aborted) {
    let delayMs: number;
    try {
      delayMs = Math.min(RESYNC_MS, (await reconciler.reconcile()) ?? RESYNC_MS);
      failures = 0;
    } catch (error) {
      failures += 1;
      delayMs = backoffMs(failures, BACKOFF, random);
      log.error({ err: error, failures, inMs: Math.round(delayMs) }, 'reconciliation failed, retrying');
    }
    deps.onReconciled?.();
    await wakeSignal.wait(delayMs, clock, signal);
  }
}

/** The agent's own status writes come back through the watch and need no reconciliation. */
function needsReconcile({ old, new: current }: Change<NodeAgent>): boolean {
  if (!old || !current || old.metadata.uid !== current.metadata.uid) return true;
  return nodeUid(old) !== nodeUid(current) || !isSameJson(old.spec, current.spec);
}
