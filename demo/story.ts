/** The tour: a cluster, an upgrade of every node under everybody's eyes, and what came of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_OP_UPGRADE } from '../api/kinds.js';
import type { RealCluster } from '../test/cluster/real-cluster.js';
import { waitFor } from '../test/cluster/wait.js';
import { keptLines, takeDown } from './teardown.js';
import type { TourWish } from './flags.js';
import { Observer } from './observer.js';
import { liveScreen, plainScreen, type Screen } from './screen.js';
import type { Snapshot } from './snapshot.js';
import { kubectlProgram, setUp } from './setup.js';
import { faults, type Outcome, summaryLines } from './summary.js';
import { NAMESPACE, TARGET, upgrade, UPGRADE } from './workload.js';

type Say = (line: string) => void;

/** True when everything held and nothing is left that should not be. From here on the cluster of that index is the tour's. */
export async function tour(wish: TourWish, say: Say): Promise<boolean> {
  let cluster: RealCluster | undefined;
  let held = false;
  try {
    cluster = await setUp(wish, say);
    const outcome = await perform(cluster, wish, say);
    say(['', ...summaryLines(outcome), ''].join('\n'));
    held = faults(outcome).length === 0;
  } finally {
    if (wish.keep && cluster !== undefined) say(keptLines(cluster.kubeconfig, wish).join('\n'));
    else held = (await takeDown(wish.index, say)) && held;
  }
  return held;
}

/** Longer than any walk of five nodes; its end is a fault, not a wait without end. */
const LIMIT_SECONDS = 900;
const FRAME_MS = 200;

async function perform(cluster: RealCluster, wish: TourWish, say: Say): Promise<Outcome> {
  const observer = new Observer(cluster, kubectlProgram());
  observer.start();
  try {
    const known = () => observer.isComplete && observer.scene().nodes.every(node => node.version !== undefined);
    await waitFor(known, { what: 'every node to say its version, and the sample to answer', seconds: 60 });
    const before = observer.scene();
    say(`Upgrading every node from ${before.nodes[0]?.version ?? '?'} to ${TARGET.version}, one at a time ...\n`);
    const begin = Date.now();
    await cluster.kubectl.apply(upgrade());
    await show(
      observer,
      wish.plain || !process.stdout.isTTY ? plainScreen(process.stdout) : liveScreen(process.stdout),
    );
    const tookMs = Date.now() - begin;
    const wait = await waitComplete(cluster);
    const after = await settled(observer);
    const budget = wish.nodes === 1 ? undefined : observer.budget.verdict();
    return { before, after, upgrade: after.upgrade, wanted: TARGET.version, wait, budget, tookMs };
  } finally {
    await observer.stop();
  }
}

async function show(observer: Observer, screen: Screen): Promise<void> {
  const limit = Date.now() + LIMIT_SECONDS * 1000;
  while (!observer.hasEnded && Date.now() < limit) {
    screen.show(observer.scene(), new Date());
    await sleep(FRAME_MS);
  }
  screen.show(observer.scene(), new Date());
}

/** Asked as a user's script would ask. */
async function waitComplete(cluster: RealCluster): Promise<Outcome['wait']> {
  const object = `${NODE_OP_UPGRADE.plural}.${NODE_OP_UPGRADE.group}/${UPGRADE}`;
  const args = ['wait', '--for=condition=Complete', object, '--namespace', NAMESPACE, '--timeout=10s'];
  const { code, stdout, stderr } = await cluster.kubectl.try(args);
  return { ok: code === 0, words: (stdout || stderr).trim() };
}

/** The agents write what they run right after the upgrade has ended; a node gets a moment to say it. */
async function settled(observer: Observer): Promise<Snapshot> {
  const limit = Date.now() + 10_000;
  const isCalm = () => observer.scene().nodes.every(node => node.version === TARGET.version && node.ready);
  while (!isCalm() && Date.now() < limit) await sleep(FRAME_MS);
  return observer.scene();
}
