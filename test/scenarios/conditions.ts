/** Conditions of real clusters that a case may draw, as data that can be printed, and what each of them changes in a fake cluster. */
import { LABELS } from '../../api/names.js';
import type { Reason } from '../../api/reasons.js';
import { KubeError } from '../../kube/errors.js';
import { anyOf } from '../fakes/cluster/admission-policies.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { PULL_ERRORS } from '../fakes/cluster/image-pulls.js';
import { ENDINGS, REJECTIONS } from '../fakes/cluster/kubelet-admission.js';
import type { DiskTrouble } from '../fakes/cluster/machine.js';
import {
  addMetadata,
  defaultLimits,
  inTurn,
  type MutatingAdmission,
  rewriteImages,
  setTtl,
} from '../fakes/cluster/mutating-admission.js';
import type { ClusterOptions, NodeOptions } from '../fakes/cluster/object-builders.js';
import type { PodObject } from '../fakes/cluster/object-types.js';

export type Condition =
  /** A webhook adds a container to every Pod of the operator; it has no end unless `seconds` are given. */
  | {
      kind: 'sidecar';
      as: 'container' | 'initContainer' | 'initSidecar';
      seconds?: number;
      exitCode?: number;
      isPullable: boolean;
    }
  | { kind: 'mutation'; of: 'labels' | 'limits' | 'images' | 'ttl' }
  /** A policy refuses these writes for a while. */
  | { kind: 'policy'; refuses: 'pods' | 'jobs' | 'evictions'; at: number; seconds: number }
  /** Each kubelet rejects so many Pods of the operator. */
  | { kind: 'rejection'; reason: keyof typeof REJECTIONS; times: number }
  /** Each kubelet admits so many Pods. */
  | { kind: 'fullNodes'; maxPods: number }
  /** Kubelets end all Pods of the operator at this time. */
  | { kind: 'ending'; reason: keyof typeof ENDINGS; at: number }
  /** What becomes of Pods that are never restarted when the power was cut between two of their containers. */
  | { kind: 'lostSandbox'; then: 'hangs' | 'fails' }
  | { kind: 'disk'; trouble: DiskTrouble | 'selinux'; at: number }
  /** An image cannot be pulled before this time, counted from the start of the cluster. */
  | { kind: 'pull'; image: 'command' | 'sentinel'; error: keyof typeof PULL_ERRORS; until: number }
  /** A DaemonSet no longer wants a node after its boot. */
  | { kind: 'daemonSetLabels' }
  /** Static Pods of control planes are Ready so late after a boot; never, if infinite. */
  | { kind: 'staticPods'; readySeconds: number }
  | { kind: 'clocks'; controllers: readonly [number, number]; machines: number }
  | { kind: 'slowCalls'; of: 'evictions' | 'workloads' | 'all'; seconds: number };

export interface ConditionEffect {
  /** Options of the cluster; made anew for each run, because some of them count. */
  change?: (options: ClusterOptions) => ClusterOptions;
  /** Called on the running cluster, just before the operation is created. */
  begin?: (cluster: FakeCluster) => void;
  /** The reasons with which a node may fail for it. */
  reasons: readonly Reason[];
  /** How much longer each node may take for it. */
  seconds: number;
}

export const isOperatorPod = ({ metadata: { labels } }: PodObject) =>
  labels?.[LABELS.nodeOpUid] !== undefined || labels?.[LABELS.probe] !== undefined;

const onNodes = (options: ClusterOptions, change: (node: NodeOptions) => NodeOptions): ClusterOptions => ({
  ...options,
  nodes: options.nodes.map(change),
});

type Of<K extends Condition['kind']> = Extract<Condition, { kind: K }>;

function sidecar({ as, seconds, exitCode, isPullable }: Of<'sidecar'>): ConditionEffect {
  const pullError = isPullable ? undefined : PULL_ERRORS.unauthorized('registry.example/istio-proxy:1');
  const added = { name: 'istio-proxy', as, seconds, exitCode, pullError };
  /* An added init container that never ends or fails keeps every Pod from its own containers. */
  const isObstacle = !isPullable || (as === 'initContainer' && (seconds === undefined || exitCode !== undefined));
  const reasons: Reason[] = ['NotStarted', 'ImagePullFailed', 'JobFailed', 'PreflightTimeout'];
  return {
    change: options => ({ ...options, sidecars: [...(options.sidecars ?? []), added] }),
    reasons: isObstacle ? reasons : [],
    seconds: 120,
  };
}

