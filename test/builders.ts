/** Objects with defaults, so that a test names only the fields it is about. */
import type { Operation } from '../api/node-agent.js';
import type { NodeAgent, NodeOp } from '../api/objects.js';
import type { Facts } from '../controller/nodeop/facts/facts.js';
import { parseNodeOp, type ParsedNodeOp } from '../controller/nodeop/facts/parsed-nodeop.js';
import type { CachedJob } from '../controller/cluster/job.js';
import type { CachedNode } from '../controller/cluster/node.js';
import type { CachedPod } from '../controller/cluster/pod.js';

export const NOW = new Date('2026-06-01T12:00:00.000Z');
export const secondsAgo = (seconds: number): string => new Date(NOW.getTime() - seconds * 1000).toISOString();

const meta = (name: string, more: object = {}) => ({ name, uid: `uid-${name}`, resourceVersion: '1', ...more });

export function op(spec: object = {}, more: { status?: NodeOp['status']; metadata?: object } = {}): NodeOp {
  const whole: object = {
    metadata: meta('op', { namespace: 'default', generation: 1, ...more.metadata }),
    spec: { image: 'registry.example/tool:1', command: ['true'], ...spec },
    status: more.status,
  };
  return whole as NodeOp;
}

export function parsed(object: NodeOp): ParsedNodeOp {
  const read = parseNodeOp(object);
  if (read.fault !== undefined) throw new Error(read.fault);
  return read.nodeOp;
}

export const nodeOp = (spec: object = {}, more: Parameters<typeof op>[1] = {}): ParsedNodeOp => parsed(op(spec, more));

export interface NodeTraits {
  ready?: boolean;
  bootId?: string;
  cordoned?: boolean;
  mark?: string;
  controlPlane?: boolean;
  images?: string[];
  labels?: Record<string, string>;
  uid?: string;
  systemUUID?: string;
  machineID?: string;
}

export function node(name = 'n1', traits: NodeTraits = {}): CachedNode {
  const { ready = true, bootId = 'boot-1', cordoned = false, mark, controlPlane = false, images = [] } = traits;
  const { systemUUID, machineID } = traits;
  const machine = { ...(systemUUID ? { systemUUID } : {}), ...(machineID ? { machineID } : {}) };
  return {
    metadata: meta(name, {
      ...(traits.uid ? { uid: traits.uid } : {}),
      labels: {
        'kubernetes.io/os': 'linux',
        ...(controlPlane ? { 'node-role.kubernetes.io/control-plane': '' } : {}),
        ...traits.labels,
      },
      annotations: mark === undefined ? undefined : { 'operator.kairos.io/cordoned-by': mark },
    }),
    spec: { unschedulable: cordoned || undefined },
    status: {
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      nodeInfo: { bootID: bootId, architecture: 'amd64', operatingSystem: 'linux', ...machine },
      images: [{ names: images }],
    },
  };
}

export interface PodTraits {
  owner?: { kind: string; uid: string; name?: string; apiVersion?: string; controller?: boolean };
  ready?: boolean;
  containerId?: string;
  emptyDir?: boolean;
  /** True, or the seconds since the end of its grace period. */
  terminating?: boolean | number;
  phase?: string;
  labels?: Record<string, string>;
  namespace?: string;
  annotations?: Record<string, string>;
  containers?: NonNullable<CachedPod['status']['containerStatuses']>;
  initContainers?: NonNullable<CachedPod['status']['initContainerStatuses']>;
  /** Reason and message of the kubelet that ended the Pod. */
  reason?: string;
  message?: string;
  createdAt?: string;
  conditions?: CachedPod['status']['conditions'];
}

