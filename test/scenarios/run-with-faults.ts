/** One story, told with each of its mishaps. */
import { describeDifference, type FaultPlan, runScenario, type ScenarioResult } from './run-scenario.js';
import type { Scenario } from './scenario.js';

/** How many mishaps were tried so far in this file. */
export const killPoints = { count: 0 };

/** A failure fills a page; the first few tell enough. */
const MOST_TOLD = 5;

/** What came out otherwise than in the calm story, in words that make it come again; empty when nothing did. */
export async function runWithFaults(
  story: Scenario,
  plansOf: (calm: ScenarioResult) => FaultPlan[],
): Promise<string[]> {
  const calm = await runScenario(story);
  const different: string[] = [];
  for (const plan of plansOf(calm)) {
    const difference = await compared(story, plan, calm);
    killPoints.count += 1;
    if (difference !== undefined) different.push(difference);
    if (different.length >= MOST_TOLD) break;
  }
  return different;
}

async function compared(story: Scenario, plan: FaultPlan, calm: ScenarioResult): Promise<string | undefined> {
  try {
    const told = await runScenario(story, plan);
    if (!told.faultInjected && plan.mutation > 0) return `${story.name}: ${plan.program} has no act ${plan.mutation}`;
    return describeDifference(story, plan, { calm, told });
  } catch (error) {
    /* What the programs wrote was such that the cluster itself could not go on. */
    return `${story.name}: ${plan.program}, act ${plan.mutation}, ${plan.description}: ${error instanceof Error ? error.stack : String(error)}`;
  }
}

/** The closing line of a file. */
export const printKillPointCount = (): void => void process.stdout.write(`kill points tried: ${killPoints.count}\n`);
