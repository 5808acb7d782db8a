/** Stories in which something has to wait, or the operation as a whole has something to say. */
import { NODE_OP } from '../../api/kinds.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { nodeOp } from '../fakes/cluster/objects.js';
import {
  asks,
  barePod,
  does,
  FAILS,
  NEW_IMAGE,
  onOne,
  onTwo,
  over,
  retry,
  running,
  upgrades,
} from './reasons-setup.js';

export const twoOperations = onOne(
  async cluster => {
    asks(cluster);
    await running(cluster);
    cluster.apply(NODE_OP, nodeOp('other'));
  },
  does({ seconds: 30 }),
);

const CONTROL_PLANE_AND_WORKER = [{ name: 'n1', controlPlane: true }, { name: 'n2' }];
export const controlPlaneFirst = onTwo(cluster => upgrades(cluster), { nodes: CONTROL_PLANE_AND_WORKER });

const LONG_ENOUGH_TO_BE_MISSED = 60;

export const notReady = onOne(async cluster => {
  cluster.machine('n1').powerOff();
  await cluster.run(LONG_ENOUGH_TO_BE_MISSED);
  asks(cluster, { startDeadlineSeconds: 20 });
});

const CONTROL_PLANES = [
  { name: 'n1', controlPlane: true },
  { name: 'n2', controlPlane: true },
];

export const otherNotReady = onTwo(
  async cluster => {
    cluster.machine('n2').powerOff();
    await cluster.run(LONG_ENOUGH_TO_BE_MISSED);
    asks(cluster, { cordon: true, startDeadlineSeconds: 20 });
  },
  { nodes: CONTROL_PLANES },
);

export const paused = onOne(async cluster => {
  asks(cluster, { paused: true });
  await cluster.run(10);
  cluster.api.patch(NODE_OP, { name: 'op', namespace: 'default' }, { spec: { paused: false } });
});

export const stopped = onTwo(
  cluster => asks(cluster, { backoffLimit: 0, concurrency: 1, stopOnFailure: true }),
  does(FAILS),
);

export const nobody = onOne(cluster => asks(cluster, { nodeSelector: { matchLabels: { none: 'such' } } }));

export const nameTaken = onOne(async cluster => {
  cluster.apply(NODE_OP, nodeOp('up'));
  await cluster.run(10);
  upgrades(cluster);
});

export const nodeOpDeleted = onOne(async cluster => {
  upgrades(cluster, { paused: true });
  await cluster.until(() => cluster.upgrade('up')?.status?.nodeOpName !== undefined, 300);
  cluster.delete(NODE_OP, { name: 'up', namespace: 'default' });
});

export const unread = onOne(cluster => upgrades(cluster), { images: { [NEW_IMAGE]: { error: 'manifest unknown' } } });

/** It came past no webhook. */
export const notObeyed = onOne(cluster => asks(cluster), { allowedNamespaces: ['fleet'] });

export const invalid = onOne(cluster => asks(cluster, { command: [] }));

const drain = { cordon: true, drainOptions: { enabled: true } };
export const nowhereToGo = onOne(
  async cluster => {
    await cluster.run(10);
    asks(cluster, drain);
  },
  { workloads: [{ name: 'web', replicas: 1 }] },
);

export const bare = onTwo(async cluster => {
  barePod(cluster);
  await cluster.run(10);
  asks(cluster, drain);
});

export const older = onOne(cluster => upgrades(cluster), {
  images: { [NEW_IMAGE]: { release: KAIROS_RELEASE.replaceAll('v3.5.0', 'v3.4.0') } },
});

export const retried = onOne(async cluster => {
  asks(cluster, { backoffLimit: 0 });
  await over(cluster);
  retry(cluster);
}, does(FAILS));
