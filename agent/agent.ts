/** The loop of the agent: observe → duties → act. It waits for the watch, the folders and a slow look; idle, it asks the API server nothing. */
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
import type { Host } from './host.js';
import { Journal } from './journal.js';
import { nodeUid } from './label-node.js';
import { removeStaleTempFiles } from './stale-temp-files.js';
import { findStateDir } from './state-dir.js';
import { Reconciler } from './reconcile.js';

export interface AgentDeps {
  kube: Kube;
  host: Host;
  clock: Clock;
  log: Log;
  nodeName: string;
  agentVersion: string;
  random?: () => number;
  /** Looks at the machine itself; absent: nobody wants to know. */
  system?: () => Promise<System | undefined>;
  /** Told when the first look at the cluster is done, and after each pass. */
  onSynced?: () => void;
  onPass?: () => void;
}

/** What file watches miss is seen within this time. */
export const RESYNC_MS = 60_000;
const BACKOFF = { firstMs: 1_000, longestMs: 30_000 };

/** An editor empties a file before it fills it again: what is read in between would take the labels off the Node for a moment. */
const SETTLED_MS = 150;

/** Ends only when the signal aborts. */
export async function runAgent(around: AgentDeps, signal: AbortSignal): Promise<void> {
  const { host, kube, clock, log, nodeName } = around;
  const { stateDir, writable } = await findStateDir(host);
  if (!writable) log.error({ stateDir }, 'the host cannot be written to; it is labeled, and will not be rebooted');
  await removeStaleTempFiles(host, stateDir, clock.now()).catch((error: unknown) =>
    log.warn({ err: error, stateDir }, 'could not sweep away what was left half written'),
  );
  const { journal, damaged } = await Journal.open(host, stateDir);
  if (damaged) log.error({ stateDir, why: damaged }, 'the journal was damaged; what it held is not known');

  const bell = new WakeSignal();
  const fieldSelector = `metadata.name=${nodeName}`;
  const watched = informer<NodeAgent>(kube, NODE_AGENT, { fieldSelector, log, clock });
  watched.cache.onChange(change => {
    if (isNews(change)) bell.wake();
  });
  const system = await around.system?.().catch((error: unknown) => {
    log.warn({ err: error }, 'cannot look at the machine itself, going on without');
    return undefined;
  });
  await watchFiles(around, stateDir, bell, signal);

  const watching = watched.run(signal);
  await watched.waitForSync(signal);
  around.onSynced?.();
  const pass = new Reconciler({ ...around, system, stateDir, journal, cache: watched.cache });
  await keepLooking(pass, bell, around, signal);
  await watching;
}

/** A host may have no watches left to give; what is not watched is seen by the slow look. */
async function watchFiles({ host, log, clock }: AgentDeps, stateDir: string, bell: WakeSignal, signal: AbortSignal) {
  const isRelease = (name: string | undefined) => RELEASE_FILES.some(file => file === name);
  const unwatched = (dir: string) => (error: unknown) =>
    log.warn({ err: error, dir }, 'cannot be watched, looking from time to time instead');
  await host.watch(stateDir, () => bell.wake(), signal).catch(unwatched(stateDir));
  let settling = false;
  const ringSoon = async () => {
    if (settling) return;
    settling = true;
    await clock.sleep(SETTLED_MS, signal);
    settling = false;
    bell.wake();
  };
  await host.watch(ETC, name => isRelease(name) && void ringSoon(), signal).catch(unwatched(ETC));
}

/** Anything thrown means "again, later"; what is safe to repeat is the business of the duties. */
async function keepLooking(pass: Reconciler, bell: WakeSignal, around: AgentDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, random = Math.random } = around;
  let failures = 0;
  while (!signal.aborted) {
    let pauseMs: number;
    try {
      pauseMs = Math.min(RESYNC_MS, (await pass.run()) ?? RESYNC_MS);
      failures = 0;
    } catch (error) {
      failures += 1;
      pauseMs = backoffMs(failures, BACKOFF, random);
      log.error({ err: error, failures, inMs: Math.round(pauseMs) }, 'could not do what is due, trying again');
    }
    around.onPass?.();
    await bell.wait(pauseMs, clock, signal);
  }
}

/** Our own words coming back are none. */
function isNews({ old, new: now }: Change<NodeAgent>): boolean {
  if (!old || !now || old.metadata.uid !== now.metadata.uid) return true;
  return nodeUid(old) !== nodeUid(now) || !isSameJson(old.spec, now.spec);
}
