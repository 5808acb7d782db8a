/** Scenarios in which a node waits, or in which the operation as a whole reports a reason. */
import { NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS } from '../../api/names.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import {
  createNodeOp,
  barePod,
  withCommand,
  FAILS,
  NEW_IMAGE,
  onOne,
  onTwo,
  untilFinished,
  retry,
  untilCommandRuns,
  createUpgrade,
} from './reasons-setup.js';

export const twoOperations = onOne(
  async cluster => {
    createNodeOp(cluster);
    await untilCommandRuns(cluster);
    cluster.apply(NODE_OP, nodeOp('other'));
  },
  withCommand({ seconds: 30 }),
);

const CONTROL_PLANE_AND_WORKER = [{ name: 'n1', controlPlane: true }, { name: 'n2' }];
export const controlPlaneFirst = onTwo(cluster => createUpgrade(cluster), { nodes: CONTROL_PLANE_AND_WORKER });

const NOT_READY_AFTER_SECONDS = 60;

export const notReady = onOne(async cluster => {
  cluster.machine('n1').powerOff();
  await cluster.runFor(NOT_READY_AFTER_SECONDS);
  createNodeOp(cluster, { startDeadlineSeconds: 20 });
});

const CONTROL_PLANES = [
  { name: 'n1', controlPlane: true },
  { name: 'n2', controlPlane: true },
];

export const otherNotReady = onTwo(
  async cluster => {
    cluster.machine('n2').powerOff();
    await cluster.runFor(NOT_READY_AFTER_SECONDS);
    createNodeOp(cluster, { cordon: true, startDeadlineSeconds: 20 });
  },
  { nodes: CONTROL_PLANES },
);

export const paused = onOne(async cluster => {
  createNodeOp(cluster, { paused: true });
  await cluster.runFor(10);
  cluster.api.patch(NODE_OP, { name: 'op', namespace: 'default' }, { spec: { paused: false } });
});

export const stopped = onTwo(
  cluster => createNodeOp(cluster, { backoffLimit: 0, concurrency: 1, stopOnFailure: true }),
  withCommand(FAILS),
);

export const noTargets = onOne(cluster => createNodeOp(cluster, { nodeSelector: { matchLabels: { none: 'such' } } }));

export const nameTaken = onOne(async cluster => {
  cluster.apply(NODE_OP, nodeOp('up'));
  await cluster.runFor(10);
  createUpgrade(cluster);
});

export const nodeOpDeleted = onOne(async cluster => {
  createUpgrade(cluster, { paused: true });
  await cluster.runUntil(() => cluster.upgrade('up')?.status?.nodeOpName !== undefined, 300);
  cluster.delete(NODE_OP, { name: 'up', namespace: 'default' });
});

export const probeFailed = onOne(cluster => createUpgrade(cluster), {
  images: { [NEW_IMAGE]: { error: 'manifest unknown' } },
});

/** The webhook would have denied it. */
export const namespaceNotAllowed = onOne(cluster => createNodeOp(cluster), { allowedNamespaces: ['fleet'] });

/** As after a restore from a backup. */
export const restored = onOne(({ api }) => {
  const op = nodeOp('op');
  const metadata = { ...op.metadata, annotations: { [ANNOTATIONS.started]: 'uid-of-the-former-object' } };
  api.create(NODE_OP, { ...op, metadata }, 'default');
});

export const invalid = onOne(cluster => createNodeOp(cluster, { command: [] }));

const drain = { cordon: true, drainOptions: { enabled: true } };
export const drainSkipped = onOne(
  async cluster => {
    await cluster.runFor(10);
    createNodeOp(cluster, drain);
  },
  { workloads: [{ name: 'web', replicas: 1 }] },
);

export const podsStay = onTwo(async cluster => {
  barePod(cluster);
  await cluster.runFor(10);
  createNodeOp(cluster, drain);
});

export const olderVersion = onOne(cluster => createUpgrade(cluster, { allow: ['Downgrade'] }), {
  images: { [NEW_IMAGE]: { release: KAIROS_RELEASE.replaceAll('v3.5.0', 'v3.4.0') } },
});

export const retried = onOne(async cluster => {
  createNodeOp(cluster, { backoffLimit: 0 });
  await untilFinished(cluster);
  retry(cluster);
}, withCommand(FAILS));
