/** Operations that wait for what kubelets and the kube-controller-manager report, and the clocks that these may have. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { CONTAINERS } from '../../api/names.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import type { ImageOptions } from '../fakes/cluster/container-behavior.js';
import { PULL_ERRORS } from '../fakes/cluster/image-pulls.js';
import { type ClusterOptions, nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { withSeededRandom } from '../fakes/cluster/seeded-random.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { NEW_IMAGE } from './reasons-setup.js';

interface Offsets {
  node?: number;
  manager?: number;
  controller?: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const SECONDS = { '5 min': 5 * MINUTE, '2 h': 2 * HOUR, '1 day': 24 * HOUR };

const named = (name: string, seconds: number) => ({
  title: `the node is ${name} ahead and the kube-controller-manager behind, with a controller that is right`,
  offsets: { node: seconds, manager: -seconds },
});
const reversed = (name: string, seconds: number) => ({
  title: `the node is ${name} behind and the kube-controller-manager ahead, with a controller that is ahead as well`,
  offsets: { node: -seconds, manager: seconds, controller: seconds },
});

export const OFFSETS = Object.entries(SECONDS).flatMap(([name, seconds]) => [
  named(name, seconds),
  reversed(name, seconds),
]);

export interface ClockCase {
  /** Continues "an operation whose …". */
  title: string;
  cluster?: Partial<ClusterOptions>;
  /** Creates the operation `op`. */
  apply: (cluster: FakeCluster) => void;
  /** What happens to it. */
  happens?: (cluster: FakeCluster) => Promise<void>;
  /** Phase of the operation and reason of the node or of the failure. */
  end: string;
  /** Earliest and latest end, counted from `apply`, by a right clock. */
  seconds: readonly [number, number];
}

const withSpec = (spec: object) => (cluster: FakeCluster) => void cluster.apply(NODE_OP, nodeOp('op', spec));
const upgradeWith = (spec: object) => (cluster: FakeCluster) =>
  void cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('op', { image: NEW_IMAGE, ...spec }));

const container = (name: string, seconds?: number): Partial<ClusterOptions> => ({
  behavior: ({ container: { name: is } }) => (is === name ? { seconds } : undefined),
});
const image = (name: string, options: ImageOptions): Partial<ClusterOptions> => ({ images: { [name]: options } });

const TOOL = 'registry.example/tool:2';
const PREFLIGHT = { preflight: { command: ['check'], activeDeadlineSeconds: 60 } };
const PULLED = { image: TOOL, prePull: true, pullDeadlineSeconds: 120 };
/** The Pod of the Job pulls the image, because the node was not asked to do that before. */
const PULLED_BY_JOB = { image: TOOL, pullDeadlineSeconds: 120, startDeadlineSeconds: 60 };
const RELEASE = KAIROS_RELEASE.replaceAll('v3.5.0', 'v3.6.0');

/** The second at which the operation is applied, and the one at which its image appears: before the kubelet's third try. */
const START_SECONDS = 20;
const REAPPEARS = START_SECONDS + 20;
const refused = (name: string, more: ImageOptions = {}): ImageOptions => ({
  error: PULL_ERRORS.notFound(name),
  backsOff: true,
  ...more,
});
const reappearing = (name: string): ImageOptions => refused(name, { errorUntilSeconds: REAPPEARS });
const unreachable = (name: string): ImageOptions => ({ error: PULL_ERRORS.noSuchHost(name), backsOff: true });

async function powerOffDuringCommand(cluster: FakeCluster, seconds = 0): Promise<void> {
  await cluster.runUntil(() => cluster.isRunning('n1', CONTAINERS.work));
  cluster.machine('n1').powerOff();
  if (seconds === 0) return;
  await cluster.runFor(seconds);
  cluster.machine('n1').powerOn();
}

