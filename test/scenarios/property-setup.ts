/** Sets up the cluster of a case, and records how each run of its command ended. */
import { CONTAINERS, LABELS } from '../../api/names.js';
import { NODES, PODS } from '../../kube/resources.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import type { ContainerBehavior, StartedContainer } from '../fakes/cluster/container-behavior.js';
import type { ClusterOptions } from '../fakes/cluster/object-builders.js';
import type { NodeObject } from '../fakes/cluster/object-types.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { beginConditions, withConditions } from './conditions.js';
import type { Case } from './property-case.js';

export const NEW_RELEASE = KAIROS_RELEASE.replaceAll('v3.5.0', 'v3.6.0');

export interface CaseRun {
  cluster: FakeCluster;
  /** By node: the boot id during which the command succeeded. */
  succeeded: Map<string, string>;
  /** By node: how often the command was started. */
  runs: Map<string, number>;
  /** By node: the boot id before the operation. */
  boots: Map<string, string>;
}

export const nodeName = (index: number): string => `n${index + 1}`;

const PREFLIGHTS: Readonly<Record<Case['preflight'], ContainerBehavior>> = {
  go: { seconds: 1 },
  skip: { seconds: 1, message: 'nothing to do' },
  refuse: { seconds: 1, exitCode: 3 },
  hang: { seconds: undefined },
};

function workOf(
  { command }: Case,
  { succeeded, runs }: CaseRun,
  { machine, image }: StartedContainer,
): ContainerBehavior {
  const run = (runs.get(machine.name) ?? 0) + 1;
  runs.set(machine.name, run);
  if (command.kind === 'hangs') return { seconds: undefined };
  if (command.kind === 'fails' && run <= command.times) return { seconds: 2, exitCode: 1, message: 'it did not work' };
  const onSuccess = () => {
    succeeded.set(machine.name, machine.bootId);
    if (image.release !== undefined) machine.nextRelease = image.release;
  };
  return { seconds: command.kind === 'succeeds' ? command.seconds : 2, onSuccess };
}

/** Starts the cluster, without an operation yet. */
export async function startCase(testCase: Case): Promise<CaseRun> {
  const error = testCase.image === 'missing' ? 'manifest unknown' : undefined;
  const behavior = (running: StartedContainer): ContainerBehavior | undefined => {
    if (running.container.name === CONTAINERS.work) return workOf(testCase, caseRun, running);
    return running.container.name === CONTAINERS.preflight ? PREFLIGHTS[testCase.preflight] : undefined;
  };
  const options: ClusterOptions = {
    nodes: testCase.nodes.map(({ controlPlane }, index) => ({ name: nodeName(index), controlPlane })),
    workloads: testCase.workloads.map(({ maxUnavailable: _budget, ...traits }, index) => ({
      name: `web-${index}`,
      ...traits,
    })),
    budgets: testCase.workloads.flatMap(({ maxUnavailable }, index) =>
      maxUnavailable === undefined ? [] : [{ name: `web-${index}`, workload: `web-${index}`, maxUnavailable }],
    ),
    daemonSets: testCase.daemonSet ? ['proxy'] : [],
    images: {
      'registry.example/tool:1': { error },
      'registry.example/kairos:2': { error, release: NEW_RELEASE },
    },
    behavior,
  };
  const cluster = fakeCluster(withConditions(options, testCase.conditions));
  const caseRun: CaseRun = { cluster, succeeded: new Map(), runs: new Map(), boots: new Map() };
  await cluster.start();
  testCase.nodes.forEach(({ cordonedBefore }, index) =>
    prepareNode(cluster, nodeName(index), { ...testCase, cordonedBefore }),
  );
  await cluster.runFor(20);
  for (const { name, bootId } of cluster.machines.values()) caseRun.boots.set(name, bootId);
  beginConditions(cluster, testCase.conditions);
  cluster.resetMutationCount();
  return caseRun;
}

function prepareNode(
  { api }: FakeCluster,
  name: string,
  { cordonedBefore, barePods }: { cordonedBefore: boolean; barePods: boolean },
) {
  if (cordonedBefore)
    api.modify<NodeObject>(NODES, { name }, node => ({ ...node, spec: { ...node.spec, unschedulable: true } }));
  if (!barePods) return;
  const containers = [{ name: 'main', image: 'registry.example/bare:1' }];
  const spec = { nodeName: name, restartPolicy: 'Always', containers };
  api.put(PODS, { metadata: { name: `bare-${name}`, namespace: 'default' }, spec, status: { phase: 'Pending' } });
}

/** The uid of the operation that a Job or Pod belongs to. */
export const operationOf = (object: { metadata: { labels?: Record<string, string> } }) =>
  object.metadata.labels?.[LABELS.nodeOpUid];
