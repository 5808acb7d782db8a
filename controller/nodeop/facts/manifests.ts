/** Manifests for one node: the Job with the command, and the helper Pods for preflight and image pull. */
import { ANNOTATIONS, CONTAINERS, FINALIZERS, LABELS, SENTINEL_MOUNT, VOLUMES } from '../../../api/names.js';
import { NODE_OP } from '../../../api/kinds.js';
import { boundedName, boundedLabelValue } from '../../../api/resource-name.js';
import { controllerReference } from '../../../kube/owner.js';
import { POD_ANNOTATIONS, POD_LABELS } from '../../../api/pod-metadata.js';
import { attemptOn, type ParsedNodeOp } from './parsed-nodeop.js';

/** What the manifests need besides the NodeOp. */
export interface JobSettings {
  /** Image of the command, or the default image. */
  image: string;
  /** The sentinel container: the agent's own image, unless an image with a shell was configured. */
  sentinel: { image: string; command: readonly string[] };
  /** Directory on the host for the agent's journal and the sentinels, as the agent reports it. */
  stateDir: string;
}

/** Long enough to finish writing a system image when the Pod is deleted. */
const UPGRADE_GRACE_SECONDS = 600;

type Kind = 'job' | 'preflight' | 'pull';

export const objectName = (nodeOp: ParsedNodeOp, node: string, kind: Kind): string =>
  boundedName(
    kind === 'job' ? `${nodeOp.meta.name}-${node}` : `${nodeOp.meta.name}-${kind}-${node}`,
    nodeOp.meta.uid,
    String(attemptOn(nodeOp, node)),
  );

function metadata(nodeOp: ParsedNodeOp, node: string, kind: Kind) {
  return {
    name: objectName(nodeOp, node, kind),
    namespace: nodeOp.namespace,
    labels: {
      ...POD_LABELS,
      [LABELS.nodeOp]: boundedLabelValue(nodeOp.meta.name),
      [LABELS.node]: boundedLabelValue(node),
      [LABELS.nodeOpUid]: nodeOp.meta.uid,
      ...(kind === 'job' ? {} : { [kind === 'preflight' ? LABELS.preflight : LABELS.pull]: 'true' }),
    },
    annotations: { [ANNOTATIONS.nodeOpName]: nodeOp.meta.name, [ANNOTATIONS.nodeName]: node },
    ownerReferences: [controllerReference(NODE_OP, { metadata: nodeOp.meta })],
  };
}

function podMetadata(nodeOp: ParsedNodeOp, node: string, kind: Kind) {
  const meta = metadata(nodeOp, node, kind);
  return { ...meta, annotations: { ...POD_ANNOTATIONS, ...meta.annotations } };
}

/** Bypasses the scheduler and tolerates every taint: a cordoned node must still run the Pod. */
const onNode = (nodeOp: ParsedNodeOp, node: string) => ({
  nodeName: node,
  restartPolicy: 'Never',
  tolerations: [{ operator: 'Exists' }],
  ...(nodeOp.spec.imagePullSecrets ? { imagePullSecrets: nodeOp.spec.imagePullSecrets } : {}),
});

/**
 * Containers that read or write the host. The SELinux and AppArmor profiles of ordinary containers forbid that even to root, and a privileged
 * container is the only one that is exempt from both on every runtime. It gains nothing that the Job of the same operation does not have.
 */
const PRIVILEGED = { privileged: true } as const;

const hostVolume = { name: VOLUMES.host, hostPath: { path: '/' } };

/** The user's command, privileged, with the host's root at hostMountPath. */
const workContainer = (nodeOp: ParsedNodeOp, { image }: JobSettings) => ({
  name: CONTAINERS.work,
  image,
  command: nodeOp.spec.command,
  env: [{ name: 'HOST_DIR', value: nodeOp.spec.hostMountPath }],
  securityContext: PRIVILEGED,
  terminationMessagePolicy: 'FallbackToLogsOnError',
  volumeMounts: [{ name: VOLUMES.host, mountPath: nodeOp.spec.hostMountPath }],
});