const MIRROR = (image: string) => image.replace('registry.example/', 'mirror.example/');

const MUTATIONS: Record<Of<'mutation'>['of'], MutatingAdmission> = {
  labels: { pods: addMetadata({ labels: { team: 'a' } }), jobs: addMetadata({ labels: { team: 'a' } }) },
  limits: { pods: defaultLimits({ cpu: '500m', memory: '64Mi' }) },
  images: { pods: rewriteImages(MIRROR) },
  ttl: { jobs: setTtl(0) },
};

function merged(one: MutatingAdmission, other: MutatingAdmission): MutatingAdmission {
  const plurals = new Set([...Object.keys(one), ...Object.keys(other)]);
  const steps = (plural: string) => [one[plural], other[plural]].flatMap(each => (each ? [each] : []));
  return Object.fromEntries([...plurals].map(plural => [plural, inTurn(...steps(plural))]));
}

function mutation({ of }: Of<'mutation'>): ConditionEffect {
  const change = (options: ClusterOptions): ClusterOptions => {
    const { images = {}, mutating = {} } = options;
    const mirrored = Object.fromEntries(Object.entries(images).map(([image, traits]) => [MIRROR(image), traits]));
    return { ...options, mutating: merged(mutating, MUTATIONS[of]), images: { ...images, ...mirrored } };
  };
  return { change, reasons: [], seconds: 0 };
}

function policy({ refuses, at, seconds }: Of<'policy'>): ConditionEffect {
  const begin = ({ api, clock }: FakeCluster) => {
    const from = clock.monotonic() / 1000 + at;
    const isInForce = () => clock.monotonic() / 1000 >= from && clock.monotonic() / 1000 < from + seconds;
    const refuse: typeof api.admission = ({ verb, plural }) => {
      const what = verb === 'evict' ? 'evictions' : plural;
      if (what !== refuses || !isInForce()) return undefined;
      return new KubeError(400, 'admission webhook "validate.policy.example" denied the request: not now');
    };
    api.admission = anyOf(api.admission, refuse);
  };
  const reasons: Reason[] = refuses === 'evictions' ? ['DrainTimeout'] : ['PodRefused', 'NotStarted', 'ProbeFailed'];
  return { begin, reasons, seconds };
}

function rejection({ reason, times }: Of<'rejection'>): ConditionEffect {
  const change = (options: ClusterOptions): ClusterOptions => {
    const left = new Map<string, number>();
    const rejects = (pod: PodObject, node: string) => {
      const more = left.get(node) ?? times;
      if (!isOperatorPod(pod) || more === 0) return undefined;
      left.set(node, more - 1);
      return REJECTIONS[reason];
    };
    return { ...options, rejects };
  };
  return { change, reasons: ['NotStarted', 'JobFailed', 'ProbeFailed'], seconds: 60 * Math.min(times, 10) };
}

function ending({ reason, at }: Of<'ending'>): ConditionEffect {
  const begin = (cluster: FakeCluster) => {
    const end = () => {
      for (const { name } of cluster.machines.values())
        if (cluster.machine(name).up) cluster.kubelet(name).endPods(ENDINGS[reason], isOperatorPod);
    };
    cluster.clock.callAfter(at * 1000, end);
  };
  return { begin, reasons: ['JobFailed', 'NotStarted', 'SentinelFailed', 'ProbeFailed'], seconds: 60 };
}

function disk({ trouble, at }: Of<'disk'>): ConditionEffect {
  const begin = (cluster: FakeCluster) => {
    for (const machine of cluster.machines.values())
      if (trouble === 'selinux') machine.enforcesSelinux = true;
      else cluster.clock.callAfter(at * 1000, () => machine.breakDisk(trouble));
  };
  const reasons: Reason[] = ['StateDirNotWritable', 'SentinelFailed', 'NotRebooted'];
  return { begin, reasons: trouble === 'selinux' ? [] : reasons, seconds: 60 };
}