export function pod(name: string, traits: PodTraits = {}): CachedPod {
  const { owner, ready = true, emptyDir = false, terminating = false } = traits;
  return {
    metadata: meta(name, {
      namespace: traits.namespace ?? 'default',
      labels: traits.labels,
      annotations: traits.annotations,
      deletionTimestamp: terminating === false ? undefined : secondsAgo(Number(terminating)),
      creationTimestamp: traits.createdAt,
      ownerReferences: owner ? [{ apiVersion: 'apps/v1', name: 'owner', controller: true, ...owner }] : undefined,
    }),
    spec: { nodeName: 'n1', volumes: emptyDir ? [{ name: 'cache', emptyDir: {} }] : [] },
    status: {
      phase: traits.phase ?? 'Running',
      reason: traits.reason,
      message: traits.message,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }, ...(traits.conditions ?? [])],
      initContainerStatuses: traits.initContainers,
      containerStatuses: traits.containers ?? [
        { name: 'main', containerID: traits.containerId ?? `id-${name}`, state: { running: {} } },
      ],
    },
  };
}

/** A Pod of the Job whose command runs. */
export const commandPod = (traits: PodTraits = {}): CachedPod =>
  pod('job-x', { containers: [{ name: 'nodeop', state: { running: {} } }], ...traits });

export const replicated = { owner: { kind: 'ReplicaSet', uid: 'rs' } };

export function job(
  state: 'suspended' | 'running' | 'complete' | 'failed',
  reason = 'BackoffLimitExceeded',
): CachedJob {
  const type = state === 'complete' ? 'Complete' : 'Failed';
  const ended = state === 'complete' || state === 'failed';
  return {
    metadata: meta('job', { namespace: 'default' }),
    spec: { suspend: state === 'suspended' },
    status: { conditions: ended ? [{ type, status: 'True', reason }] : [] },
  };
}

export function ledger(entry: Partial<Operation> = {}): Operation {
  return {
    id: 'uid-op-1',
    nodeOp: { namespace: 'default', name: 'op', uid: 'uid-op' },
    nodeUid: 'uid-n1',
    step: 'Claim',
    stepTimes: { Claim: secondsAgo(10) },
    ...entry,
  };
}

/** A ledger that reached this step `seconds` ago. */
export const reached = (step: Operation['step'], entry: Partial<Operation> = {}, seconds = 5): Operation =>
  ledger({ step, stepTimes: { Claim: secondsAgo(seconds + 5), [step]: secondsAgo(seconds) }, ...entry });

/** A ledger that reached this step `seconds` ago and has recorded a Job. */
export const ran = (step: Operation['step'], entry: Partial<Operation> = {}, seconds = 5): Operation =>
  reached(
    step,
    {
      job: { name: 'job', uid: 'uid-job' },
      bootIdBefore: 'boot-1',
      ...entry,
      stepTimes: { Claim: secondsAgo(900), Run: secondsAgo(800), [step]: secondsAgo(seconds), ...entry.stepTimes },
    },
    seconds,
  );

export function nodeAgent(status: NodeAgent['status'] = {}, operation?: Operation): NodeAgent {
  return {
    metadata: meta('n1'),
    spec: { labels: true, operation },
    status: {
      boot: { id: 'boot-1', since: secondsAgo(3600), state: 'active' },
      operation: { id: 'uid-op-1' },
      ...status,
    },
  };
}

/** Facts about a node of a NodeOp with this spec. By default the node is claimed and its agent has answered. */
export function facts(spec: object = {}, observed: Partial<Facts> = {}): Facts {
  const whole = nodeOp(spec);
  return {
    name: 'n1',
    now: NOW,
    nodeOp: whole,
    node: node(),
    agent: nodeAgent({}, observed.ledger),
    ledger: ledger(),
    hasTurn: false,
    jobPods: [],
    pods: [],
    evictionRefusals: new Map(),
    replacements: new Set(),
    budgets: [],
    daemonSets: new Set(['ds']),
    otherControlPlanes: {},
    isSystemUUIDShared: false,
    hasOtherSchedulableNode: true,
    isMarkOwnerActive: true,
    isReported: false,
    image: whole.spec.image ?? 'busybox:latest',
    ownNamespace: 'operator-system',
    ...observed,
  };
}
