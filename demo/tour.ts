/** The demo itself: starts a cluster, upgrades every node while showing the progress, and prints the result. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_OP_UPGRADE } from '../api/kinds.js';
import type { RealCluster } from '../test/cluster/real-cluster.js';
import { waitFor } from '../test/cluster/wait.js';
import type { TourOptions } from './flags.js';
import { Observer } from './observer.js';
import { liveScreen, plainScreen, type Screen } from './screen.js';
import { kubectlProgram, setUp } from './setup.js';
import type { Snapshot } from './snapshot.js';
import { failures, type Outcome, summaryLines } from './summary.js';
import { takeDown, usageLines } from './teardown.js';
import { NAMESPACE, TARGET, upgrade, UPGRADE } from './workload.js';

type Print = (line: string) => void;

/**
 * Returns whether all checks passed and, unless the cluster is kept, nothing of it is left. The caller must have checked that
 * no other process uses the cluster of this index: it is replaced.
 */
export async function tour(options: TourOptions, print: Print): Promise<boolean> {
  let cluster: RealCluster | undefined;
  let passed = false;
  try {
    cluster = await setUp(options, print);
    const outcome = await runUpgrade(cluster, options, print);
    print(['', ...summaryLines(outcome), ''].join('\n'));
    passed = failures(outcome).length === 0;
  } finally {
    if (options.keep && cluster !== undefined) print(usageLines(cluster.kubeconfig, options).join('\n'));
    else passed = (await takeDown(options.index, print)) && passed;
  }
  return passed;
}

/** Much longer than an upgrade of five nodes takes, so that a stuck upgrade is reported as a failure instead of hanging. */
const TIMEOUT_SECONDS = 900;
const FRAME_MS = 200;

async function runUpgrade(cluster: RealCluster, options: TourOptions, print: Print): Promise<Outcome> {
  const observer = new Observer(cluster, kubectlProgram());
  observer.start();
  try {
    const isReady = () => observer.isComplete && observer.snapshot().nodes.every(node => node.version !== undefined);
    await waitFor(isReady, {
      what: 'every node to report its version and every Pod of the sample to be ready',
      seconds: 60,
    });
    const before = observer.snapshot();
    print(`Upgrading every node from ${before.nodes[0]?.version ?? '?'} to ${TARGET.version}, one at a time ...\n`);
    const start = Date.now();
    await cluster.kubectl.apply(upgrade());
    await showProgress(
      observer,
      options.plain || !process.stdout.isTTY ? plainScreen(process.stdout) : liveScreen(process.stdout),
    );
    const durationMs = Date.now() - start;
    const wait = await waitComplete(cluster);
    const after = await waitUntilSettled(observer);
    const budget = options.nodes === 1 ? undefined : observer.budget.report();
    return { before, after, upgrade: after.upgrade, targetVersion: TARGET.version, wait, budget, durationMs };
  } finally {
    await observer.stop();
  }
}

async function showProgress(observer: Observer, screen: Screen): Promise<void> {
  const deadline = Date.now() + TIMEOUT_SECONDS * 1000;
  while (!observer.isFinished && Date.now() < deadline) {
    screen.show(observer.snapshot(), new Date());
    await sleep(FRAME_MS);
  }
  screen.show(observer.snapshot(), new Date());
}

/** Waits with `kubectl wait`, as a user's script would. */
async function waitComplete(cluster: RealCluster): Promise<Outcome['wait']> {
  const object = `${NODE_OP_UPGRADE.plural}.${NODE_OP_UPGRADE.group}/${UPGRADE}`;
  const args = ['wait', '--for=condition=Complete', object, '--namespace', NAMESPACE, '--timeout=10s'];
  const { code, stdout, stderr } = await cluster.kubectl.try(args);
  return { ok: code === 0, output: (stdout || stderr).trim() };
}

/** An agent may label its node with the new version slightly after the upgrade is finished, so the last snapshot waits for that. */
async function waitUntilSettled(observer: Observer): Promise<Snapshot> {
  const deadline = Date.now() + 10_000;
  const isSettled = () => observer.snapshot().nodes.every(node => node.version === TARGET.version && node.ready);
  while (!isSettled() && Date.now() < deadline) await sleep(FRAME_MS);
  return observer.snapshot();
}
