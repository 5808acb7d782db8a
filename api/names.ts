/** Every published name: labels, annotations, finalizers, containers, volumes, directories and leases. */

export const LABELS = {
  /** On Jobs and helper Pods: name of the NodeOp, hashed when it is too long for a label value. */
  nodeOp: 'kairos.io/nodeop',
  /** On Jobs and helper Pods: name of the node, hashed when it is too long for a label value. */
  node: 'kairos.io/node',
  /** On preflight Pods: "true". */
  preflight: 'kairos.io/preflight',
  /** On pull Pods: "true". */
  pull: 'operator.kairos.io/pull',
  /** On probe Pods of an upgrade: the CPU architecture that the Pod reads the image for. */
  probe: 'operator.kairos.io/probe',
  /** On the reboot Pods of the Go operator, which a drain must not evict. */
  reboot: 'kairos.io/reboot',
  /** On Jobs and helper Pods: UID of the NodeOp, since names may be hashed. */
  nodeOpUid: 'operator.kairos.io/nodeop-uid',
  /** On the NodeOp of an upgrade: name of the NodeOpUpgrade. */
  upgrade: 'nodeopupgrade.kairos.io/name',
  /** On Pods that build or export an OSArtifact: name of the OSArtifact. */
  artifact: 'build.kairos.io/artifact',
  /** On the Pods of the operator's own programs. */
  program: 'app.kubernetes.io/name',
  managedBy: 'app.kubernetes.io/managed-by',
  /** On every object that the operator creates and that does something: "true" makes Velero leave it out of backups. */
  noBackup: 'velero.io/exclude-from-backup',
  /** On Nodes: "false" prevents the agent from labeling the Node. */
  managed: 'kairos.io/managed',
} as const;

/** Value of `app.kubernetes.io/name` on the Pods of controller, webhook and agent. */
export const PROGRAM_NAME = 'kairos-operator';

/** Value of `app.kubernetes.io/managed-by` on the NodeOp of an upgrade. */
export const UPGRADE_MANAGER = 'nodeopupgrade-controller';

export const ANNOTATIONS = {
  /** On Nodes: `<namespace>/<name>@<uid>` of the NodeOp that cordoned the Node. */
  cordonedBy: 'operator.kairos.io/cordoned-by',
  /** On Jobs and helper Pods: full name of the NodeOp and of the node, since the labels may be hashed. */
  nodeOpName: 'operator.kairos.io/nodeop-name',
  nodeName: 'operator.kairos.io/node-name',
  /** On Jobs: how often the operator has resumed them, written by the change that does. */
  resumes: 'operator.kairos.io/resumes',
  /** On NodeOps, NodeOpUpgrades and OSArtifacts that were started: their own uid. Another uid is that of the object they were restored from. */
  started: 'operator.kairos.io/started',
  /** On a finished operation: a new value retries the nodes that failed or never started. */
  retry: 'operator.kairos.io/retry',
  /** On a terminating operation: skips all waiting. */
  abandon: 'operator.kairos.io/abandon',
  /** On the Pod and the Jobs of an OSArtifact: the build that they belong to. */
  build: 'build.kairos.io/build',
  /** On the build Pod: number of the attempt of the build. */
  attempt: 'build.kairos.io/attempt',
  /** On the PersistentVolumeClaim of a build: hash of the spec that it was created with. */
  claimSpec: 'build.kairos.io/claim-spec',
  /** On export Jobs: index of the exporter in the spec. */
  exportIndex: 'build.kairos.io/export-index',
} as const;

export const FINALIZERS = {
  /** On a NodeOp and a NodeAgent while the node is claimed. */
  claimed: 'operator.kairos.io/claimed',
  /** On the Job of a node until its result is in the status of the NodeOp. */
  job: 'operator.kairos.io/unrecorded',
} as const;

/** A node with any of these labels is a control-plane node. */
export const CONTROL_PLANE_LABELS = [
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/master',
  'node-role.kubernetes.io/etcd',
] as const;

/** Set by the kubelet on each Node: its CPU architecture, as Go names it. */
export const ARCHITECTURE_LABEL = 'kubernetes.io/arch';

/** Names of the containers whose end decides the outcome of a Pod. */
export const CONTAINERS = {
  work: 'nodeop',
  sentinel: 'sentinel-creator',
  preflight: 'preflight',
  pull: 'pull',
  pullSentinel: 'pull-sentinel',
  probe: 'probe',
  /** The last container of a builder Pod. */
  listArtifacts: 'list-artifacts',
} as const;

/** Names of the volumes in Jobs. */
export const VOLUMES = { host: 'host-root', sentinel: 'sentinel-volume' } as const;

/** Directory in which a Job with reboot writes its sentinel, the record that it succeeded. */
export const SENTINEL_MOUNT = '/sentinel';
/** State directory on a Kairos host; it survives a reboot. */
export const KAIROS_STATE_DIR = '/usr/local/.kairos';
/** State directory on other hosts. */
export const FALLBACK_STATE_DIR = '/var/lib/kairos-operator';

/** Leader election lease. It has the name of the Go operator's lease, so that the two operators never lead at the same time. */
export const LEADER_LEASE = 'ce9721c3.kairos.io';
/** Held by the operation that may disrupt a control-plane node; there is one at a time in the cluster. */
export const CONTROL_PLANE_LEASE = 'operator-control-plane';
