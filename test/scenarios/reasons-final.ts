/** Stories in which a node ends, each in its own way. */
import { NODE_OP } from '../../api/kinds.js';
import { JOBS, NODES, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { type ClusterOptions, nodeObject } from '../fakes/cluster/object-builders.js';
import { createLegacyOperation, replaceLegacyOperator, AWAITING_REBOOT } from './migration-setup.js';
import {
  withPreflight,
  createNodeOp,
  withCommand,
  FAILS,
  HANGS,
  onOne,
  onTwo,
  untilCommandRuns,
  createUpgrade,
} from './reasons-setup.js';

export const rebooted = onTwo(
  cluster => createNodeOp(cluster, { cordon: true, rebootOnSuccess: true, concurrency: 1, settleSeconds: 5 }),
  {
    daemonSets: ['proxy'],
  },
);

const preflight = { command: ['look'], activeDeadlineSeconds: 5 };
export const skipped = onOne(
  cluster => createNodeOp(cluster, { preflight }),
  withPreflight({ message: 'nothing to do' }),
);
export const refused = onOne(cluster => createNodeOp(cluster, { preflight }), withPreflight(FAILS));
export const lookedTooLong = onOne(cluster => createNodeOp(cluster, { preflight }), withPreflight(HANGS));

export const withoutAgent = onOne(cluster => {
  cluster.agents.get('n1')?.stop();
  createNodeOp(cluster, { rebootOnSuccess: true });
});

export const unpulled = onOne(cluster => createNodeOp(cluster, { prePull: true, image: 'registry.example/none:1' }), {
  images: { 'registry.example/none:1': { error: 'manifest unknown' } },
});

const web: Partial<ClusterOptions> = {
  workloads: [{ name: 'web', replicas: 2 }],
  budgets: [{ name: 'web', workload: 'web', maxUnavailable: 0 }],
};

async function drains(cluster: FakeCluster, drainOptions: object): Promise<void> {
  await cluster.runFor(20);
  createNodeOp(cluster, { cordon: true, drainOptions: { enabled: true, timeoutSeconds: 20, ...drainOptions } });
}

export const undrained = onTwo(cluster => drains(cluster, {}), web);
export const inTheWay = onTwo(cluster => drains(cluster, { ignoreDaemonSets: false }), { daemonSets: ['proxy'] });

/** The machine dies just when its Pod was made, and for a while nobody has noticed. */
export const unstarted = onOne(async cluster => {
  createNodeOp(cluster, { prePull: true, startDeadlineSeconds: 5 });
  const isMade = () => cluster.api.all(PODS).some(pod => pod.metadata.ownerReferences?.[0]?.kind === JOBS.kind);
  await cluster.runUntil(isMade, 300);
  cluster.machine('n1').powerOff();
  await cluster.runFor(120);
  cluster.machine('n1').powerOn();
});

export const namespaceEnds = onOne(cluster => {
  createNodeOp(cluster, { startDeadlineSeconds: 20 });
  cluster.api.terminatingNamespaces.add('default');
});

export const tooSlow = onOne(cluster => createNodeOp(cluster, { activeDeadlineSeconds: 10 }), withCommand(HANGS));
export const broken = onOne(cluster => createNodeOp(cluster, { backoffLimit: 0 }), withCommand(FAILS));

/** While the command runs. */
const meanwhile = (happens: (cluster: FakeCluster) => Promise<void> | void, spec: object = {}) =>
  onTwo(
    async cluster => {
      createNodeOp(cluster, spec);
      await untilCommandRuns(cluster);
      await happens(cluster);
    },
    withCommand({ seconds: 100 }),
  );

export const jobDeleted = meanwhile(({ api }) => {
  for (const { metadata } of api.all(JOBS)) api.forceRemove(JOBS, metadata);
});

export const unreachable = meanwhile(
  async cluster => {
    cluster.machine('n1').powerOff();
    await cluster.runFor(200);
    cluster.machine('n1').powerOn();
  },
  { rebootTimeoutSeconds: 60 },
);

export const replaced = meanwhile(cluster => {
  cluster.api.forceRemove(NODES, { name: 'n1' });
  cluster.api.put(NODES, nodeObject({ name: 'n1' }, cluster.machine('n1').bootId));
});

export const removed = meanwhile(({ api }) => api.forceRemove(NODES, { name: 'n1' }));

export const deleted = meanwhile(cluster => cluster.delete(NODE_OP, { name: 'op', namespace: 'default' }));

/** Its shutdown takes longer than may be. */
export const stayedUp = onOne(cluster => createNodeOp(cluster, { rebootOnSuccess: true, rebootTimeoutSeconds: 5 }), {
  nodes: [{ name: 'n1', shutdownSeconds: 60 }],
});

/** After the reboot the Pod of its DaemonSet does not come up any more. */
export const unwell = onOne(
  async cluster => {
    await cluster.runFor(20);
    createNodeOp(cluster, { rebootOnSuccess: true, verifyTimeoutSeconds: 5 });
  },
  {
    daemonSets: ['proxy'],
    behavior: ({ container, machine }) =>
      container.name === 'main' && machine.shutdowns.length > 0 ? { seconds: 0, exitCode: 1 } : undefined,
  },
);

/** What was written does not come up. */
export const fellBack = onOne(cluster => createUpgrade(cluster), withCommand({ onSuccess: () => undefined }));

/** Another operator was at it before, and nobody is left who would know whether it called the reboot. */
export const interrupted = onOne(cluster => {
  const nodes = { n1: { entry: AWAITING_REBOOT, job: 'complete' as const } };
  return replaceLegacyOperator(
    cluster,
    () => void createLegacyOperation(cluster, { phase: 'Running', spec: { rebootOnSuccess: true }, nodes }),
  );
});