const IMAGES = {
  command: ['registry.example/tool:1', 'registry.example/kairos:2'],
  sentinel: ['registry.example/agent:1'],
};

function pull({ image, error, until }: Of<'pull'>): ConditionEffect {
  const change = (options: ClusterOptions): ClusterOptions => {
    const trouble = (name: string) => ({
      ...options.images?.[name],
      error: PULL_ERRORS[error](name),
      backsOff: true,
      errorUntilSeconds: until,
    });
    return {
      ...options,
      images: { ...options.images, ...Object.fromEntries(IMAGES[image].map(name => [name, trouble(name)])) },
    };
  };
  return { change, reasons: ['ImagePullFailed', 'NotStarted', 'PreflightTimeout'], seconds: 300 };
}

function daemonSetLabels(): ConditionEffect {
  return {
    change: options => ({
      ...onNodes(options, node => ({ ...node, labels: { ...node.labels, driver: 'old' } })),
      daemonSets: [...(options.daemonSets ?? []), { name: 'driver', nodeSelector: { driver: 'old' } }],
    }),
    begin: ({ machines }) => {
      for (const machine of machines.values())
        machine.changesAtBoot = { ...machine.changesAtBoot, labels: { driver: 'new' } };
    },
    reasons: [],
    seconds: 0,
  };
}

function staticPods({ readySeconds }: Of<'staticPods'>): ConditionEffect {
  const names = ['etcd', 'kube-apiserver'];
  return {
    change: options =>
      onNodes(options, node =>
        node.controlPlane === true ? { ...node, staticPods: names.map(name => ({ name })) } : node,
      ),
    begin: ({ machines }) => {
      for (const machine of machines.values())
        if (machine.staticPods.length > 0)
          machine.changesAtBoot = {
            ...machine.changesAtBoot,
            staticPods: [{ name: 'etcd', readySeconds }, { name: 'kube-apiserver' }],
          };
    },
    reasons: ['NotSettled', 'ControlPlaneNotReady'],
    seconds: Number.isFinite(readySeconds) ? readySeconds : 0,
  };
}

const clocks = ({ controllers: [first, second], machines }: Of<'clocks'>): ConditionEffect => ({
  change: options => ({
    ...onNodes(options, node => ({ ...node, clockOffsetSeconds: machines })),
    clockOffsets: { 'controller-a': first, 'controller-b': second },
  }),
  reasons: [],
  seconds: 0,
});

function slowCalls({ of, seconds }: Of<'slowCalls'>): ConditionEffect {
  const begin = ({ api }: FakeCluster) => {
    api.callSeconds = ({ verb, plural }) => {
      if (of === 'evictions') return verb === 'evict' ? seconds : 0;
      if (of === 'all') return seconds;
      return verb !== 'get' && verb !== 'list' && (plural === 'pods' || plural === 'jobs') ? seconds : 0;
    };
  };
  return { begin, reasons: [], seconds: 60 * seconds };
}

const EFFECTS: { [K in Condition['kind']]: (condition: Of<K>) => ConditionEffect } = {
  sidecar,
  mutation,
  policy,
  rejection,
  fullNodes: ({ maxPods }) => ({
    change: options => onNodes(options, node => ({ ...node, maxPods })),
    reasons: ['NotStarted', 'NotSettled', 'DrainTimeout', 'ProbeFailed'],
    seconds: 120,
  }),
  ending,
  lostSandbox: ({ then }) => ({
    change: options => ({ ...options, afterPowerCut: then }),
    reasons: ['JobFailed', 'NotStarted', 'SentinelFailed'],
    seconds: 60,
  }),
  disk,
  pull,
  daemonSetLabels,
  staticPods,
  clocks,
  slowCalls,
};

export const effectOf = <K extends Condition['kind']>(condition: Of<K>): ConditionEffect =>
  (EFFECTS[condition.kind] as (condition: Of<K>) => ConditionEffect)(condition);

export const withConditions = (options: ClusterOptions, conditions: readonly Condition[]): ClusterOptions =>
  conditions.reduce((changed, condition) => effectOf(condition).change?.(changed) ?? changed, options);

export function beginConditions(cluster: FakeCluster, conditions: readonly Condition[]): void {
  for (const condition of conditions) effectOf(condition).begin?.(cluster);
}
