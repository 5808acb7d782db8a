/** One case: an object to apply, its cluster, what its command does there, and possibly one fault. */
import * as fc from 'fast-check';
import { NodeOpSpec } from '../../api/nodeop.js';
import { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import type { Condition } from './conditions.js';
import { conditions } from './property-conditions.js';
import { specsOf, type SampleValues } from './property-schema.js';

export interface Case {
  object: { kind: 'NodeOp' | 'NodeOpUpgrade'; spec: object };
  nodes: readonly { controlPlane: boolean; cordonedBefore: boolean }[];
  workloads: readonly { replicas: number; emptyDir: boolean; graceSeconds: number; maxUnavailable?: number }[];
  barePods: boolean;
  daemonSet: boolean;
  command: { kind: 'succeeds'; seconds: number } | { kind: 'fails'; times: number } | { kind: 'hangs' };
  preflight: 'go' | 'skip' | 'refuse' | 'hang';
  image: 'there' | 'missing';
  conditions: readonly Condition[];
  fault:
    | { kind: 'none' }
    | { kind: 'powerCut'; node: number; at: number; seconds: number }
    | { kind: 'controllerKilled' | 'controllerFrozen'; mutation: number }
    | { kind: 'agentKilled'; node: number; mutation: number };
}

const LABELS = { all: 'kubernetes.io/os', one: 'kubernetes.io/hostname' };

const SAMPLES: SampleValues = {
  command: [['true'], ['sh', '-c', 'true']],
  image: ['registry.example/tool:1', 'registry.example/tool@sha256:0000'],
  priorityClassName: ['', 'system-node-critical', 'nodes-first'],
  hostMountPath: ['/host', '/mnt/root', '/h', '/host', '/mnt/root', 'host'],
  imagePullSecrets: [[], [{ name: 'registry' }]],
  excludePaths: [[], ['/etc/motd']],
  concurrency: [0, 1, 2, '0%', '1%', '50%', '100%'],
  nodeSelector: [
    {},
    { matchLabels: { [LABELS.all]: 'linux' } },
    { matchLabels: { [LABELS.one]: 'n1' } },
    { matchExpressions: [{ key: LABELS.one, operator: 'In', values: ['n1', 'n2'] }] },
    { matchExpressions: [{ key: LABELS.one, operator: 'NotIn', values: ['n1'] }] },
    { matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'DoesNotExist' }] },
    { matchLabels: { none: 'such' } },
    { matchExpressions: [{ key: LABELS.one, operator: 'Exists' }] },
    { matchExpressions: [{ key: LABELS.one, operator: 'Exists', values: ['n1'] }] },
  ],
  version: ['v3.5.0-k3sv1.34.1+k3s1', 'v3.6.0-k3sv1.34.1+k3s1'],
  digest: ['sha256:0000'],
  flavor: ['debian', 'alpine'],
  model: ['generic'],
  arch: ['amd64', 'amd64', 'arm64'],
  kubernetesMinor: ['1.34', '1.35'],
  /* Free text in a NodeOp and an enumeration in an upgrade; these values are valid in both. */
  allow: [[], ['Architecture'], ['KubernetesSkew', 'TrustedBoot']],
};

/** A preflight has either a command or a release; drawn field by field it would rarely have exactly one of them. */
function withOnePreflight({ spec, which }: { spec: DrawnSpec; which: number }): object {
  if (spec.preflight === undefined || which === 0) return spec;
  const { command = ['true'], release = {}, ...rest } = spec.preflight;
  return { ...spec, preflight: { ...rest, ...(which % 2 === 0 ? { command } : { release }) } };
}

interface DrawnSpec {
  preflight?: { command?: unknown; release?: unknown };
}

const nodeOpSpecs = fc.record({ spec: specsOf(NodeOpSpec, SAMPLES), which: fc.nat(8) }).map(withOnePreflight);

const upgradeSpecs = specsOf(NodeOpUpgradeSpec, {
  ...SAMPLES,
  image: ['registry.example/kairos:2', 'registry.example/plain:1'],
});

const objects: fc.Arbitrary<Case['object']> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('NodeOp' as const), spec: nodeOpSpecs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('NodeOpUpgrade' as const), spec: upgradeSpecs }) },
);

const faults: fc.Arbitrary<Case['fault']> = fc.oneof(
  fc.constant({ kind: 'none' as const }),
  fc.record({
    kind: fc.constant('powerCut' as const),
    node: fc.nat(3),
    at: fc.integer({ min: 1, max: 90 }),
    seconds: fc.constantFrom(5, 60, 500),
  }),
  fc.record({
    kind: fc.constantFrom('controllerKilled' as const, 'controllerFrozen' as const),
    mutation: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({ kind: fc.constant('agentKilled' as const), node: fc.nat(3), mutation: fc.integer({ min: 1, max: 8 }) }),
);

/** The simplest case is a plain NodeOp on one node without a fault; fast-check shrinks failures towards it. */
export const cases: fc.Arbitrary<Case> = fc.record({
  object: objects,
  nodes: fc.array(fc.record({ controlPlane: fc.boolean(), cordonedBefore: rarely() }), { minLength: 1, maxLength: 4 }),
  workloads: fc.array(
    fc.record(
      {
        replicas: fc.integer({ min: 1, max: 3 }),
        emptyDir: fc.boolean(),
        graceSeconds: fc.constantFrom(1, 30),
        maxUnavailable: fc.constantFrom(0, 1),
      },
      { requiredKeys: ['replicas', 'emptyDir', 'graceSeconds'] },
    ),
    { maxLength: 2 },
  ),
  barePods: fc.boolean(),
  daemonSet: fc.boolean(),
  command: fc.oneof(
    fc.record({ kind: fc.constant('succeeds' as const), seconds: fc.constantFrom(1, 5, 60) }),
    fc.record({ kind: fc.constant('fails' as const), times: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('hangs' as const) }),
  ),
  preflight: fc.constantFrom('go', 'go', 'skip', 'refuse', 'hang'),
  image: fc.constantFrom('there', 'there', 'there', 'missing'),
  conditions: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.uniqueArray(conditions, { minLength: 1, maxLength: 2, selector: ({ kind }) => kind }) },
  ),
  fault: faults,
});

function rarely(): fc.Arbitrary<boolean> {
  return fc.nat(7).map(value => value === 7);
}