/** Runs only after the command succeeded, and leaves a file on the host that permits the agent to reboot. */
const sentinelContainer = ({ sentinel }: JobSettings) => ({
  name: CONTAINERS.sentinel,
  image: sentinel.image,
  /* It was pulled before the node was disturbed, and the registry may not be reachable any more. */
  imagePullPolicy: 'IfNotPresent',
  command: sentinel.command,
  env: [
    { name: 'JOB_NAME', valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-name']" } } },
    { name: 'SENTINEL_DIR', value: SENTINEL_MOUNT },
  ],
  securityContext: { ...PRIVILEGED, runAsUser: 0, readOnlyRootFilesystem: true },
  terminationMessagePolicy: 'FallbackToLogsOnError',
  volumeMounts: [{ name: VOLUMES.sentinel, mountPath: SENTINEL_MOUNT }],
});

/**
 * The kubelet of a full node ends workloads for a critical Pod, past their budgets. Where the node is drained, or goes down anyway, the command
 * must run; where it is to go on serving its workloads, they come first.
 */
function priorityClassOf({ priorityClassName, cordon, drainOptions, rebootOnSuccess }: ParsedNodeOp['spec']) {
  const endsWorkloads = rebootOnSuccess || (cordon && drainOptions?.enabled === true);
  const name = priorityClassName ?? (endsWorkloads ? 'system-node-critical' : undefined);
  return name === undefined ? {} : { priorityClassName: name };
}

function podSpec(nodeOp: ParsedNodeOp, node: string, settings: JobSettings) {
  const work = workContainer(nodeOp, settings);
  const base = {
    ...onNode(nodeOp, node),
    ...priorityClassOf(nodeOp.spec),
    ...(nodeOp.isUpgrade ? { terminationGracePeriodSeconds: UPGRADE_GRACE_SECONDS } : {}),
  };
  if (!nodeOp.spec.rebootOnSuccess) return { ...base, containers: [work], volumes: [hostVolume] };
  return {
    ...base,
    initContainers: [work],
    containers: [sentinelContainer(settings)],
    volumes: [hostVolume, { name: VOLUMES.sentinel, hostPath: { path: settings.stateDir, type: 'DirectoryOrCreate' } }],
  };
}

const FAILED = { operator: 'NotIn', values: [0] } as const;

/**
 * What the Job controller does about a failed Pod; the first rule that matches decides. Only a command that has failed itself is repeated, up
 * to backoffLimit. A Pod that fails after its command has succeeded, whatever the cause, ends the Job: by the condition
 * `Initialized` where no container ran after it. Without a reboot the command is no init container, so that an added one that fails precedes
 * it; with a reboot, an added one may also follow it. A Pod that was evicted before its containers could start uses up no retry.
 */
const podFailurePolicy = ({ rebootOnSuccess }: ParsedNodeOp['spec']) => ({
  rules: [
    { action: 'Count', onExitCodes: { containerName: CONTAINERS.work, ...FAILED } },
    ...(rebootOnSuccess ? [] : [{ action: 'Count', onPodConditions: [{ type: 'Initialized', status: 'False' }] }]),
    ...(rebootOnSuccess ? [{ action: 'FailJob', onExitCodes: { containerName: CONTAINERS.sentinel, ...FAILED } }] : []),
    { action: 'FailJob', onExitCodes: FAILED },
    ...(rebootOnSuccess ? [{ action: 'FailJob', onPodConditions: [{ type: 'Initialized', status: 'True' }] }] : []),
    { action: 'Count', onPodConditions: [{ type: 'PodReadyToStartContainers', status: 'True' }] },
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  ],
});

/**
 * Created suspended, so that its uid is recorded in the ledger before it can run. The finalizer and a time to live that is set only at the end
 * keep it until its result is recorded: a Job that is garbage-collected before would look like one that was deleted.
 */
export function jobFor(nodeOp: ParsedNodeOp, node: string, settings: JobSettings) {
  const meta = metadata(nodeOp, node, 'job');
  const { activeDeadlineSeconds, backoffLimit } = nodeOp.spec;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...meta,
      annotations: { ...meta.annotations, [ANNOTATIONS.resumes]: '0' },
      finalizers: [FINALIZERS.job],
    },
    spec: {
      suspend: true,
      completions: 1,
      parallelism: 1,
      backoffLimit,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: podFailurePolicy(nodeOp.spec),
      ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }),
      template: {
        metadata: { labels: meta.labels, annotations: { ...POD_ANNOTATIONS, ...meta.annotations } },
        spec: podSpec(nodeOp, node, settings),
      },
    },
  };
}

/**
 * Pulls the images of the Job onto the node. Whether the containers can start and what they do is irrelevant. Like every helper Pod it has no priority,
 * because the kubelet of a full node would end workloads for it, and no limits, which a LimitRange might refuse.
 */
export const pullPodFor = (nodeOp: ParsedNodeOp, node: string, { image, sentinel }: JobSettings) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: podMetadata(nodeOp, node, 'pull'),
  spec: {
    ...onNode(nodeOp, node),
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    containers: [
      { name: CONTAINERS.pull, image, command: ['true'] },
      ...(nodeOp.spec.rebootOnSuccess
        ? [{ name: CONTAINERS.pullSentinel, image: sentinel.image, imagePullPolicy: 'IfNotPresent', command: ['true'] }]
        : []),
    ],
  },
});

/** Runs the user's check with the host's root mounted read-only. */
export const preflightPodFor = (nodeOp: ParsedNodeOp, node: string, { image }: JobSettings) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: podMetadata(nodeOp, node, 'preflight'),
  spec: {
    ...onNode(nodeOp, node),
    containers: [
      {
        name: CONTAINERS.preflight,
        image: nodeOp.spec.preflight?.image ?? image,
        command: nodeOp.spec.preflight?.command ?? [],
        env: [{ name: 'HOST_DIR', value: nodeOp.spec.hostMountPath }],
        securityContext: PRIVILEGED,
        volumeMounts: [{ name: VOLUMES.host, mountPath: nodeOp.spec.hostMountPath, readOnly: true }],
      },
    ],
    volumes: [hostVolume],
  },
});
