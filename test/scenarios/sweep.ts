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
    const told = await tell(story, plan);
    tried.count += 1;
    const difference = differs(story, plan, { calm, told });
    if (difference !== undefined) different.push(difference);
    else if (!told.met && plan.act > 0) different.push(`${story.name}: ${plan.program} has no act ${plan.act}`);
    if (different.length >= MOST_TOLD) break;
  }
  return different;
}

/** The closing line of a file. */
export const tellTried = (): void => void process.stdout.write(`kill points tried: ${tried.count}\n`);
