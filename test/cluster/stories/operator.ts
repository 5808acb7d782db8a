/** Installs the operator on the shared cluster as a user would, with all nodes in their initial state. */
import { type Image, kairosImage } from '../images.js';
import { install } from '../install.js';
import type { Json, Kubectl } from '../kubectl.js';
import type { Machine } from '../machine.js';
import { productImages } from '../product-images.js';
import type { RealCluster } from '../real-cluster.js';
import { sharedCluster } from '../shared-cluster.js';
import { waitFor } from '../wait.js';

export interface Operator {
  cluster: RealCluster;
  kubectl: Kubectl;
  machines: Machine[];
  /** Stand-in image of Kairos v3.6.0, imported into every node. */
  nextImage: Image;
}

export const NEXT_VERSION = 'v3.6.0';
/** Version triple of the stand-in, in the format of the documentation. */
export const NEXT_TRIPLE = `${NEXT_VERSION}-k3sv1.34.4+k3s1`;

const SOFTWARE = 'v1.34.4+k3s1';

export const standInImage = (version: string, plan: { fail?: number; sleepSeconds?: number } = {}): Promise<Image> =>
  kairosImage({
    version,
    softwareVersion: SOFTWARE,
    ref: `localhost/kairos:${version}${plan.fail ? '-broken' : ''}${plan.sleepSeconds ? '-slow' : ''}`,
    ...plan,
  });

export async function setUpOperator(count: number, extraImages: readonly Image[] = []): Promise<Operator> {
  const images = await productImages();
  const next = await standInImage(NEXT_VERSION);
  const cluster = await sharedCluster({
    nodes: count,
    images: [images.operator, images.agent, next, ...extraImages].map(image => image.tar),
  });
  await removeLeftovers(cluster);
  await install(cluster, images);
  await waitUntilLabeled(cluster);
  return { cluster, kubectl: cluster.kubectl, machines: [...cluster.machines.values()], nextImage: next };
}

/** Waits until every node is labeled as Kairos, because an operation selects its nodes when it starts. */
async function waitUntilLabeled({ kubectl, machines }: RealCluster): Promise<void> {
  const known = async () => (await kubectl.getJson('nodes', '-l', 'kairos.io/managed=true'))?.items?.length;
  await waitFor(async () => (await known()) === machines.size, {
    what: 'every node to be labeled',
    seconds: 30,
    diagnose: () => kubectl.do(['get', 'nodes', '--show-labels']),
  });
}

/** Removes what an earlier test file left: operations, cordons, workloads and other versions. */
async function removeLeftovers(cluster: RealCluster): Promise<void> {
  const { kubectl } = cluster;
  if ((await kubectl.getJson('crd', 'nodeops.operator.kairos.io')) !== undefined) {
    await kubectl.do(['delete', 'nodeopupgrades,nodeops', '--all', '-A', '--timeout=120s']);
  }
  for (const name of cluster.machines.keys()) await kubectl.do(['uncordon', name]);
  await kubectl.do(['delete', 'deployments,pdb,pods', '--all', '-n', 'default', '--timeout=60s']);
  const versions = await Promise.all(
    [...cluster.machines.values()].map(machine => machine.exec('cat', '/etc/kairos-release')),
  );
  if (versions.some(({ stdout }) => !stdout.includes('v3.5.0')))
    await cluster.resetNodes({ version: 'v3.5.0', softwareVersion: SOFTWARE });
}

export const upgradeOf = (name: string, image: string, spec: object = {}): object => ({
  apiVersion: 'operator.kairos.io/v1alpha1',
  kind: 'NodeOpUpgrade',
  metadata: { name, namespace: 'default' },
  spec: {
    image,
    concurrency: 1,
    settleSeconds: 0,
    nodeSelector: { matchLabels: { 'kairos.io/managed': 'true' } },
    ...spec,
  },
});

export const nodeOpOf = (name: string, spec: object): object => ({
  apiVersion: 'operator.kairos.io/v1alpha1',
  kind: 'NodeOp',
  metadata: { name, namespace: 'default' },
  spec: { image: 'localhost/busybox:1', ...spec },
});

/** A Deployment with two replicas, and a disruption budget that requires one of them. */
export const workload = (): object[] => [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'web',
              image: 'localhost/busybox:1',
              command: ['sh', '-c', 'trap exit TERM; while :; do sleep 1; done'],
            },
          ],
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: { app: 'web' } },
            },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
  },
];

interface NodeStatus {
  phase: string;
  startedAt?: string;
  message?: string;
  reason?: string;
  rebootStatus?: string;
  step?: string;
  log?: string;
  exitCode?: number;
  attempt?: number;
  stepTimes?: Record<string, string>;
}

/** Entries of `status.nodeStatuses`. */
export const nodeStatuses = (object: Json | undefined): Record<string, NodeStatus> =>
  (object?.status?.nodeStatuses ?? {}) as Record<string, NodeStatus>;

/** Waits until the operation is Completed or Failed. */
export const waitUntilFinished = ({ kubectl }: Operator, kind: string, name: string, seconds = 180): Promise<Json> =>
  kubectl.waitForObject(
    [kind, name],
    object => ['Completed', 'Failed'].includes(String(object.status?.phase)),
    seconds,
  );

export async function listNodes({ kubectl }: Operator): Promise<Json[]> {
  return (await kubectl.getJson('nodes'))?.items ?? [];
}

export const jobsOf = async ({ kubectl }: Operator, name: string): Promise<Json[]> =>
  (await kubectl.getJson('jobs', '-l', `kairos.io/nodeop=${name}`))?.items ?? [];

/** Waits until no node is claimed by an operation. */
export async function expectNodesReleased({ kubectl }: Operator): Promise<void> {
  await waitFor(
    async () =>
      ((await kubectl.getJson('nodeagents'))?.items ?? []).every(agent => agent.spec?.operation === undefined),
    {
      what: 'all nodes to be released',
      seconds: 20,
    },
  );
}
