/** Objects with defaults that suit these tests. */
import { NodeOpSpec, type NodeOpStatus } from '../../../api/nodeop.js';
import { NodeOpUpgradeSpec, type NodeOpUpgradeStatus } from '../../../api/nodeop-upgrade.js';
import type { NodeOp, NodeOpUpgrade } from '../../../api/objects.js';
import { NODE_OP_UPGRADE } from '../../../api/kinds.js';
import { controllerReference } from '../../../kube/owner.js';
import type { ContainerStatus, CachedPod } from '../../../controller/cluster/pod.js';
import type { CachedNode } from '../../../controller/cluster/node.js';
import type { Facts, Target } from '../../../controller/upgrade/facts.js';
import { probeName } from '../../../controller/upgrade/probe-pod.js';

export const NOW = new Date('2026-03-01T12:00:00.000Z');
export const secondsAgo = (seconds: number) => new Date(NOW.getTime() - seconds * 1000).toISOString();

export const IMAGE = 'quay.io/kairos/debian:v2';
export const DIGEST = `sha256:${'a'.repeat(64)}`;

export const spec = (more: Record<string, unknown> = {}): NodeOpUpgradeSpec =>
  NodeOpUpgradeSpec.parse({ image: IMAGE, ...more });

export const upgrade = (
  more: { spec?: Record<string, unknown>; status?: NodeOpUpgradeStatus; deletionTimestamp?: string } = {},
): NodeOpUpgrade => ({
  metadata: {
    name: 'to-v2',
    namespace: 'default',
    uid: 'uid-of-upgrade',
    resourceVersion: '5',
    generation: 1,
    deletionTimestamp: more.deletionTimestamp,
  },
  spec: spec(more.spec),
  status: more.status,
});

export const nodeOp = (status?: NodeOpStatus, more: Partial<NodeOp['metadata']> = {}): NodeOp => ({
  metadata: {
    name: 'to-v2',
    namespace: 'default',
    uid: 'uid-of-nodeop',
    resourceVersion: '7',
    ownerReferences: [controllerReference(NODE_OP_UPGRADE, upgrade())],
    ...more,
  },
  spec: NodeOpSpec.parse({ command: ['true'], cordon: true }),
  status,
});

export const node = (
  name: string,
  more: { arch?: string; ready?: boolean; labels?: Record<string, string> } = {},
): CachedNode => ({
  metadata: {
    name,
    uid: `uid-of-${name}`,
    resourceVersion: '1',
    labels: { 'kubernetes.io/os': 'linux', ...more.labels },
  },
  status: {
    conditions: [{ type: 'Ready', status: more.ready === false ? 'False' : 'True' }],
    nodeInfo: { architecture: more.arch ?? 'amd64', operatingSystem: 'linux' },
  },
});

export const target = (name: string, more: Partial<Target> = {}): Target => ({
  node: name,
  arch: 'amd64',
  ready: true,
  ...more,
});

interface ProbeTraits {
  arch?: string;
  node?: string;
  image?: string;
  ageSeconds?: number;
  terminating?: boolean;
  copy?: true;
  container?: Partial<ContainerStatus>;
  status?: Partial<CachedPod['status']>;
}

export function probe(seen: ProbeTraits = {}): CachedPod {
  const { arch = 'amd64', node: on = 'n1', image = IMAGE, ageSeconds = 5, copy, container, status } = seen;
  return {
    metadata: {
      name: probeName(upgrade().metadata, image, { arch, node: on, copy }),
      namespace: 'default',
      uid: `uid-of-probe-${arch}-${on}`,
      resourceVersion: '3',
      creationTimestamp: secondsAgo(ageSeconds),
      deletionTimestamp: seen.terminating ? secondsAgo(0) : undefined,
      labels: { 'operator.kairos.io/probe': arch },
      ownerReferences: [controllerReference(NODE_OP_UPGRADE, upgrade())],
    },
    spec: { nodeName: on },
    status: {
      phase: 'Pending',
      containerStatuses: container ? [{ name: 'probe', ...container }] : [],
      ...status,
    },
  };
}

export const ended = (message: string, exitCode = 0): Partial<ContainerStatus> => ({
  imageID: `quay.io/kairos/debian@${DIGEST}`,
  state: { terminated: { exitCode, message, reason: exitCode === 0 ? 'Completed' : 'Error' } },
});

export const waiting = (reason: string, message?: string): Partial<ContainerStatus> => ({
  state: { waiting: { reason, message } },
});

export const RELEASE =
  'KAIROS_VERSION="v2"\nKAIROS_SOFTWARE_VERSION="v1.34.4+k3s1"\nKAIROS_SOFTWARE_VERSION_PREFIX="k3s"\nKAIROS_ARCH="amd64"\n';
export const TRIPLE = 'v2-k3sv1.34.4+k3s1';

export const facts = (more: Partial<Facts> = {}): Facts => {
  const of = more.upgrade ?? upgrade();
  return {
    now: NOW,
    upgrade: of,
    spec: of.spec,
    nodeOp: { is: 'absent' },
    targets: [target('n1')],
    probes: [],
    ...more,
  };
};

/** Status of an upgrade that has been reading its image for that many seconds. */
export const probingFor = (seconds: number): NodeOpUpgradeStatus => ({
  phase: 'Initializing',
  conditions: [
    { type: 'Reconciling', status: 'True', reason: 'Probing', message: '', lastTransitionTime: secondsAgo(seconds) },
  ],
});
