/** One story, told with each of its mishaps. */
import { differs, type Plan, tell, type Told } from './replay.js';
import type { Story } from './story.js';

/** How many mishaps were tried so far in this file. */
export const tried = { count: 0 };

/** A failure fills a page; the first few tell enough. */
const MOST_TOLD = 5;

/** What came out otherwise than in the calm story, in words that make it come again; empty when nothing did. */
export async function sweep(story: Story, plansOf: (calm: Told) => Plan[]): Promise<string[]> {
  const calm = await tell(story);
  const different: string[] = [];
  for (const plan of plansOf(calm)) {
    const difference = await compared(story, plan, calm);
    tried.count += 1;
    if (difference !== undefined) different.push(difference);
    if (different.length >= MOST_TOLD) break;
  }
  return different;
}

async function compared(story: Story, plan: Plan, calm: Told): Promise<string | undefined> {
  try {
    const told = await tell(story, plan);
    if (!told.met && plan.act > 0) return `${story.name}: ${plan.program} has no act ${plan.act}`;
    return differs(story, plan, { calm, told });
  } catch (error) {
    /* What the programs wrote was such that the cluster itself could not go on. */
    return `${story.name}: ${plan.program}, act ${plan.act}, ${plan.what}: ${error instanceof Error ? error.stack : String(error)}`;
  }
}

/** The closing line of a file. */
export const tellTried = (): void => void process.stdout.write(`kill points tried: ${tried.count}\n`);