export const CLOCK_CASES: readonly ClockCase[] = [
  {
    title: 'preflight hangs',
    cluster: container(CONTAINERS.preflight),
    apply: withSpec(PREFLIGHT),
    end: 'Failed PreflightTimeout',
    seconds: [60, 75],
  },
  {
    title: 'preflight takes most of its time',
    cluster: container(CONTAINERS.preflight, 50),
    apply: withSpec(PREFLIGHT),
    end: 'Completed Done',
    seconds: [50, 75],
  },
  {
    title: 'preflight image is slow to pull',
    cluster: image(TOOL, { pullSeconds: 100 }),
    apply: withSpec({ ...PREFLIGHT, image: TOOL }),
    end: 'Completed Done',
    seconds: [100, 125],
  },
  {
    title: 'image is slow to pull',
    cluster: image(TOOL, { pullSeconds: 100 }),
    apply: withSpec(PULLED),
    end: 'Completed Done',
    seconds: [100, 125],
  },
  {
    title: 'image cannot be pulled because the network is down',
    cluster: image(TOOL, unreachable(TOOL)),
    apply: withSpec(PULLED),
    end: 'Failed ImagePullFailed',
    seconds: [120, 125],
  },
  {
    title: 'image is not in the registry',
    cluster: image(TOOL, refused(TOOL)),
    apply: withSpec(PULLED),
    end: 'Failed ImagePullFailed',
    seconds: [30, 40],
  },
  {
    title: 'image appears in the registry before the third try',
    cluster: image(TOOL, reappearing(TOOL)),
    apply: withSpec(PULLED),
    end: 'Completed Done',
    seconds: [15, 40],
  },
  {
    title: 'Job has an image that is not in the registry',
    cluster: image(TOOL, refused(TOOL)),
    apply: withSpec(PULLED_BY_JOB),
    end: 'Failed ImagePullFailed',
    seconds: [30, 40],
  },
  {
    title: 'Job has an image that appears before the third try',
    cluster: image(TOOL, reappearing(TOOL)),
    apply: withSpec(PULLED_BY_JOB),
    end: 'Completed Done',
    seconds: [15, 40],
  },
  {
    title: 'Job has an image that is slow to pull',
    cluster: image(TOOL, { pullSeconds: 100 }),
    apply: withSpec(PULLED_BY_JOB),
    end: 'Completed Done',
    seconds: [100, 125],
  },
  {
    title: 'node is lost while its command runs',
    cluster: container(CONTAINERS.work, 600),
    apply: withSpec({ rebootTimeoutSeconds: 300 }),
    happens: powerOffDuringCommand,
    end: 'Failed Unreachable',
    seconds: [340, 360],
  },
  {
    title: 'node is away for a while when its command has ended',
    cluster: container(CONTAINERS.work, 30),
    apply: withSpec({ rebootTimeoutSeconds: 300, backoffLimit: 1 }),
    happens: cluster => powerOffDuringCommand(cluster, 200),
    end: 'Completed Done',
    seconds: [230, 320],
  },
  {
    title: 'system image is not in the registry',
    cluster: image(NEW_IMAGE, refused(NEW_IMAGE)),
    apply: upgradeWith({}),
    end: 'Failed ProbeFailed',
    seconds: [30, 45],
  },
  {
    title: 'system image appears in the registry before the third try',
    cluster: image(NEW_IMAGE, { ...reappearing(NEW_IMAGE), release: RELEASE }),
    apply: upgradeWith({}),
    end: 'Completed ',
    seconds: [40, 120],
  },
  {
    title: 'system image is slow to pull',
    cluster: image(NEW_IMAGE, { pullSeconds: 100, release: RELEASE }),
    apply: upgradeWith({ pullDeadlineSeconds: 120 }),
    end: 'Completed ',
    seconds: [130, 200],
  },
  {
    title: 'system image cannot be pulled because the network is down',
    cluster: image(NEW_IMAGE, unreachable(NEW_IMAGE)),
    apply: upgradeWith({ pullDeadlineSeconds: 120 }),
    end: 'Failed ProbeFailed',
    seconds: [120, 130],
  },
];

function endOf(cluster: FakeCluster): string {
  const upgrade = cluster.upgrade('op');
  const failure = upgrade?.status?.conditions?.find(({ type, status }) => type === 'Failed' && status === 'True');
  if (upgrade) return `${upgrade.status?.phase} ${failure?.reason ?? ''}`;
  const { phase, nodeStatuses } = cluster.nodeOp('op')?.status ?? {};
  return `${phase} ${nodeStatuses?.n1?.reason ?? ''}`;
}

/** Kills the controller again and again; it is restarted each time. */
export function crashEvery(cluster: FakeCluster, seconds: number): void {
  const crash = () => {
    cluster.controllers[0]?.kill();
    cluster.clock.callAfter(seconds * 1000, crash);
  };
  cluster.clock.callAfter(seconds * 1000, crash);
}

/** How the operation ended, and after how many seconds. `disturb` runs before it is applied. */
export const resultWith = (
  { cluster: options, apply, happens }: ClockCase,
  { node, manager = 0, controller = 0 }: Offsets,
  disturb: (cluster: FakeCluster) => void = () => undefined,
): Promise<{ end: string; seconds: number }> =>
  withSeededRandom(1, async () => {
    const cluster = fakeCluster({
      nodes: [{ name: 'n1', clockOffsetSeconds: node }],
      clockOffsets: { 'kube-controller-manager': manager, 'controller-a': controller },
      ...options,
    });
    await cluster.start();
    await cluster.runFor(START_SECONDS - cluster.clock.monotonic() / 1000);
    const startedAt = cluster.clock.monotonic();
    disturb(cluster);
    apply(cluster);
    await happens?.(cluster);
    await cluster.runUntil(() => /^(Completed|Failed)/.test(endOf(cluster)), 2 * 24 * HOUR);
    return { end: endOf(cluster), seconds: (cluster.clock.monotonic() - startedAt) / 1000 };
  });
