/** Every label, annotation, finalizer, container and file name that somebody outside may see or select by. */

export const LABELS = {
  /** On Jobs and helper Pods: the NodeOp's name, hashed when longer than a label value may be. */
  nodeOp: 'kairos.io/nodeop',
  /** On Jobs and helper Pods: the node's name, hashed when too long. */
  node: 'kairos.io/node',
  /** On a preflight Pod: "true". */
  preflight: 'kairos.io/preflight',
  /** On a pull Pod: "true". */
  pull: 'operator.kairos.io/pull',
  /** On a probe Pod of an upgrade: the CPU architecture it stands for. */
  probe: 'operator.kairos.io/probe',
  /** On the reboot Pods of the Go operator: a drain spares them. */
  reboot: 'kairos.io/reboot',
  /** On Jobs and helper Pods: uid of the NodeOp, since names may be hashed. */
  nodeOpUid: 'operator.kairos.io/nodeop-uid',
  /** On the NodeOp of an upgrade. */
  upgrade: 'nodeopupgrade.kairos.io/name',
  /** On the Pods that build or export an OSArtifact: its name. */
  artifact: 'build.kairos.io/artifact',
  managedBy: 'app.kubernetes.io/managed-by',
  /** On a node: false keeps the operator's labels off it. */
  managed: 'kairos.io/managed',
} as const;

export const UPGRADE_MANAGER = 'nodeopupgrade-controller';

export const ANNOTATIONS = {
  /** On a node: `<namespace>/<name>@<uid>` of the NodeOp that cordoned it. */
  cordonedBy: 'operator.kairos.io/cordoned-by',
  /** On Jobs and helper Pods: the full names behind hashed labels. */
  nodeOpName: 'operator.kairos.io/nodeop-name',
  nodeName: 'operator.kairos.io/node-name',
  /** On a finished object, with a new value: run failed and never-started nodes again. */
  retry: 'operator.kairos.io/retry',
  /** On an object being deleted: do not wait for anything. */
  abandon: 'operator.kairos.io/abandon',
  /** On the Pod and the Jobs of an OSArtifact: which build they belong to. */
  build: 'build.kairos.io/build',
  /** On the Pod that builds: how many of them the build has had. */
  attempt: 'build.kairos.io/attempt',
  /** On the claim that is built in: a hash of the spec it was made with. */
  claimSpec: 'build.kairos.io/claim-spec',
  /** On the Jobs that export: which of the exporters. */
  exportIndex: 'build.kairos.io/export-index',
} as const;

export const FINALIZERS = {
  /** On a NodeOp and on a NodeAgent, while a node is claimed. */
  claimed: 'operator.kairos.io/claimed',
} as const;

/** A node is a control plane when it carries any of these. */
export const CONTROL_PLANE_LABELS = [
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/master',
  'node-role.kubernetes.io/etcd',
] as const;

export const CONTAINERS = {
  work: 'nodeop',
  sentinel: 'sentinel-creator',
  preflight: 'preflight',
  pull: 'pull',
  probe: 'probe',
} as const;

export const VOLUMES = { host: 'host-root', sentinel: 'sentinel-volume' } as const;

/** Where a Job with reboot leaves its word that it succeeded. */
export const SENTINEL_MOUNT = '/sentinel';
/** State folder on a Kairos host; it survives a reboot. */
export const KAIROS_STATE_DIR = '/usr/local/.kairos';
/** State folder elsewhere. */
export const FALLBACK_STATE_DIR = '/var/lib/kairos-operator';

/** Leader lease, the Go operator's, so that the two never lead together. */
export const LEADER_LEASE = 'ce9721c3.kairos.io';
/** Held by the one walk, of all operations, that may disturb a control plane. */
export const CONTROL_PLANE_LEASE = 'operator-control-plane';
