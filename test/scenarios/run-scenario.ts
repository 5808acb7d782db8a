/** Tells a story again and again, each time with one mishap, and compares how it ends. */
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import type { InjectedFault } from '../fakes/cluster/process.js';
import type { Mutation } from '../fakes/cluster/program.js';
import { withSeededRandom } from '../fakes/cluster/seeded-random.js';
import { removedPodsByApp, type Outcome, outcomeOf } from './outcome.js';
import type { Scenario } from './scenario.js';

/** What befalls which act of whom. */
export interface FaultPlan {
  program: string;
  mutation: number;
  fault: (cluster: FakeCluster) => InjectedFault;
  /** In words, for the message. */
  description: string;
  /** Before the story begins. */
  prepare?: (cluster: FakeCluster) => void;
}

export interface ScenarioResult {
  outcome: Outcome;
  removedPods: Record<string, number>;
  mutations: readonly Mutation[];
  cluster: FakeCluster;
  /** The mishap came: a story may take another way before. */
  faultInjected: boolean;
}

export const runScenario = (story: Scenario, plan?: FaultPlan): Promise<ScenarioResult> =>
  withSeededRandom(1, async () => {
    const cluster = fakeCluster(story.cluster);
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
    await story.run(cluster);
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

/** Everything needed to see it again: what befell whom, how it ended, and what was done around it. */
export function describeDifference(
  story: Scenario,
  plan: FaultPlan,
  { calm, told }: { calm: ScenarioResult; told: ScenarioResult },
): string | undefined {
  const more = Object.entries(told.removedPods).filter(([app, count]) => count > (calm.removedPods[app] ?? 0));
  const wanted = JSON.stringify(calm.outcome, undefined, 1);
  const got = JSON.stringify(told.outcome, undefined, 1);
  if (wanted === got && more.length === 0) return undefined;
  const at = told.mutations.findIndex(act => act.program === plan.program && act.number === plan.mutation);
  const around = told.mutations.slice(Math.max(at - 8, 0), at + LAST_ACTS);
  const lines = wanted.split('\n').filter(line => !got.split('\n').includes(line));
  return [
    `${story.name}: ${plan.program}, act ${plan.mutation} (${told.mutations[at]?.name}), ${plan.description}`,
    `wanted: ${lines.map(line => line.trim()).join(' ')}`,
    `got:    ${got
      .split('\n')
      .filter(line => !wanted.split('\n').includes(line))
      .map(line => line.trim())
      .join(' ')}`,
    more.length > 0 ? `disturbed more: ${JSON.stringify(more)}` : '',
    ...around.map(mutationText),
    '…',
    ...told.mutations.slice(-8).map(mutationText),
  ].join('\n');
}
