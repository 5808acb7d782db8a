/** Tells a story again and again, each time with one mishap, and compares how it ends. */
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import type { Act, Mishap } from '../fakes/cluster/program.js';
import { withChance } from '../fakes/cluster/random.js';
import { disturbed, type Ending, endingOf } from './outcome.js';
import type { Story } from './story.js';

/** What befalls which act of whom. */
export interface Plan {
  program: string;
  act: number;
  mishap: (cluster: FakeCluster) => Mishap;
  /** In words, for the message. */
  what: string;
  /** Before the story begins. */
  prepare?: (cluster: FakeCluster) => void;
}

export interface Told {
  ending: Ending;
  disturbed: Record<string, number>;
  acts: readonly Act[];
  cluster: FakeCluster;
  /** The mishap came: a story may take another way before. */
  met: boolean;
}

export const tell = (story: Story, plan?: Plan): Promise<Told> =>
  withChance(1, async () => {
    const cluster = fakeCluster(story.cluster);
    await cluster.begin();
    let met = false;
    const program = cluster.programs().find(each => each.name === plan?.program);
    if (plan && program)
      program.mishap = number => {
        if (number !== plan.act || met) return undefined;
        met = true;
        return plan.mishap(cluster);
      };
    plan?.prepare?.(cluster);
    await story.play(cluster);
    const settled = await cluster.settle();
    return { ending: endingOf(cluster, settled), disturbed: disturbed(cluster), acts: cluster.acts, cluster, met };
  });

const LAST_ACTS = 25;

const actText = ({ at, program, number, name, body }: Act) =>
  `${(at / 1000).toFixed(2)} s  ${program} #${number}  ${name}  ${(JSON.stringify(body) ?? '').slice(0, 120)}`;

/** Everything needed to see it again: what befell whom, how it ended, and what was done around it. */
export function differs(story: Story, plan: Plan, { calm, told }: { calm: Told; told: Told }): string | undefined {
  const more = Object.entries(told.disturbed).filter(([app, count]) => count > (calm.disturbed[app] ?? 0));
  const wanted = JSON.stringify(calm.ending, undefined, 1);
  const got = JSON.stringify(told.ending, undefined, 1);
  if (wanted === got && more.length === 0) return undefined;
  const at = told.acts.findIndex(act => act.program === plan.program && act.number === plan.act);
  const around = told.acts.slice(Math.max(at - 8, 0), at + LAST_ACTS);
  const lines = wanted.split('\n').filter(line => !got.split('\n').includes(line));
  return [
    `${story.name}: ${plan.program}, act ${plan.act} (${told.acts[at]?.name}), ${plan.what}`,
    `wanted: ${lines.map(line => line.trim()).join(' ')}`,
    `got:    ${got
      .split('\n')
      .filter(line => !wanted.split('\n').includes(line))
      .map(line => line.trim())
      .join(' ')}`,
    more.length > 0 ? `disturbed more: ${JSON.stringify(more)}` : '',
    ...around.map(actText),
    '…',
    ...told.acts.slice(-8).map(actText),
  ].join('\n');
}
