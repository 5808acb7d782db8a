/** The Job of one node, and the short Pods before it. Wish in, manifest out. */
import { ANNOTATIONS, CONTAINERS, LABELS, SENTINEL_MOUNT, VOLUMES } from '../../../api/names.js';
import { NODE_OP } from '../../../api/kinds.js';
import { boundedName, labelValue } from '../../../api/resource-name.js';
import { ownedBy } from '../../../kube/owner.js';
import { attemptOn, type Wish } from './parsed-nodeop.js';

/** Where things are that a Pod needs and no NodeOp names. */
export interface Surroundings {
  /** Image of the command, the default filled in. */
  image: string;
  /** Runs the sentinel container; the agent's own image unless an image with a shell was set. */
  sentinel: { image: string; command: readonly string[] };
  /** Folder on the host for journal and sentinels, as its agent says. */
  stateDir: string;
}

const SIXTY_FOUR_MIB = '64Mi';

/** A deleted Pod must not cut the write of a system image short. */
const UPGRADE_GRACE_SECONDS = 600;

type Kind = 'job' | 'preflight' | 'pull';

export const objectName = (wish: Wish, node: string, kind: Kind): string =>
  boundedName(
    kind === 'job' ? `${wish.meta.name}-${node}` : `${wish.meta.name}-${kind}-${node}`,
    wish.meta.uid,
    String(attemptOn(wish, node)),
  );

function metadata(wish: Wish, node: string, kind: Kind) {
  return {
    name: objectName(wish, node, kind),
    namespace: wish.namespace,
    labels: {
      [LABELS.nodeOp]: labelValue(wish.meta.name),
      [LABELS.node]: labelValue(node),
      [LABELS.nodeOpUid]: wish.meta.uid,
      ...(kind === 'job' ? {} : { [kind === 'preflight' ? LABELS.preflight : LABELS.pull]: 'true' }),
    },
    annotations: { [ANNOTATIONS.nodeOpName]: wish.meta.name, [ANNOTATIONS.nodeName]: node },
    ownerReferences: [ownedBy(NODE_OP, { metadata: wish.meta })],
  };
}

/** On this node whatever its taints, with the user's pull secrets. */
const onNode = (wish: Wish, node: string) => ({
  nodeName: node,
  restartPolicy: 'Never',
  tolerations: [{ operator: 'Exists' }],
  priorityClassName: 'system-node-critical',
  ...(wish.spec.imagePullSecrets ? { imagePullSecrets: wish.spec.imagePullSecrets } : {}),
});

const hostVolume = { name: VOLUMES.host, hostPath: { path: '/' } };

/** The user's command, privileged, with the host's root at hostMountPath. */
const workContainer = (wish: Wish, { image }: Surroundings) => ({
  name: CONTAINERS.work,
  image,
  command: wish.spec.command,
  env: [{ name: 'HOST_DIR', value: wish.spec.hostMountPath }],
  securityContext: { privileged: true },
  terminationMessagePolicy: 'FallbackToLogsOnError',
  volumeMounts: [{ name: VOLUMES.host, mountPath: wish.spec.hostMountPath }],
});

/** Runs only when the command succeeded, and tells the agent so by a file on the host. */
const sentinelContainer = ({ sentinel }: Surroundings) => ({
  name: CONTAINERS.sentinel,
  image: sentinel.image,
  command: sentinel.command,
  env: [
    { name: 'JOB_NAME', valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-name']" } } },
    { name: 'SENTINEL_DIR', value: SENTINEL_MOUNT },
  ],
  securityContext: { runAsUser: 0, readOnlyRootFilesystem: true },
  terminationMessagePolicy: 'FallbackToLogsOnError',
  volumeMounts: [{ name: VOLUMES.sentinel, mountPath: SENTINEL_MOUNT }],
});

function podSpec(wish: Wish, node: string, around: Surroundings) {
  const work = workContainer(wish, around);
  const base = {
    ...onNode(wish, node),
    ...(wish.upgrade ? { terminationGracePeriodSeconds: UPGRADE_GRACE_SECONDS } : {}),
  };
  if (!wish.spec.rebootOnSuccess) return { ...base, containers: [work], volumes: [hostVolume] };
  return {
    ...base,
    initContainers: [work],
    containers: [sentinelContainer(around)],
    volumes: [hostVolume, { name: VOLUMES.sentinel, hostPath: { path: around.stateDir, type: 'DirectoryOrCreate' } }],
  };
}

/** Made suspended: its uid is written down before it may run. Its time to live is set when its end is written down: a Job that is gone too early would look deleted. */
export function jobFor(wish: Wish, node: string, around: Surroundings) {
  const meta = metadata(wish, node, 'job');
  const { activeDeadlineSeconds, backoffLimit } = wish.spec;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: meta,
    spec: {
      suspend: true,
      completions: 1,
      parallelism: 1,
      backoffLimit,
      podReplacementPolicy: 'Failed',
      ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }),
      template: { metadata: { labels: meta.labels, annotations: meta.annotations }, spec: podSpec(wish, node, around) },
    },
  };
}

/** Brings the image onto the node; what its container does, or whether it can, is of no interest. */
export const pullPodFor = (wish: Wish, node: string, { image }: Surroundings) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata(wish, node, 'pull'),
  spec: {
    ...onNode(wish, node),
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    containers: [
      {
        name: CONTAINERS.pull,
        image,
        command: ['true'],
        resources: { limits: { memory: SIXTY_FOUR_MIB } },
      },
    ],
  },
});

/** The user's look at the node: the host's root read-only, nothing changed. */
export const preflightPodFor = (wish: Wish, node: string, { image }: Surroundings) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata(wish, node, 'preflight'),
  spec: {
    ...onNode(wish, node),
    containers: [
      {
        name: CONTAINERS.preflight,
        image: wish.spec.preflight?.image ?? image,
        command: wish.spec.preflight?.command ?? [],
        env: [{ name: 'HOST_DIR', value: wish.spec.hostMountPath }],
        volumeMounts: [{ name: VOLUMES.host, mountPath: wish.spec.hostMountPath, readOnly: true }],
      },
    ],
    volumes: [hostVolume],
  },
});
