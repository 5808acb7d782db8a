/** Runs a scenario, optionally with one injected fault, and compares the outcome with that of a run without faults. */
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import type { InjectedFault } from '../fakes/cluster/process.js';
import type { Mutation } from '../fakes/cluster/program.js';
import { withSeededRandom } from '../fakes/cluster/seeded-random.js';
import { removedPodsByApp, type Outcome, outcomeOf } from './outcome.js';
import type { Scenario } from './scenario.js';

/** One fault to inject: into which mutation of which program. */
export interface FaultPlan {
  program: string;
  mutation: number;
  fault: (cluster: FakeCluster) => InjectedFault;
  /** For the failure message. */
  description: string;
  /** Called before the scenario starts. */
  prepare?: (cluster: FakeCluster) => void;
}

export interface ScenarioResult {
  outcome: Outcome;
  removedPods: Record<string, number>;
  mutations: readonly Mutation[];
  cluster: FakeCluster;
  /** Whether the fault was injected; the mutation may not be reached. */
  faultInjected: boolean;
}

export const runScenario = (scenario: Scenario, plan?: FaultPlan): Promise<ScenarioResult> =>
  withSeededRandom(1, async () => {
    const cluster = fakeCluster(scenario.cluster);
    await cluster.start();
    let faultInjected = false;
    const program = cluster.programs().find(each => each.name === plan?.program);
    if (plan && program)
      program.faultAt = number => {
        if (number !== plan.mutation || faultInjected) return undefined;
        faultInjected = true;
        return plan.fault(cluster);
      };
    plan?.prepare?.(cluster);
    await scenario.run(cluster);
    const settled = await cluster.runUntilSettled();
    return {
      outcome: outcomeOf(cluster, settled),
      removedPods: removedPodsByApp(cluster),
      mutations: cluster.mutations,
      cluster,
      faultInjected,
    };
  });

const LAST_ACTS = 25;

const mutationText = ({ at, program, number, name, body }: Mutation) =>
  `${(at / 1000).toFixed(2)} s  ${program} #${number}  ${name}  ${(JSON.stringify(body) ?? '').slice(0, 120)}`;

/** Describes the injected fault, the differences in the outcome and the mutations around the fault; undefined when nothing differs. */
export function describeDifference(
  scenario: Scenario,
  plan: FaultPlan,
  { baseline, result }: { baseline: ScenarioResult; result: ScenarioResult },
): string | undefined {
  const more = Object.entries(result.removedPods).filter(([app, count]) => count > (baseline.removedPods[app] ?? 0));
  const wanted = JSON.stringify(baseline.outcome, undefined, 1);
  const got = JSON.stringify(result.outcome, undefined, 1);
  if (wanted === got && more.length === 0) return undefined;
  const at = result.mutations.findIndex(
    mutation => mutation.program === plan.program && mutation.number === plan.mutation,
  );
  const around = result.mutations.slice(Math.max(at - 8, 0), at + LAST_ACTS);
  const lines = wanted.split('\n').filter(line => !got.split('\n').includes(line));
  return [
    `${scenario.name}: ${plan.program}, mutation ${plan.mutation} (${result.mutations[at]?.name}), ${plan.description}`,
    `wanted: ${lines.map(line => line.trim()).join(' ')}`,
    `got:    ${got
      .split('\n')
      .filter(line => !wanted.split('\n').includes(line))
      .map(line => line.trim())
      .join(' ')}`,
    more.length > 0 ? `more Pods removed: ${JSON.stringify(more)}` : '',
    ...around.map(mutationText),
    '…',
    ...result.mutations.slice(-8).map(mutationText),
  ].join('\n');
}
