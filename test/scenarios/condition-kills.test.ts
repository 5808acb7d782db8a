/** Operations under conditions of real clusters end as expected, and in the same way with faults injected into their programs. */
import { afterAll, expect, test } from '@jest/globals';
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { beginConditions, type Condition, withConditions } from './conditions.js';
import { freezes, kills, requestErrors } from './fault-plans.js';
import { nodesNamed, REBOOT, WEB } from './lifecycle-setup.js';
import { type FaultPlan, runScenario, type ScenarioResult } from './run-scenario.js';
import { printKillPointCount, runPlans } from './run-with-faults.js';
import { IS_LONG_RUN } from './sampling.js';
import type { Scenario } from './scenario.js';

const DONE = 'Completed Done completed';

const createsOperation =
  (spec: object): Scenario['run'] =>
  async cluster => {
    await cluster.runFor(20);
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...spec }));
  };

const drainAndReboot: Scenario = {
  name: 'a drain and reboot of two nodes',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...WEB },
  run: createsOperation({}),
  expected: {
    operations: { op: { phase: 'Completed', nodes: { n1: DONE, n2: DONE } } },
    commands: { 'n1 op': 1, 'n2 op': 1 },
  },
};

const upgrade: Scenario = {
  name: 'an upgrade of two control planes and a worker',
  cluster: {
    nodes: [{ name: 'cp1', controlPlane: true }, { name: 'cp2', controlPlane: true }, { name: 'w1' }],
    images: { 'registry.example/kairos:2': { release: KAIROS_RELEASE.replaceAll('v3.5.0', 'v3.6.0') } },
  },
  run: cluster => void cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('up', { image: 'registry.example/kairos:2' })),
  expected: {
    operations: { up: { phase: 'Completed', nodes: { cp1: DONE, cp2: DONE, w1: DONE } } },
    upgrades: { up: 'Completed' },
    commands: { 'cp1 up': 1, 'cp2 up': 1, 'w1 up': 1 },
  },
};

const failedOn = (reason: string) => ({
  operations: {
    op: { phase: 'Failed', nodes: { n1: `Failed ${reason} cancelled`, n2: `Failed ${reason} cancelled` } },
  },
  commands: {},
});

interface Row {
  title: string;
  scenario: Scenario;
  condition: Condition;
  /** Where it differs from that of the scenario. */
  expected?: object;
}

const pullUntil = (until: number): Condition => ({ kind: 'pull', image: 'command', error: 'noSuchHost', until });

const rows: readonly Row[] = [
  {
    title: 'with an added container that does not end',
    scenario: drainAndReboot,
    condition: { kind: 'sidecar', as: 'container', isPullable: true },
  },
  {
    title: 'with an added init container',
    scenario: upgrade,
    condition: { kind: 'sidecar', as: 'initContainer', seconds: 3, isPullable: true },
  },
  {
    title: 'with an added init container that is restarted always',
    scenario: upgrade,
    condition: { kind: 'sidecar', as: 'initSidecar', isPullable: true },
  },
  {
    title: 'with labels added by a webhook',
    scenario: drainAndReboot,
    condition: { kind: 'mutation', of: 'labels' },
  },
  {
    title: 'with limits added by a LimitRange',
    scenario: upgrade,
    condition: { kind: 'mutation', of: 'limits' },
  },
  { title: 'with images from a mirror', scenario: upgrade, condition: { kind: 'mutation', of: 'images' } },
  { title: 'with a time to live on Jobs', scenario: drainAndReboot, condition: { kind: 'mutation', of: 'ttl' } },
  {
    title: 'while a policy refuses Pods',
    scenario: upgrade,
    condition: { kind: 'policy', refuses: 'pods', at: 2, seconds: 40 },
  },
  {
    title: 'while a policy refuses Jobs',
    scenario: drainAndReboot,
    condition: { kind: 'policy', refuses: 'jobs', at: 21, seconds: 40 },
  },
  {
    title: 'while a webhook refuses evictions',
    scenario: drainAndReboot,
    condition: { kind: 'policy', refuses: 'evictions', at: 20, seconds: 40 },
  },
  {
    title: 'with kubelets that reject the first Pods',
    scenario: drainAndReboot,
    condition: { kind: 'rejection', reason: 'OutOfpods', times: 2 },
  },
  {
    title: 'with kubelets that reject every Pod',
    scenario: { ...drainAndReboot, run: createsOperation({ startDeadlineSeconds: 60 }) },
    condition: { kind: 'rejection', reason: 'NodeAffinity', times: Number.POSITIVE_INFINITY },
    expected: failedOn('NotStarted'),
  },
  {
    title: 'with full disks',
    scenario: drainAndReboot,
    condition: { kind: 'disk', trouble: 'full', at: 0 },
    expected: failedOn('StateDirNotWritable'),
  },
  {
    title: 'with SELinux enforced',
    scenario: drainAndReboot,
    condition: { kind: 'disk', trouble: 'selinux', at: 0 },
  },
  { title: 'while the registry has no address', scenario: drainAndReboot, condition: pullUntil(70) },
  { title: 'with a DaemonSet that wants no rebooted node', scenario: upgrade, condition: { kind: 'daemonSetLabels' } },
  {
    title: 'with static Pods that are Ready late',
    scenario: upgrade,
    condition: { kind: 'staticPods', readySeconds: 70 },
  },
  {
    title: 'with controllers whose clocks are off',
    scenario: upgrade,
    condition: { kind: 'clocks', controllers: [-3_600, 86_400], machines: 0 },
  },
  {
    title: 'with calls that take a second',
    scenario: upgrade,
    condition: { kind: 'slowCalls', of: 'all', seconds: 1 },
  },
  {
    title: 'with writes to Pods and Jobs that take 3 s',
    scenario: drainAndReboot,
    condition: { kind: 'slowCalls', of: 'workloads', seconds: 3 },
  },
];

/** Some conditions count what they did, so that each run has its own. */
const under = ({ title, scenario, condition, expected = {} }: Row): Scenario => ({
  name: `${scenario.name} ${title}`,
  get cluster() {
    return withConditions(scenario.cluster, [condition]);
  },
  run: cluster => {
    beginConditions(cluster, [condition]);
    return scenario.run(cluster);
  },
  expected: { ...scenario.expected, ...expected },
});

const scenarios = rows.map(under).map((scenario, index) => [scenario.name, index, scenario] as const);

afterAll(printKillPointCount);

/** A scenario has hundreds of faults; each of the scenarios begins with another one. */
function faultsFor(index: number, baseline: ScenarioResult): FaultPlan[] {
  const all = [...kills(baseline), ...freezes(baseline), ...requestErrors(baseline)];
  const apart = IS_LONG_RUN ? 10 : 400;
  return all.filter((_each, number) => number % apart === (13 * index) % apart);
}

test.each(scenarios)(
  '%s ends as expected, also when a program is killed or frozen at any write or a write fails',
  async (_name, index, scenario) => {
    const baseline = await runScenario(scenario);
    expect(baseline.outcome).toMatchObject({ settled: true, finalizers: [], hotLooped: [], ...scenario.expected });
    expect(await runPlans(scenario, baseline, faultsFor(index, baseline))).toEqual([]);
  },
  300_000,
);
