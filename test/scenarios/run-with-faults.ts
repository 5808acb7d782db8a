/** Runs one scenario once with each fault plan. */
import { describeDifference, type FaultPlan, runScenario, type ScenarioResult } from './run-scenario.js';
import type { Scenario } from './scenario.js';

/** The number of faults injected so far in this test file. */
export const killPoints = { count: 0 };

/** A description of a difference is long, and the first few are enough. */
const MAX_DIFFERENCES = 5;

/** The runs whose outcome differs from that of the run without faults, described so that they can be reproduced. */
export async function runWithFaults(
  scenario: Scenario,
  plansOf: (baseline: ScenarioResult) => FaultPlan[],
): Promise<string[]> {
  const baseline = await runScenario(scenario);
  return runPlans(scenario, baseline, plansOf(baseline));
}

/** As above, for a baseline that was run before. */
export async function runPlans(
  scenario: Scenario,
  baseline: ScenarioResult,
  plans: readonly FaultPlan[],
): Promise<string[]> {
  const different: string[] = [];
  for (const plan of plans) {
    const difference = await runAndCompare(scenario, plan, baseline);
    killPoints.count += 1;
    if (difference !== undefined) different.push(difference);
    if (different.length >= MAX_DIFFERENCES) break;
  }
  return different;
}

async function runAndCompare(
  scenario: Scenario,
  plan: FaultPlan,
  baseline: ScenarioResult,
): Promise<string | undefined> {
  try {
    const result = await runScenario(scenario, plan);
    if (!result.faultInjected && plan.mutation > 0)
      return `${scenario.name}: ${plan.program} has no mutation ${plan.mutation}`;
    return describeDifference(scenario, plan, { baseline, result });
  } catch (error) {
    /* The fake cluster itself threw, because of what the programs wrote. */
    return `${scenario.name}: ${plan.program}, mutation ${plan.mutation}, ${plan.description}: ${error instanceof Error ? error.stack : String(error)}`;
  }
}

/** Prints how many faults were injected, for the summary of the test run. */
export const printKillPointCount = (): void => void process.stdout.write(`kill points tried: ${killPoints.count}\n`);
