/** The operator installed as a user would, on the shared cluster, with every node as it was delivered. */
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
  /** Stand-in Kairos v3.6.0, on every node already. */
  next: Image;
}

export const NEXT_VERSION = 'v3.6.0';
/** The version triple of the stand-in, as documents spell it. */
export const NEXT_TRIPLE = `${NEXT_VERSION}-k3sv1.34.4+k3s1`;

const SOFTWARE = 'v1.34.4+k3s1';

export const standIn = (version: string, plan: { fail?: number; sleepSeconds?: number } = {}): Promise<Image> =>
  kairosImage({
    version,
    softwareVersion: SOFTWARE,
    ref: `localhost/kairos:${version}${plan.fail ? '-broken' : ''}${plan.sleepSeconds ? '-slow' : ''}`,
    ...plan,
  });

export async function operator(count: number, more: readonly Image[] = []): Promise<Operator> {
  const images = await productImages();
  const next = await standIn(NEXT_VERSION);
  const cluster = await sharedCluster({
    nodes: count,
    images: [images.operator, images.agent, next, ...more].map(image => image.tar),
  });
  await tidy(cluster);
  await install(cluster, images);
  await labeled(cluster);
  return { cluster, kubectl: cluster.kubectl, machines: [...cluster.machines.values()], next };
}

/** Every node is known as Kairos: an operation aims at what its selector finds when it starts. */
async function labeled({ kubectl, machines }: RealCluster): Promise<void> {
  const known = async () => (await kubectl.getJson('nodes', '-l', 'kairos.io/managed=true'))?.items?.length;
  await waitFor(async () => (await known()) === machines.size, {
    what: 'every node to be labeled',
    seconds: 30,
    diagnose: () => kubectl.do(['get', 'nodes', '--show-labels']),
  });
}

/** What an earlier story left: operations, cordons, another version. */
async function tidy(cluster: RealCluster): Promise<void> {
  const { kubectl } = cluster;
  if ((await kubectl.getJson('crd', 'nodeops.operator.kairos.io')) !== undefined) {
    await kubectl.do(['delete', 'nodeopupgrades,nodeops', '--all', '-A', '--timeout=120s']);
  }
  for (const name of cluster.machines.keys()) await kubectl.do(['uncordon', name]);
  await kubectl.do(['delete', 'deployments,pdb,pods', '--all', '-n', 'default', '--timeout=60s']);
  const versions = await Promise.all(
    [...cluster.machines.values()].map(machine => machine.readFile('/etc/kairos-release')),
  );
  if (versions.some(text => !text.includes('v3.5.0')))
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

/** Two replicas that can move, and a budget that wants one of them. */
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

interface NodeEntry {
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
export const entries = (object: Json | undefined): Record<string, NodeEntry> =>
  (object?.status?.nodeStatuses ?? {}) as Record<string, NodeEntry>;

/** Waits until the operation has ended, one way or the other. */
export const ended = ({ kubectl }: Operator, kind: string, name: string, seconds = 180): Promise<Json> =>
  kubectl.waitForObject(
    [kind, name],
    object => ['Completed', 'Failed'].includes(String(object.status?.phase)),
    seconds,
  );

export async function nodes({ kubectl }: Operator): Promise<Json[]> {
  return (await kubectl.getJson('nodes'))?.items ?? [];
}

export const jobsOf = async ({ kubectl }: Operator, name: string): Promise<Json[]> =>
  (await kubectl.getJson('jobs', '-l', `kairos.io/nodeop=${name}`))?.items ?? [];

/** Every node is free again: nothing of an operation is left on it. */
export async function expectFree({ kubectl }: Operator): Promise<void> {
  await waitFor(
    async () =>
      ((await kubectl.getJson('nodeagents'))?.items ?? []).every(agent => agent.spec?.operation === undefined),
    {
      what: 'all nodes to be released',
      seconds: 20,
    },
  );
}
